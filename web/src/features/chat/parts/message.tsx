// One question or one answer, with what can be done to it.
import { Pencil, RefreshCw } from "lucide-react";
import { type FormEvent, type KeyboardEvent, memo, useState } from "react";
import { Button, IconButton } from "@/shared/ui/button.tsx";
import { CopyButton } from "@/shared/ui/copy-button.tsx";
import { ErrorState } from "@/shared/ui/states.tsx";
import { isRunning, type Question, type Reply, unansweredQueries } from "../model/conversation.ts";
import { Markdown } from "./markdown.tsx";
import styles from "./message.module.css";
import { ProofBadge } from "./proof-badge.tsx";
import { Refund } from "./refund.tsx";

export interface QuestionViewProps {
  question: Question;
  busy: boolean;
  onEdit: (text: string) => void;
}

export const QuestionView = memo(function QuestionView({ question, busy, onEdit }: QuestionViewProps) {
  const [editing, setEditing] = useState(false);
  if (editing) {
    const done = (text: string | null) => {
      setEditing(false);
      if (text) onEdit(text);
    };
    return <EditForm text={question.text} onDone={done} />;
  }
  return (
    <article className={styles.question} aria-label="You asked">
      <div className={styles.bubble}>{question.text}</div>
      <div className={styles.tools}>
        <CopyButton text={question.text} label="Copy question" compact />
        <IconButton label="Edit question" disabled={busy} onClick={() => setEditing(true)}>
          <Pencil aria-hidden />
        </IconButton>
      </div>
    </article>
  );
});

function EditForm({ text, onDone }: { text: string; onDone: (text: string | null) => void }) {
  const [draft, setDraft] = useState(text);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (draft.trim()) onDone(draft.trim());
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === "Escape") onDone(null);
  };
  return (
    <form className={styles.edit} onSubmit={submit}>
      {/* biome-ignore lint/a11y/noAutofocus: the person has just asked to edit this */}
      <textarea aria-label="Question" autoFocus rows={4} value={draft} onChange={(event) => setDraft(event.target.value)} onKeyDown={onKeyDown} />
      <div className={styles.editButtons}>
        <Button size="s" kind="quiet" onClick={() => onDone(null)}>
          Cancel
        </Button>
        <Button size="s" kind="primary" type="submit" disabled={!draft.trim()}>
          Ask again
        </Button>
      </div>
    </form>
  );
}

export interface ReplyViewProps {
  reply: Reply;
  busy: boolean;
  onRegenerate: () => void;
  onResume: () => void;
}

export const ReplyView = memo(function ReplyView({ reply, busy, onRegenerate, onResume }: ReplyViewProps) {
  const running = isRunning(reply);
  return (
    <article className={styles.reply} aria-label="Answer" aria-busy={running}>
      {reply.text && <Markdown text={reply.text} />}
      {running && (
        <p className={styles.step}>
          <span className={styles.dots} aria-hidden>
            <i />
            <i />
            <i />
          </span>
          {reply.step}
        </p>
      )}
      {reply.state === "stopped" && <p className={styles.note}>Stopped. What was delivered is paid for.</p>}
      {reply.state === "interrupted" && (
        <ErrorState
          problem={reply.problem ?? { message: "The connection to this answer was lost", next: "The machines keep it for some minutes; fetching it again costs nothing more." }}
          action={
            <Button size="s" kind="primary" disabled={busy} onClick={onResume}>
              Fetch the answer
            </Button>
          }
        />
      )}
      {reply.state === "failed" && reply.problem && <ErrorState kind={reply.problem.kind === "refused" ? "refused" : "failed"} problem={reply.problem} />}
      {!running && unansweredQueries(reply).map((query) => <Refund key={query.id} query={query} />)}
      <footer className={styles.foot}>
        {reply.proof && <ProofBadge proof={reply.proof} />}
        {!running && (
          <div className={styles.tools}>
            {reply.text && <CopyButton text={reply.text} label="Copy answer" compact />}
            <IconButton label="Answer again" disabled={busy} onClick={onRegenerate}>
              <RefreshCw aria-hidden />
            </IconButton>
          </div>
        )}
      </footer>
    </article>
  );
});
