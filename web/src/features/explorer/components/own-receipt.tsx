// For the owner of an answer: drop its bundle, and every check of `teetee verify` runs here, with the very prompt and answer. The file is
// read in this page only; nothing of it is sent anywhere.
import { useQuery } from "@tanstack/react-query";
import { FileCheck } from "lucide-react";
import { type DragEvent, useCallback, useEffect, useRef, useState } from "react";
import { Link } from "react-router";
import { usePublicClient } from "wagmi";
import { type Bundle, bundleText } from "@/shared/client/bundle.ts";
import type { ChainReader } from "@/shared/client/chain.ts";
import { cx } from "@/shared/lib/cx.ts";
import { saveFile } from "@/shared/lib/save-file.ts";
import { useSetup } from "@/shared/setup/setup.tsx";
import { Button } from "@/shared/ui/button.tsx";
import { Card } from "@/shared/ui/card.tsx";
import { type CheckItem, CheckList } from "@/shared/ui/check-list.tsx";
import { CodeBlock } from "@/shared/ui/code-block.tsx";
import { ErrorState } from "@/shared/ui/states.tsx";
import { useVault } from "@/shared/vault/vault-context.tsx";
import { conversationOf, type JudgedBundle, judgeBundle, receiptIdOf } from "../lib/judge-bundle.ts";
import styles from "./explorer.module.css";

/** `id`: the receipt that the page is about; a bundle of another one is said to be so. */
export function OwnReceipt({ id }: { id?: `0x${string}` }) {
  const { vault } = useVault();
  const { judged, problem, busy, judge } = useJudge();
  const kept = useQuery({
    queryKey: ["vault", vault?.owner, "bundle", id],
    queryFn: async () => (await vault?.get("bundle", id ?? "")) ?? null,
    enabled: vault !== null && id !== undefined,
  });
  const text = kept.data;
  useEffect(() => {
    if (text) void judge(new TextEncoder().encode(text));
  }, [text, judge]);
  return (
    <Card title={id === undefined ? "Do you own an answer?" : "Is it your answer?"}>
      {text ? (
        <p>You chatted in this browser: its own copy of the answer was found and checked.</p>
      ) : (
        <Drop
          onFile={(file) => void file.arrayBuffer().then((buffer) => judge(new Uint8Array(buffer)))}
          busy={busy}
        />
      )}
      {!text && id !== undefined && vault === null && (
        <p className={styles.quiet}>
          If you chatted in this browser, open your conversations on the <Link to="/chat">chat page</Link>,
          then come back: the copy there is checked by itself.
        </p>
      )}
      {problem && (
        <ErrorState
          kind="refused"
          problem={{
            message: "This file cannot be read as a receipt bundle.",
            cause: problem,
            next: "Take the file that teetee proxy or the chat page stored for the answer.",
          }}
        />
      )}
      {judged && id !== undefined && receiptIdOf(judged.bundle) !== id && (
        <ErrorState
          kind="refused"
          problem={{
            message: "This bundle is of another receipt than this page.",
            cause: receiptIdOf(judged.bundle),
            next: "What follows is about that one.",
          }}
        />
      )}
      {judged && <Judged judged={judged} />}
    </Card>
  );
}

function useJudge() {
  const { gateway, trust, chainId } = useSetup();
  const client = usePublicClient({ chainId });
  const [judged, setJudged] = useState<JudgedBundle | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  const judge = useCallback(
    async (bytes: Uint8Array) => {
      setBusy(true);
      setProblem(null);
      setJudged(null);
      const reader = (client as ChainReader | undefined) ?? null;
      await judgeBundle(bytes, { gateway, trust, reader }).then(setJudged, (error: unknown) => {
        setProblem(error instanceof Error ? error.message : String(error));
      });
      setBusy(false);
    },
    [gateway, trust, client],
  );
  return { judged, problem, busy, judge };
}

function Drop({ onFile, busy }: { onFile: (file: File) => void; busy: boolean }) {
  const [over, setOver] = useState(false);
  const input = useRef<HTMLInputElement>(null);
  const drop = (event: DragEvent) => {
    event.preventDefault();
    setOver(false);
    const file = event.dataTransfer.files[0];
    if (file) onFile(file);
  };
  const drag = (event: DragEvent) => {
    event.preventDefault();
    setOver(true);
  };
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: dropping is an extra; the button does the same
    <div
      className={cx(styles.drop, over && styles.over)}
      onDragOver={drag}
      onDragLeave={() => setOver(false)}
      onDrop={drop}
    >
      <p>
        Drop the bundle of an answer here (a .json file of <code>teetee proxy</code> or of the chat page). It
        is read in this page and sent nowhere; it holds your prompt.
      </p>
      <Button icon={<FileCheck aria-hidden />} pending={busy} onClick={() => input.current?.click()}>
        Choose a bundle
      </Button>
      <input
        ref={input}
        type="file"
        accept=".json,application/json"
        aria-label="Receipt bundle"
        className="visually-hidden"
        tabIndex={-1}
        onChange={(event) => {
          const file = event.currentTarget.files?.[0];
          if (file) onFile(file);
          event.currentTarget.value = "";
        }}
      />
    </div>
  );
}

function Judged({ judged }: { judged: JudgedBundle }) {
  const { bundle, checks, verdict } = judged;
  const items: CheckItem[] = checks.map((check, i) => ({
    id: `${check.id}.${i}`,
    title: check.text,
    status: check.passed ? "passed" : "failed",
    detail: check.id,
  }));
  const { prompt, answers } = conversationOf(bundle);
  return (
    <div className={styles.stack}>
      <p className={cx(styles.verdict, verdict.valid ? styles.good : styles.bad)} role="status">
        <strong>{verdict.text}</strong>
      </p>
      {judged.note && <p className={styles.quiet}>{judged.note}</p>}
      <Matched valid={verdict.valid} prompt={prompt} answers={answers} />
      <CheckList label="Checks of the bundle" checks={items} />
      <Offline bundle={bundle} />
    </div>
  );
}

function Matched({ valid, prompt, answers }: { valid: boolean; prompt: string; answers: readonly string[] }) {
  return (
    <>
      {valid && (
        <p>
          The receipt’s commitments are those of this very question and answer, under the secret in your file:
        </p>
      )}
      <section className={styles.text} aria-label="Question">
        <h4>Question</h4>
        {prompt}
      </section>
      {answers.map((answer, i) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: answers do not move
        <section key={i} className={styles.text} aria-label="Answer">
          <h4>Answer</h4>
          {answer}
        </section>
      ))}
    </>
  );
}

function Offline({ bundle }: { bundle: Bundle }) {
  const name = `teetee-${bundle.receipt.receipt.query.slice(2, 14)}.json`;
  return (
    <>
      <div className={styles.buttons}>
        <Button onClick={() => saveFile(name, bundleText(bundle), "application/json")}>
          Download for offline checking
        </Button>
      </div>
      <p className={styles.quiet}>With the proof of its batch, if it is mined. Then, without any network:</p>
      <CodeBlock label="Offline" code={`teetee verify ${name} --trust trust.json`} />
    </>
  );
}
