// Pairs of a name and a value.
import type { ReactNode } from "react";
import styles from "./facts.module.css";

export interface FactsProps {
  items: readonly (readonly [name: ReactNode, value: ReactNode])[];
}

export function Facts({ items }: FactsProps) {
  return (
    <dl className={styles.facts}>
      {items.map(([name, value], i) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: rows do not move
        <div key={i}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

// One large number with its name and unit.
export function Stat({ name, children, note }: { name: ReactNode; children: ReactNode; note?: ReactNode }) {
  return (
    <div className={styles.stat}>
      <span className={styles.name}>{name}</span>
      <span className={styles.big}>{children}</span>
      {note && <span className={styles.note}>{note}</span>}
    </div>
  );
}
