// For tests of pages with a wallet: one route with everything around it, a gateway that answers from a table, and a chain that answers from a function.
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { configure, render } from "@testing-library/react";
import { MemoryRouter, Route, Routes } from "react-router";
import { type Address, custom } from "viem";
import { vi } from "vitest";
import { createConfig, WagmiProvider } from "wagmi";
import { mock } from "wagmi/connectors";
import { chainOf } from "../chain/wagmi.ts";
import type { PageConfig } from "../setup/get-config.ts";
import { SetupProvider } from "../setup/setup.tsx";
import { VaultProvider } from "../vault/vault-context.tsx";
import { WalletDialogsProvider } from "../wallet/wallet-context.tsx";

// A busy machine is no failure.
configure({ asyncUtilTimeout: 15_000 });

type Answer = unknown | ((url: URL, init: RequestInit | undefined) => Response | Promise<Response>);
export type Answers = Readonly<Record<string, Answer>>;
export type Rpc = (method: string, params: readonly unknown[]) => unknown;

export interface Surroundings {
  path: string;
  // Pattern of the route, as in app/routes.tsx.
  route: string;
  page: React.ReactNode;
  // By path of the gateway; what is missing gets 404.
  answers?: Answers;
  rpc?: Rpc;
  wallet?: Address;
  trust?: boolean;
  image?: string;
}

export const testRegistry: Address = `0x${"a1".repeat(20)}`;
export const testLedger: Address = `0x${"b1".repeat(20)}`;

export const testTrust = JSON.stringify({
  class: "simulated",
  chain_id: 31337,
  registry: testRegistry,
  ledger: testLedger,
  roots: ["f1".repeat(32)],
  measurements: [{ name: "dev", mrtd: "ab".repeat(48) }],
  models: {},
});

function config(image: string | undefined, trust: boolean): PageConfig {
  return {
    servedBy: "web",
    gateway: "http://gateway.test",
    rpc: "http://rpc.test",
    chainId: 31337,
    registry: testRegistry,
    ledger: testLedger,
    fromBlock: 0n,
    trustText: trust ? testTrust : null,
    demoWallet: false,
    image: image ?? null,
    auditor: true,
  };
}

async function answer(
  answers: Answers,
  input: string | URL | Request,
  init: RequestInit | undefined,
): Promise<Response> {
  const url = new URL(input instanceof Request ? input.url : input);
  const found = answers[url.pathname];
  if (typeof found === "function")
    return (found as (url: URL, init: RequestInit | undefined) => Response)(url, init);
  if (found === undefined) return Response.json({ error: { message: "no such path" } }, { status: 404 });
  return Response.json(found);
}

const quietChain: Rpc = (method) => {
  if (method === "eth_chainId") return "0x7a69";
  if (method === "eth_blockNumber") return "0x10";
  if (method === "eth_getLogs") return [];
  if (method === "eth_call") return `0x${"00".repeat(32 * 8)}`;
  if (method === "eth_getBalance") return "0x0";
  throw new Error(`no ${method}`);
};

function wagmi(rpc: Rpc, wallet: Address | undefined) {
  const chain = chainOf(31337, "http://rpc.test");
  const transport = custom({ request: async ({ method, params }) => rpc(method, params ?? []) });
  const connectors = wallet
    ? [mock({ accounts: [wallet], features: { defaultConnected: true, reconnect: true } })]
    : [];
  return createConfig({
    chains: [chain],
    connectors,
    transports: { 31337: transport },
    multiInjectedProviderDiscovery: false,
  });
}

export function renderRoute(all: Surroundings) {
  const { answers = {}, rpc = quietChain, wallet, trust = true } = all;
  vi.stubGlobal("fetch", (input: string | URL | Request, init?: RequestInit) => answer(answers, input, init));
  const queries = new QueryClient({ defaultOptions: { queries: { retry: false } } });
  return render(
    <QueryClientProvider client={queries}>
      <SetupProvider config={config(all.image, trust)}>
        <WagmiProvider config={wagmi(rpc, wallet)} reconnectOnMount={wallet !== undefined}>
          <WalletDialogsProvider>
            <VaultProvider>
              <MemoryRouter initialEntries={[all.path]}>
                <Routes>
                  <Route path={all.route} element={all.page} />
                  <Route path="*" element={<p>another page</p>} />
                </Routes>
              </MemoryRouter>
            </VaultProvider>
          </WalletDialogsProvider>
        </WagmiProvider>
      </SetupProvider>
    </QueryClientProvider>,
  );
}
