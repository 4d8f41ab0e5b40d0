// A table that scrolls in its own frame when it is wider than the page. Cells: plain th and td; class "num" for numbers.
import type { ReactNode } from "react";
import styles from "./table.module.css";

export interface TableProps {
  caption: string;
  head: readonly ReactNode[];
  // Which columns hold numbers, from 0.
  numbers?: readonly number[];
  children: ReactNode;
}

export function Table({ caption, head, numbers = [], children }: TableProps) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrollable region must be reachable by keyboard
    <section className={styles.frame} aria-label={caption} tabIndex={0}>
      <table className={styles.table}>
        <caption className="visually-hidden">{caption}</caption>
        <thead>
          <tr>
            {head.map((cell, i) => (
              // biome-ignore lint/suspicious/noArrayIndexKey: columns do not move
              <th key={i} scope="col" className={numbers.includes(i) ? "num" : undefined}>
                {cell}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>{children}</tbody>
      </table>
    </section>
  );
}
