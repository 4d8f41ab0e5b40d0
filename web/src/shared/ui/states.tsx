// What a view shows when it has nothing to show: nothing there, still loading, failed or refused.
import { CircleAlert, ShieldX } from "lucide-react";
import type { ReactNode } from "react";
import { cx } from "../lib/cx.ts";
import styles from "./states.module.css";

export interface EmptyStateProps {
  icon?: ReactNode;
  title: string;
  children?: ReactNode;
  action?: ReactNode;
}

export function EmptyState({ icon, title, children, action }: EmptyStateProps) {
  return (
    <div className={styles.empty}>
      {icon && <div className={styles.icon}>{icon}</div>}
      <h2>{title}</h2>
      {children && <div className={styles.words}>{children}</div>}
      {action}
    </div>
  );
}

// An error for a person: what happened, why, and what to do now.
export interface Problem {
  message: string;
  cause?: string | undefined;
  next?: string | undefined;
}

export interface ErrorStateProps {
  problem: Problem;
  // refused: a check did not pass, or a right is missing; failed: something broke.
  kind?: "failed" | "refused";
  action?: ReactNode;
}

export function ErrorState({ problem, kind = "failed", action }: ErrorStateProps) {
  const Icon = kind === "refused" ? ShieldX : CircleAlert;
  return (
    <div className={styles.error} role="alert">
      <Icon aria-hidden className={styles.sign} />
      <div className={styles.text}>
        <p className={styles.message}>{problem.message}</p>
        {problem.cause && <p className={styles.cause}>{problem.cause}</p>}
        {problem.next && <p>{problem.next}</p>}
        {action && <div className={styles.action}>{action}</div>}
      </div>
    </div>
  );
}

export interface SkeletonProps {
  // Height in rem of what will stand there, so that nothing moves when it comes.
  height?: number;
  count?: number;
  className?: string | undefined;
}

export function Skeleton({ height = 1.25, count = 1, className }: SkeletonProps) {
  return (
    <div className={styles.skeletons} role="status" aria-label="Loading">
      {Array.from({ length: count }, (_, i) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: all are alike
        <div key={i} className={cx(styles.skeleton, className)} style={{ height: `${height}rem` }} />
      ))}
    </div>
  );
}

// What a later version brings, in words and without a dead button.
export function NotYet({ children }: { children: ReactNode }) {
  return (
    <p className={styles.notYet}>
      <strong>Not yet:</strong> {children}
    </p>
  );
}
