// The messages, kept at the newest while the reader is there. Screen readers hear that an answer is coming and the whole of it when it is there,
// not each token.
import { useEffect, useLayoutEffect, useRef } from "react";
import { type Conversation, isRunning, lastReply, type Message } from "../model/conversation.ts";
import { QuestionView, ReplyView } from "./message.tsx";
import styles from "./thread.module.css";

export interface ThreadProps {
  conversation: Conversation;
  onEdit: (questionId: string, text: string) => void;
  onRegenerate: (replyId: string) => void;
  onResume: (replyId: string) => void;
}

// As near to the end as this counts as being there.
const NEAR_PX = 80;

function useStayAtEnd(content: unknown) {
  const box = useRef<HTMLDivElement>(null);
  const stays = useRef(true);
  useEffect(() => {
    const element = box.current;
    if (!element) return;
    const onScroll = () => {
      stays.current = element.scrollHeight - element.scrollTop - element.clientHeight < NEAR_PX;
    };
    element.addEventListener("scroll", onScroll, { passive: true });
    return () => element.removeEventListener("scroll", onScroll);
  }, []);
  // biome-ignore lint/correctness/useExhaustiveDependencies: new content is the reason to scroll
  useLayoutEffect(() => {
    const element = box.current;
    if (element && stays.current) element.scrollTop = element.scrollHeight;
  }, [content]);
  return { box, stays };
}

export function spoken(conversation: Conversation): string {
  const reply = lastReply(conversation);
  if (!reply) return "";
  if (isRunning(reply)) return reply.step || "The answer is coming.";
  if (reply.state === "done" || reply.state === "stopped") return `Answer: ${reply.text}`;
  return "";
}

export function Thread({ conversation, onEdit, onRegenerate, onResume }: ThreadProps) {
  const { box, stays } = useStayAtEnd(conversation);
  const busy = conversation.messages.some((message) => message.role === "assistant" && isRunning(message));
  const count = conversation.messages.length;
  // A new question is always shown.
  // biome-ignore lint/correctness/useExhaustiveDependencies: only a new message is a reason
  useEffect(() => {
    stays.current = true;
  }, [count]);
  const view = (message: Message) =>
    message.role === "user" ? (
      <QuestionView key={message.id} question={message} busy={busy} onEdit={(text) => onEdit(message.id, text)} />
    ) : (
      <ReplyView key={message.id} reply={message} busy={busy} onRegenerate={() => onRegenerate(message.id)} onResume={() => onResume(message.id)} />
    );
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrollable region must be reachable by keyboard
    <section className={styles.scroll} ref={box} tabIndex={0} aria-label="Messages">
      <div className={styles.list}>{conversation.messages.map(view)}</div>
      <p className="visually-hidden" role="status" aria-live="polite">
        {spoken(conversation)}
      </p>
    </section>
  );
}
