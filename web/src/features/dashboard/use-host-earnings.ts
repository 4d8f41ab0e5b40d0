// What a host earned, from the chain through the user's own RPC; no gateway is asked.
import { useQuery } from "@tanstack/react-query";
import type { Address } from "viem";
import { usePublicClient } from "wagmi";
import { type EarnedEvent, type HostEarnings, hostEarnings } from "@/shared/earnings/earnings.ts";
import { getCollected, getEarned, getWithdrawn } from "@/shared/earnings/get-ledger-events.ts";
import { useSetup } from "@/shared/setup/setup.tsx";

export interface Earned {
  readonly events: readonly EarnedEvent[];
  readonly sums: HostEarnings;
}

export function useHostEarnings(host: Address, keys: readonly Address[]) {
  const { ledger, config, chainId } = useSetup();
  const client = usePublicClient({ chainId });
  const sorted = keys.toSorted();
  return useQuery({
    queryKey: ["chain", "host-earnings", ledger, host, sorted],
    queryFn: async (): Promise<Earned> => {
      if (!client) throw new Error("no RPC");
      const query = { client, ledger, fromBlock: config.fromBlock };
      const [earned, collected, withdrawn] = await Promise.all([
        getEarned(query, sorted),
        getCollected(query, sorted),
        getWithdrawn(query, host),
      ]);
      return { events: earned, sums: hostEarnings(sorted, earned, collected, withdrawn) };
    },
    enabled: client !== undefined,
    refetchInterval: 4_000,
  });
}
