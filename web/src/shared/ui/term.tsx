// A word with its own meaning here, linked to the glossary.
import type { ReactNode } from "react";
import { Link } from "react-router";
import styles from "./term.module.css";

export function Term({ name, children }: { name: string; children?: ReactNode }) {
  return (
    <Link to={`/glossary#${name.replaceAll(" ", "-")}`} className={styles.term}>
      {children ?? name}
    </Link>
  );
}
