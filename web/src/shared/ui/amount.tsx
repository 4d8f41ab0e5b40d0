// A sum: ETH for the eye, wei in the title.
import { formatEth, groups } from "../lib/amount.ts";
import styles from "./amount.module.css";

export interface AmountProps {
  wei: bigint;
  digits?: number;
}

export function Amount({ wei, digits = 6 }: AmountProps) {
  return (
    <span className={styles.amount} title={`${groups(wei)} wei`}>
      {formatEth(wei, digits)}
      <span className={styles.unit}>ETH</span>
    </span>
  );
}
