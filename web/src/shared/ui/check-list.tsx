// A live list of checks: each with its state, who saw it, its evidence on click, and on failure the reason and the cure.
import { ChevronDown, CircleCheck, CircleDashed, CircleMinus, CircleX, LoaderCircle } from "lucide-react";
import { cx } from "../lib/cx.ts";
import { SeenBy } from "./badge.tsx";
import styles from "./check-list.module.css";

export type CheckStatus = "waiting" | "running" | "passed" | "failed" | "skipped";

export interface CheckFact {
  readonly label: string;
  readonly value: string;
  readonly code?: boolean;
}

export interface CheckItem {
  readonly id: string;
  readonly title: string;
  readonly status: CheckStatus;
  readonly group?: string;
  readonly seenBy?: "page" | "gateway";
  // What was found, in a sentence.
  readonly detail?: string;
  // What to do about it; shown on failure.
  readonly cure?: string;
  readonly facts?: readonly CheckFact[];
}

const ICONS = {
  waiting: CircleDashed,
  running: LoaderCircle,
  passed: CircleCheck,
  failed: CircleX,
  skipped: CircleMinus,
};
const WORDS = {
  waiting: "waiting",
  running: "running",
  passed: "passed",
  failed: "failed",
  skipped: "skipped",
};

export interface CheckListProps {
  label: string;
  checks: readonly CheckItem[];
  // Show who saw each check.
  seenBy?: boolean;
}

export function CheckList({ label, checks, seenBy = false }: CheckListProps) {
  const groups = [...new Set(checks.map((check) => check.group ?? ""))];
  return (
    <div className={styles.root}>
      <p className="visually-hidden" role="status">
        {progressWords(checks)}
      </p>
      {groups.map((group) => (
        <section key={group} aria-label={group || label} className={styles.group}>
          {group && <h3 className={styles.heading}>{group}</h3>}
          <ul className={styles.list}>
            {checks
              .filter((check) => (check.group ?? "") === group)
              .map((check) => (
                <CheckRow key={check.id} check={check} seenBy={seenBy} />
              ))}
          </ul>
        </section>
      ))}
    </div>
  );
}

export function progressWords(checks: readonly CheckItem[]): string {
  const count = (status: CheckStatus) => checks.filter((check) => check.status === status).length;
  const failed = checks.find((check) => check.status === "failed");
  const done = count("passed") + count("failed") + count("skipped");
  return `${done} of ${checks.length} checks done${failed ? `; failed: ${failed.title}` : ""}`;
}

function CheckRow({ check, seenBy }: { check: CheckItem; seenBy: boolean }) {
  const facts = check.facts ?? [];
  const more = facts.length > 0;
  const line = (
    <>
      <StatusIcon status={check.status} />
      <span className={styles.words}>
        <span className={styles.title}>
          {check.title}
          <span className="visually-hidden">: {WORDS[check.status]}</span>
        </span>
        {check.detail && <span className={styles.detail}>{check.detail}</span>}
        {check.status === "failed" && check.cure && (
          <span className={styles.cure}>
            <strong>What to do:</strong> {check.cure}
          </span>
        )}
      </span>
      {seenBy && check.seenBy && <SeenBy who={check.seenBy} />}
    </>
  );
  if (!more) {
    return (
      <li className={cx(styles.row, styles[check.status])} data-check={check.id} data-status={check.status}>
        <div className={styles.line}>{line}</div>
      </li>
    );
  }
  return (
    <li className={cx(styles.row, styles[check.status])} data-check={check.id} data-status={check.status}>
      <details>
        <summary className={styles.line}>
          {line}
          <ChevronDown aria-hidden className={styles.chevron} />
        </summary>
        <dl className={styles.facts}>
          {facts.map((fact) => (
            <div key={fact.label}>
              <dt>{fact.label}</dt>
              <dd>{fact.code ? <code>{fact.value}</code> : fact.value}</dd>
            </div>
          ))}
        </dl>
      </details>
    </li>
  );
}

function StatusIcon({ status }: { status: CheckStatus }) {
  const Icon = ICONS[status];
  return <Icon aria-hidden className={cx(styles.icon, status === "running" && styles.turning)} />;
}
