// A short state in a pill. Colour is never the only sign: the words say it too.
import type { ReactNode } from "react";
import { cx } from "../lib/cx.ts";
import styles from "./badge.module.css";

export type Tone = "neutral" | "accent" | "ok" | "warn" | "bad";

export interface BadgeProps {
  tone?: Tone;
  icon?: ReactNode;
  title?: string | undefined;
  children: ReactNode;
}

export function Badge({ tone = "neutral", icon, title, children }: BadgeProps) {
  return (
    <span className={cx(styles.badge, styles[tone])} title={title}>
      {icon}
      {children}
    </span>
  );
}

// Whose word a statement is: computed in this browser, or seen by the gateway.
export function SeenBy({ who }: { who: "page" | "gateway" }) {
  return who === "page" ? (
    <Badge tone="accent" title="Computed in this browser from signed evidence">
      checked here
    </Badge>
  ) : (
    <Badge title="The word of the gateway; this browser cannot see it for itself">seen by the gateway</Badge>
  );
}
