// The wallet library, for the one chain of the page. Wallets are found by EIP-6963; nothing is fetched from elsewhere.
import { type Chain, defineChain } from "viem";
import { createConfig, http, injected, unstable_connector } from "wagmi";

export const DEVELOPMENT_CHAIN = 31337;

export function chainOf(id: number, rpc: string | null): Chain {
  return defineChain({
    id,
    name: id === DEVELOPMENT_CHAIN ? "Development chain" : `Chain ${id}`,
    nativeCurrency: { name: "Ether", symbol: "ETH", decimals: 18 },
    rpcUrls: { default: { http: rpc ? [rpc] : [] } },
    testnet: id === DEVELOPMENT_CHAIN,
  });
}

// Without an RPC of its own the page reads through the wallet.
export function makeWagmiConfig(chainId: number, rpc: string | null) {
  const chain = chainOf(chainId, rpc);
  const transport = rpc ? http(rpc, { retryCount: 1, timeout: 20_000 }) : unstable_connector(injected, { retryCount: 0 });
  return createConfig({
    chains: [chain],
    transports: { [chainId]: transport },
    multiInjectedProviderDiscovery: true,
    pollingInterval: chainId === DEVELOPMENT_CHAIN ? 1_000 : 4_000,
  });
}
