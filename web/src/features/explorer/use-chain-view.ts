// What receipt proofs ask the chain, through the user's own RPC.
import { useMemo } from "react";
import type { Hash } from "viem";
import { usePublicClient } from "wagmi";
import { ledgerAbi, registryAbi } from "@/shared/chain/abi.ts";
import { useSetup } from "@/shared/setup/setup.tsx";
import type { ChainView } from "./lib/receipt-proof.ts";

export function useChainView(): ChainView | null {
  const { ledger, registry, chainId } = useSetup();
  const client = usePublicClient({ chainId });
  return useMemo(() => {
    if (!client) return null;
    return {
      batchRoot: (line, seq) =>
        client.readContract({
          address: ledger,
          abi: ledgerAbi,
          functionName: "batchRoot",
          args: [line, seq],
        }),
      record: (query) =>
        client.readContract({ address: ledger, abi: ledgerAbi, functionName: "record", args: [query] }),
      terms: async (model) => {
        const [priceIn, priceOut] = await client.readContract({
          address: registry,
          abi: registryAbi,
          functionName: "terms",
          args: [model as Hash],
        });
        return { priceIn, priceOut };
      },
    };
  }, [client, ledger, registry]);
}
