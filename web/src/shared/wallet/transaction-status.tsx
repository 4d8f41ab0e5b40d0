// Where a transaction is, in words; nothing while it is idle.
import { LoaderCircle } from "lucide-react";
import type { ReactNode } from "react";
import { useSwitchChain } from "wagmi";
import type { TransactionState } from "../chain/use-transaction.ts";
import { useSetup } from "../setup/setup.tsx";
import { Button } from "../ui/button.tsx";
import { Hash } from "../ui/hash.tsx";
import { ErrorState } from "../ui/states.tsx";
import styles from "./wallet.module.css";

const WORDS = {
  checking: "Trying it against the chain, without sending…",
  asking: "Your wallet asks you. Look there.",
  sent: "Sent. Waiting for the chain to take it…",
} as const;

export interface TransactionStatusProps {
  state: TransactionState;
  // What to say once it is mined.
  done?: ReactNode;
}

export function TransactionStatus({ state, done }: TransactionStatusProps) {
  if (state.step === "idle") return null;
  if (state.step === "failed") return <Failed state={state} />;
  if (state.step === "mined") {
    return (
      <p className={styles.done} role="status">
        {done ?? `${state.does}: done.`} Transaction <Hash value={state.hash} label="transaction hash" />
      </p>
    );
  }
  return (
    <p className={styles.progress} role="status">
      <LoaderCircle aria-hidden className={styles.turning} />
      <span>{WORDS[state.step]}</span>
      {state.step === "sent" && <Hash value={state.hash} label="transaction hash" />}
    </p>
  );
}

function Failed({ state }: { state: Extract<TransactionState, { step: "failed" }> }) {
  const { chainId } = useSetup();
  const change = useSwitchChain();
  const { problem } = state;
  return (
    <ErrorState
      problem={problem}
      kind={problem.kind === "refused" ? "refused" : "failed"}
      action={
        problem.kind === "wrong-chain" ? (
          <Button size="s" pending={change.isPending} onClick={() => change.mutate({ chainId })}>
            Switch the wallet
          </Button>
        ) : state.hash ? (
          <Hash value={state.hash} label="transaction hash" />
        ) : undefined
      }
    />
  );
}
