import type { ReactNode } from "react";
import { cx } from "../lib/cx.ts";
import styles from "./card.module.css";

export interface CardProps {
  title?: ReactNode;
  actions?: ReactNode;
  children: ReactNode;
  className?: string | undefined;
  // The level of the title's heading; the look is the same.
  level?: 2 | 3;
}

export function Card({ title, actions, children, className, level = 2 }: CardProps) {
  const Heading = `h${level}` as "h2" | "h3";
  return (
    <section className={cx(styles.card, className)}>
      {(title || actions) && (
        <header className={styles.head}>
          {title && <Heading>{title}</Heading>}
          {actions && <div className={styles.actions}>{actions}</div>}
        </header>
      )}
      {children}
    </section>
  );
}
