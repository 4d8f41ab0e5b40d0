// One transaction from click to mined, with every way it can end. The page shows `state`; `send` never throws.
import { useCallback, useState } from "react";
import type { Hash, TransactionReceipt } from "viem";
import { waitForTransactionReceipt } from "viem/actions";
import { type Config, useConfig } from "wagmi";
import { getConnection, simulateContract, switchChain, writeContract } from "wagmi/actions";
import { useQueryClient } from "@tanstack/react-query";
import type { Call } from "./calls.ts";
import { type ChainProblem, minedReverted, noWallet, problemOf } from "./problem.ts";

export type TransactionState =
  | { readonly step: "idle" }
  // Tried against the chain without sending.
  | { readonly step: "checking"; readonly does: string }
  // The wallet asks its owner.
  | { readonly step: "asking"; readonly does: string }
  | { readonly step: "sent"; readonly does: string; readonly hash: Hash }
  | { readonly step: "mined"; readonly does: string; readonly hash: Hash; readonly receipt: TransactionReceipt }
  | { readonly step: "failed"; readonly does: string; readonly problem: ChainProblem; readonly hash?: Hash };

export interface Transaction {
  readonly state: TransactionState;
  readonly busy: boolean;
  readonly send: (call: Call) => Promise<TransactionState>;
  readonly reset: () => void;
}

type Report = (state: TransactionState) => void;

// Sends a call and reports each step; answers the last state.
export async function sendCall(config: Config, call: Call, report: Report): Promise<TransactionState> {
  let hash: Hash | undefined;
  const say = (state: TransactionState) => {
    report(state);
    return state;
  };
  const { does } = call;
  try {
    const connection = getConnection(config);
    const chain = config.chains[0];
    if (!connection.address) return say({ step: "failed", does, problem: noWallet() });
    say({ step: "checking", does });
    if (connection.chainId !== chain.id) await switchChain(config, { chainId: chain.id });
    const { does: _, ...request } = call;
    await simulateContract(config, { ...request, account: connection.address, chainId: chain.id } as never);
    say({ step: "asking", does });
    hash = await writeContract(config, { ...request, account: connection.address, chainId: chain.id } as never);
    say({ step: "sent", does, hash });
    // viem's own: wagmi's throws for a reverted one, with a text that is no reason.
    const receipt = await waitForTransactionReceipt(config.getClient({ chainId: chain.id }), { hash, timeout: 180_000 });
    if (receipt.status !== "success") return say({ step: "failed", does, hash, problem: minedReverted() });
    return say({ step: "mined", does, hash, receipt });
  } catch (error) {
    return say({ step: "failed", does, problem: problemOf(error), ...(hash ? { hash } : {}) });
  }
}

export function useTransaction(): Transaction {
  const config = useConfig();
  const queries = useQueryClient();
  const [state, setState] = useState<TransactionState>({ step: "idle" });
  const send = useCallback(
    async (call: Call) => {
      const end = await sendCall(config, call, setState);
      // Balances, tabs and lists may have changed.
      if (end.step === "mined") await queries.invalidateQueries();
      return end;
    },
    [config, queries],
  );
  const reset = useCallback(() => setState({ step: "idle" }), []);
  const busy = state.step === "checking" || state.step === "asking" || state.step === "sent";
  return { state, busy, send, reset };
}
