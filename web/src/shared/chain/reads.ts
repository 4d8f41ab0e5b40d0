// What the pages read from the chain, with the state of each reading.
import { useEffect } from "react";
import type { Address, Hash } from "viem";
import { useBalance, useBlockNumber, useConnection, useReadContract } from "wagmi";
import { useQueryClient } from "@tanstack/react-query";
import { useSetup } from "../setup/setup.tsx";
import { ledgerAbi, registryAbi } from "./abi.ts";

const FRESH = { staleTime: 2_000, refetchInterval: 4_000, retry: 1 } as const;

// Credits of an account (by default the connected one): `balanceOf` in the Ledger, in wei.
export function useCredits(owner?: Address) {
  const { ledger, chainId } = useSetup();
  const { address } = useConnection();
  const who = owner ?? address;
  return useReadContract({
    abi: ledgerAbi,
    address: ledger,
    chainId,
    functionName: "balanceOf",
    args: who ? [who] : undefined,
    query: { enabled: who !== undefined, ...FRESH },
  } as const);
}

// ETH in the wallet itself.
export function useWalletEth() {
  const { chainId } = useSetup();
  const { address } = useConnection();
  const enabled = address !== undefined;
  return useBalance({ ...(address ? { address } : {}), chainId, query: { enabled, ...FRESH } });
}

export interface Tab {
  readonly funded: bigint;
  readonly spent: bigint;
  readonly signer: Address;
  readonly epoch: number;
  readonly closeAt: number;
}

function toTab([funded, spent, signer, epoch, closeAt]: readonly [bigint, bigint, Address, number, number]): Tab {
  return { funded, spent, signer, epoch, closeAt };
}

export function useTab(line: Hash | undefined, owner?: Address) {
  const { ledger, chainId } = useSetup();
  const { address } = useConnection();
  const who = owner ?? address;
  return useReadContract({
    abi: ledgerAbi,
    address: ledger,
    chainId,
    functionName: "tab",
    args: who && line ? [who, line] : undefined,
    query: {
      enabled: who !== undefined && line !== undefined,
      ...FRESH,
      select: toTab,
    },
  } as const);
}

// 0: unknown, 1: open, 2: refunded, else the receipt's hash.
export function useQueryRecord(query: Hash | undefined) {
  const { ledger, chainId } = useSetup();
  return useReadContract({
    abi: ledgerAbi,
    address: ledger,
    chainId,
    functionName: "record",
    args: query ? [query] : undefined,
    query: { enabled: query !== undefined, ...FRESH },
  } as const);
}

// Until when the account uses the family of this model for free, in unix seconds; 0: not a host of it.
export function useHostUntil(model: Hash | undefined) {
  const { registry, chainId } = useSetup();
  const { address } = useConnection();
  return useReadContract({
    abi: registryAbi,
    address: registry,
    chainId,
    functionName: "hostUntil",
    args: model && address ? [model, address] : undefined,
    query: { enabled: model !== undefined && address !== undefined, ...FRESH },
  } as const);
}

// Calls `then` on each new block.
export function useEachBlock(then: () => void): void {
  const { chainId } = useSetup();
  const { data: block } = useBlockNumber({ watch: true, chainId });
  // biome-ignore lint/correctness/useExhaustiveDependencies: only a new block is a reason
  useEffect(() => {
    if (block !== undefined) then();
  }, [block]);
}

// Reads everything again, now.
export function useReadAgain(): () => Promise<void> {
  const queries = useQueryClient();
  return () => queries.invalidateQueries();
}
