// The tab with this route's head: what is in it, and how it ends. Closing takes a day, so that what was used can still be charged.
import { closeTab, finishTab } from "@/shared/chain/calls.ts";
import { useTransaction } from "@/shared/chain/use-transaction.ts";
import type { TabStatus } from "@/shared/client/tabs.ts";
import { formatTime } from "@/shared/lib/format.ts";
import { useSetup } from "@/shared/setup/setup.tsx";
import { Amount } from "@/shared/ui/amount.tsx";
import { Button } from "@/shared/ui/button.tsx";
import { TransactionStatus } from "@/shared/wallet/transaction-status.tsx";
import styles from "./tab-panel.module.css";

export type TabPhase = "none" | "open" | "closing" | "over";

export function tabPhase(status: TabStatus | null | undefined, now: number): TabPhase {
  if (!status?.tab.signer) return "none";
  if (status.tab.closeAt === 0n) return "open";
  return BigInt(now) >= status.tab.closeAt ? "over" : "closing";
}

export function TabPanel({ status, user }: { status: TabStatus | null | undefined; user: `0x${string}` }) {
  const { ledger } = useSetup();
  const transaction = useTransaction();
  const phase = tabPhase(status, Math.floor(Date.now() / 1000));
  if (!status || phase === "none") return null;
  const rest = <Amount wei={status.tab.funded - status.tab.spent} digits={9} />;
  const send = () => void transaction.send(phase === "over" ? finishTab(ledger, user, status.line) : closeTab(ledger, status.line));
  return (
    <div className={styles.panel}>
      {phase === "open" && <p>{rest} are in your tab with this head.</p>}
      {phase === "closing" && (
        <p>
          Your tab is closing: {rest} can be taken back from {formatTime(Number(status.tab.closeAt))} on. A new question keeps it open.
        </p>
      )}
      {phase === "over" && <p>Your tab is closed: {rest} are yours to take back.</p>}
      {phase !== "closing" && (
        <Button size="s" kind={phase === "over" ? "primary" : "secondary"} pending={transaction.busy} onClick={send}>
          {phase === "over" ? "Take back the rest" : "Close the tab"}
        </Button>
      )}
      <TransactionStatus state={transaction.state} />
    </div>
  );
}
