// The client core with this page's gateway, trust file, chain and wallet.
import { useMemo } from "react";
import { useConfig, useConnection } from "wagmi";
import { chainReader, messageSigner } from "@/shared/chain/client-chain.ts";
import { Contracts } from "@/shared/client/chain.ts";
import { GatewayClient } from "@/shared/client/gateway.ts";
import { RouteCache } from "@/shared/client/route-cache.ts";
import { Tabs } from "@/shared/client/tabs.ts";
import { useSetup } from "@/shared/setup/setup.tsx";
import { useVault } from "@/shared/vault/vault-context.tsx";
import type { Address, Hash } from "@/shared/verify/bytes.ts";
import type { TrustFile } from "@/shared/verify/trust-file.ts";
import { sessionKey } from "./model/session-key.ts";
import { VaultTabStore } from "./model/tab-store.ts";

export interface Client {
  readonly trust: TrustFile;
  readonly gateway: GatewayClient;
  readonly contracts: Contracts;
  readonly routes: RouteCache;
}

// Null without a trust file: nothing may be sent then.
export function useClient(): Client | null {
  const { trust, gateway: url } = useSetup();
  const config = useConfig();
  return useMemo(() => {
    if (!trust) return null;
    const chain = chainReader(config);
    const gateway = new GatewayClient(url);
    return { trust, gateway, contracts: new Contracts(chain, trust), routes: new RouteCache({ gateway, trust, chain }) };
  }, [trust, url, config]);
}

// Null until a wallet is connected and its vault open.
export function useTabs(client: Client | null): Tabs | null {
  const { vault } = useVault();
  const { address } = useConnection();
  const config = useConfig();
  return useMemo(() => {
    if (!client || !vault || !address) return null;
    const { trust, contracts } = client;
    const user = address.toLowerCase() as Address;
    const scope = { origin: location.origin, user, ledger: trust.ledger, chainId: trust.chainId };
    const key = (line: Hash) => sessionKey(vault, messageSigner(config), scope, line);
    return new Tabs({ trust, contracts, user, store: new VaultTabStore(vault), sessionKey: key });
  }, [client, vault, address, config]);
}
