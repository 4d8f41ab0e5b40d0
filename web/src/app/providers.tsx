// From /config.json to a page that can work: config, demo wallet, then settings, wallets and dialogs.
import { CSPProvider } from "@base-ui/react/csp-provider";
import { QueryClient, QueryClientProvider, useQuery } from "@tanstack/react-query";
import { lazy, type ReactNode, Suspense, useMemo } from "react";
import { WagmiProvider } from "wagmi";
import { makeWagmiConfig } from "@/shared/chain/wagmi.ts";
import { getConfig, type PageConfig } from "@/shared/setup/get-config.ts";
import { SetupProvider, useSetup } from "@/shared/setup/setup.tsx";
import { Button } from "@/shared/ui/button.tsx";
import { Page } from "@/shared/ui/page.tsx";
import { ErrorState } from "@/shared/ui/states.tsx";
import { ToastProvider } from "@/shared/ui/toast.tsx";
import { VaultProvider } from "@/shared/vault/vault-context.tsx";
import { askDemoWallet } from "@/shared/wallet/demo-questions.ts";
import { WalletDialogsProvider } from "@/shared/wallet/wallet-context.tsx";

const DemoWalletDialog = lazy(async () => ({
  default: (await import("@/shared/wallet/demo-wallet-dialog.tsx")).DemoWalletDialog,
}));

const queries = new QueryClient({
  defaultOptions: { queries: { retry: 1, staleTime: 5_000, refetchOnWindowFocus: true } },
});

// The demo wallet must be announced before wallets reconnect. Without it the pages still work.
async function loadConfig(): Promise<PageConfig> {
  const config = await getConfig();
  if (config.demoWallet && config.rpc) {
    const { loadDemoWallet } = await import("@/shared/chain/demo-wallet.ts");
    await loadDemoWallet(config.rpc, askDemoWallet).catch(() => undefined);
  }
  return config;
}

export function Providers({ children }: { children: ReactNode }) {
  return (
    // The content security policy allows no <style> elements: the component library must not make any.
    <CSPProvider disableStyleElements>
      <QueryClientProvider client={queries}>
        <Configured>{children}</Configured>
      </QueryClientProvider>
    </CSPProvider>
  );
}

function Configured({ children }: { children: ReactNode }) {
  const config = useQuery({ queryKey: ["config"], queryFn: loadConfig, staleTime: Number.POSITIVE_INFINITY });
  if (config.isPending) return <div aria-busy="true" />;
  if (config.isError) {
    return (
      <Page title="The page cannot start">
        <ErrorState
          problem={{
            message: "The server of this page does not say where gateway and chain are",
            cause: config.error.message,
            next: "Check that `teetee web` or the gateway runs, then load the page again.",
          }}
          action={<Button onClick={() => void config.refetch()}>Try again</Button>}
        />
      </Page>
    );
  }
  return (
    <SetupProvider config={config.data}>
      <Wallets>
        <ToastProvider>
          <WalletDialogsProvider>
            <VaultProvider>{children}</VaultProvider>
            {config.data.demoWallet && (
              <Suspense>
                <DemoWalletDialog />
              </Suspense>
            )}
          </WalletDialogsProvider>
        </ToastProvider>
      </Wallets>
    </SetupProvider>
  );
}

function Wallets({ children }: { children: ReactNode }) {
  const { chainId, rpc } = useSetup();
  const config = useMemo(() => makeWagmiConfig(chainId, rpc), [chainId, rpc]);
  // A new chain or RPC is a new set of connections.
  return (
    <WagmiProvider config={config} key={`${chainId} ${rpc}`}>
      {children}
    </WagmiProvider>
  );
}
