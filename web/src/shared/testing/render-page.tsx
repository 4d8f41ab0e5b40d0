// For tests of components: a page's surroundings with a given config, and no server.
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { render } from "@testing-library/react";
import type { ReactNode } from "react";
import { MemoryRouter } from "react-router";
import { WagmiProvider } from "wagmi";
import { makeWagmiConfig } from "../chain/wagmi.ts";
import { type PageConfig, readConfig } from "../setup/get-config.ts";
import { SetupProvider } from "../setup/setup.tsx";
import { ToastProvider } from "../ui/toast.tsx";
import { VaultProvider } from "../vault/vault-context.tsx";
import { WalletDialogsProvider } from "../wallet/wallet-context.tsx";

export const MODEL_ID = `0x${"ab".repeat(32)}` as const;
const REGISTRY = `0x${"11".repeat(20)}`;
const LEDGER = `0x${"22".repeat(20)}`;

export const TRUST = {
  class: "simulated",
  chain_id: 31337,
  registry: REGISTRY,
  ledger: LEDGER,
  roots: ["33".repeat(32)],
  measurements: [{ name: "node of this build", mrtd: "44".repeat(48) }],
  models: { "tiny-model": MODEL_ID },
};

export function testConfig(change: object = {}): PageConfig {
  return readConfig({
    v: 1,
    served_by: "web",
    gateway: "",
    rpc: "http://127.0.0.1:1",
    chain_id: 31337,
    registry: REGISTRY,
    ledger: LEDGER,
    from_block: 0,
    trust: TRUST,
    demo_wallet: false,
    ...change,
  });
}

export function renderPage(
  page: ReactNode,
  { config = testConfig(), path = "/" }: { config?: PageConfig; path?: string } = {},
) {
  const queries = new QueryClient({ defaultOptions: { queries: { retry: false } } });
  return render(
    <MemoryRouter initialEntries={[path]}>
      <QueryClientProvider client={queries}>
        <SetupProvider config={config}>
          <WagmiProvider config={makeWagmiConfig(config.chainId, config.rpc)} reconnectOnMount={false}>
            <ToastProvider>
              <WalletDialogsProvider>
                <VaultProvider>{page}</VaultProvider>
              </WalletDialogsProvider>
            </ToastProvider>
          </WagmiProvider>
        </SetupProvider>
      </QueryClientProvider>
    </MemoryRouter>,
  );
}

// Answers of a server by path; what is not named is a 404.
export function answering(answers: Readonly<Record<string, unknown>>): typeof fetch {
  return async (input) => {
    const { pathname } = new URL(String(input), "http://127.0.0.1:1");
    const answer = answers[pathname];
    if (answer === undefined)
      return new Response('{"error":{"message":"there is no such thing"}}', { status: 404 });
    return new Response(JSON.stringify(answer), { headers: { "content-type": "application/json" } });
  };
}
