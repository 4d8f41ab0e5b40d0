// An address or hash: short, with the whole in the title, a button to copy it and, where `to` is given, a link to its page.
import { Check, Copy } from "lucide-react";
import { Link } from "react-router";
import { useCopy } from "../lib/copy.ts";
import { shortHash } from "../lib/format.ts";
import styles from "./hash.module.css";

export interface HashProps {
  value: string;
  to?: string | undefined;
  // What it is, for the name of the copy button: "address", "receipt hash".
  label?: string;
  whole?: boolean;
}

export function Hash({ value, to, label = "value", whole = false }: HashProps) {
  const { copied, copy } = useCopy();
  const text = <code title={value}>{whole ? value : shortHash(value)}</code>;
  return (
    <span className={styles.hash}>
      {to ? <Link to={to}>{text}</Link> : text}
      <button
        type="button"
        onClick={() => void copy(value)}
        aria-label={copied ? "Copied" : `Copy ${label}`}
        className={styles.copy}
      >
        {copied ? <Check aria-hidden /> : <Copy aria-hidden />}
      </button>
    </span>
  );
}
