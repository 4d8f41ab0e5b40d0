// Money: earned, still to be collected, withdrawable; collecting and withdrawing. All of it from the chain.
import { useState } from "react";
import type { Hash } from "viem";
import { collect } from "@/shared/chain/calls.ts";
import { useCredits } from "@/shared/chain/reads.ts";
import { useTransaction } from "@/shared/chain/use-transaction.ts";
import {
  earningsOverTime,
  type HostEarnings,
  paceWeiPerDay,
  type Range,
} from "@/shared/earnings/earnings.ts";
import { GatewayState } from "@/shared/gateway/gateway-state.tsx";
import type { ListedNode } from "@/shared/gateway/get-nodes.ts";
import { formatEth } from "@/shared/lib/amount.ts";
import { formatCount } from "@/shared/lib/format.ts";
import { useNow } from "@/shared/lib/use-now.ts";
import { useSetup } from "@/shared/setup/setup.tsx";
import { Amount } from "@/shared/ui/amount.tsx";
import { Badge } from "@/shared/ui/badge.tsx";
import { Button } from "@/shared/ui/button.tsx";
import { Card } from "@/shared/ui/card.tsx";
import { Chart } from "@/shared/ui/chart.tsx";
import { Stat } from "@/shared/ui/facts.tsx";
import { TransactionStatus } from "@/shared/wallet/transaction-status.tsx";
import { WithdrawDialog } from "@/shared/wallet/withdraw-dialog.tsx";
import { timeLabel } from "../lib/usage.ts";
import { type Earned, useHostEarnings } from "../use-host-earnings.ts";
import styles from "./dashboard.module.css";

export interface EarningsCardProps {
  host: `0x${string}`;
  nodes: readonly ListedNode[];
  range: Range;
}

export function EarningsCard({ host, nodes, range }: EarningsCardProps) {
  const earned = useHostEarnings(
    host,
    nodes.map((node) => node.key),
  );
  return (
    <Card
      title="Earnings"
      actions={<Badge title="Events and balances of the Ledger, through your RPC">from the chain</Badge>}
    >
      <GatewayState query={earned} height={18}>
        {(data) => <Money earned={data} range={range} />}
      </GatewayState>
    </Card>
  );
}

function Money({ earned, range }: { earned: Earned; range: Range }) {
  const now = useNow(10_000);
  const credits = useCredits();
  const pace = paceWeiPerDay(earned.events, now);
  const steps = earningsOverTime(earned.events, range, now);
  const none = steps.every((step) => step.amount === 0n);
  const points = steps.map((step) => ({ x: step.to, y: none ? null : Number(step.amount) / 1e9 }));
  const { sums } = earned;
  return (
    <>
      <div className={styles.stats}>
        <Stat
          name="Earned in all"
          note={pace === null ? "nothing in the last 7 days" : `about ${formatEth(pace)} ETH a day lately`}
        >
          <Amount wei={sums.earned} />
        </Stat>
        <Stat name="To be collected" note="earned by your nodes, still with the contract">
          <Amount wei={sums.pot} />
        </Stat>
        <Stat name="Your balance" note="collected earnings and credits; withdrawable">
          {credits.data === undefined ? "…" : <Amount wei={credits.data} />}
        </Stat>
        <Stat name="Withdrawn" note="paid out to wallets">
          <Amount wei={sums.withdrawn} />
        </Stat>
      </div>
      <Chart
        title="Earned, in gwei (a billionth of an ETH)"
        kind="bar"
        points={points}
        formatValue={shortNumber}
        formatX={(t) => timeLabel(t, range)}
      />
      <PayOut sums={sums} balance={credits.data ?? 0n} />
    </>
  );
}

// "0.034", "34", "1.2 M"
function shortNumber(value: number): string {
  return value >= 100 ? formatCount(value) : String(Number(value.toPrecision(2)));
}

function PayOut({ sums, balance }: { sums: HostEarnings; balance: bigint }) {
  const { ledger } = useSetup();
  const { state, busy, send } = useTransaction();
  const [withdrawing, setWithdrawing] = useState(false);
  const pots = sums.keys.flatMap((key) =>
    key.lines.map((line) => ({ key: key.key, line: line.line, pot: line.pot })),
  );
  // One transaction for each node and line that has something; the first refusal ends it.
  const collectAll = async () => {
    for (const { key, line } of pots) {
      const end = await send(collect(ledger, line as Hash, key as `0x${string}`));
      if (end.step !== "mined") return;
    }
  };
  return (
    <>
      <div className={styles.buttons}>
        <Button kind="primary" onClick={() => void collectAll()} pending={busy} disabled={pots.length === 0}>
          Collect{pots.length > 1 ? ` (${pots.length} transactions)` : ""}
        </Button>
        <Button onClick={() => setWithdrawing(true)} disabled={balance === 0n}>
          Withdraw
        </Button>
        {pots.length === 0 && (
          <span className={styles.quiet}>
            Nothing to collect now: earnings come with each batch that is mined.
          </span>
        )}
      </div>
      <TransactionStatus state={state} done="Collected: it is on your balance." />
      <WithdrawDialog open={withdrawing} onClose={() => setWithdrawing(false)} />
    </>
  );
}
