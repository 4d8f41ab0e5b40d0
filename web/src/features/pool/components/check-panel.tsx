// The pasted URL, and the live list of its checks.
import { Play } from "lucide-react";
import { type FormEvent, useState } from "react";
import { Button } from "@/shared/ui/button.tsx";
import { Card } from "@/shared/ui/card.tsx";
import { CheckList } from "@/shared/ui/check-list.tsx";
import { TextField } from "@/shared/ui/field.tsx";
import { firstFailure, type CheckList as List, progressOf } from "../lib/check-list.ts";
import { urlProblem } from "../lib/node-url.ts";
import styles from "./check-panel.module.css";

export interface CheckPanelProps {
  list: List | null;
  running: boolean;
  // Why nothing can be checked now, or null.
  blocked: string | null;
  onStart: (url: string) => void;
}

export function CheckPanel({ list, running, blocked, onStart }: CheckPanelProps) {
  const [url, setUrl] = useState("");
  const [error, setError] = useState<string | null>(null);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const problem = urlProblem(url);
    setError(problem);
    if (!problem) onStart(url.trim().replace(/\/+$/, ""));
  };
  return (
    <Card title="3. Check it">
      <form onSubmit={submit} className={styles.form} noValidate>
        <TextField
          label="URL of the node"
          hint="Where port 9100 is reached from outside."
          error={error}
          value={url}
          placeholder="https://node.example.org:9100"
          onChange={(event) => setUrl(event.target.value)}
          inputMode="url"
          autoComplete="off"
          spellCheck={false}
        />
        <Button
          type="submit"
          kind="primary"
          icon={<Play aria-hidden />}
          pending={running}
          disabled={blocked !== null}
        >
          {list ? "Check again" : "Check the node"}
        </Button>
      </form>
      {blocked && <p className={styles.blocked}>{blocked}</p>}
      {list && <Summary list={list} running={running} />}
      {list && <CheckList label="Checks of the node" checks={list} seenBy />}
    </Card>
  );
}

function Summary({ list, running }: { list: List; running: boolean }) {
  const { done, total } = progressOf(list);
  const failure = firstFailure(list);
  if (failure) {
    return (
      <p className={styles.bad}>
        <strong>{failure.title}: no.</strong> Nothing is offered to be signed until this is cured.
      </p>
    );
  }
  if (running) return <p className={styles.progress}>{`${done} of ${total} done`}</p>;
  return <p className={styles.good}>Everything that was checked holds.</p>;
}
