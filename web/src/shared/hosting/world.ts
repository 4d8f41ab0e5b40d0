// What hosting needs of the surroundings: the gateway that relays, the user's RPC, and what the user believes.
import { useMemo } from "react";
import type { Address, PublicClient } from "viem";
import { usePublicClient } from "wagmi";
import { useSetup } from "../setup/setup.tsx";
import type { TrustFile } from "../verify/trust-file.ts";

export interface World {
  readonly gateway: string;
  readonly client: PublicClient;
  readonly registry: Address;
  readonly trust: TrustFile;
}

/** null without a trust file or a way to the chain: then nothing can be checked. */
export function useWorld(): World | null {
  const { gateway, registry, trust, chainId } = useSetup();
  const client = usePublicClient({ chainId });
  return useMemo(
    () => (client && trust ? { gateway, client, registry, trust } : null),
    [gateway, client, registry, trust],
  );
}
