// A question that was paid for on chain and not answered: when the money can come back, and the button for it.
import { useEffect, useState } from "react";
import { type Query, refundQuery } from "@/shared/chain/calls.ts";
import { useQueryRecord } from "@/shared/chain/reads.ts";
import { useTransaction } from "@/shared/chain/use-transaction.ts";
import { formatDuration } from "@/shared/lib/format.ts";
import { useSetup } from "@/shared/setup/setup.tsx";
import { Amount } from "@/shared/ui/amount.tsx";
import { Button } from "@/shared/ui/button.tsx";
import { TransactionStatus } from "@/shared/wallet/transaction-status.tsx";
import type { OpenQuery } from "../model/conversation.ts";
import styles from "./refund.module.css";

// The Ledger's `record` of a query.
const OPEN = 1n;
const REFUNDED = 2n;

export type RefundState = "unknown" | "waiting" | "ready" | "refunded" | "settled";

export function refundState(record: bigint | undefined, deadline: bigint, now: bigint): RefundState {
  if (record === undefined || record === 0n) return "unknown";
  if (record === REFUNDED) return "refunded";
  if (record !== OPEN) return "settled";
  return now > deadline ? "ready" : "waiting";
}

export function callQuery(query: OpenQuery): Query {
  const { user, model, head, input } = query as unknown as Pick<Query, "user" | "model" | "head" | "input">;
  return { user, model, head, input, maxCost: BigInt(query.maxCost), deadline: BigInt(query.deadline), nonce: BigInt(query.nonce) };
}

function useNow(): bigint {
  const [now, setNow] = useState(() => Math.floor(Date.now() / 1000));
  useEffect(() => {
    const timer = setInterval(() => setNow(Math.floor(Date.now() / 1000)), 1000);
    return () => clearInterval(timer);
  }, []);
  return BigInt(now);
}

export function Refund({ query }: { query: OpenQuery }) {
  const { ledger } = useSetup();
  const record = useQueryRecord(query.id as `0x${string}`);
  const transaction = useTransaction();
  const now = useNow();
  const deadline = BigInt(query.deadline);
  const state = refundState(record.data === undefined ? undefined : BigInt(record.data), deadline, now);
  const amount = <Amount wei={BigInt(query.maxCost)} digits={9} />;
  return (
    <div className={styles.refund}>
      {state === "unknown" && <p>{record.isError ? "The chain does not answer, so the state of your payment is not known now. It is safe there." : "Looking for your payment on chain…"}</p>}
      {state === "settled" && <p>This question was settled on chain; what it did not use came back to your credits.</p>}
      {state === "refunded" && <p>Refunded: {amount} are back in your credits.</p>}
      {state === "waiting" && (
        <p>
          {amount} stand on chain for this question. If it is not answered, you can take them back in {formatDuration(Number(deadline - now))}.
        </p>
      )}
      {state === "ready" && (
        <>
          <p>{amount} stand on chain for this question, and its time is over.</p>
          <Button kind="primary" size="s" pending={transaction.busy} onClick={() => void transaction.send(refundQuery(ledger, callQuery(query)))}>
            Get a refund
          </Button>
        </>
      )}
      <TransactionStatus state={transaction.state} done="Refunded." />
    </div>
  );
}
