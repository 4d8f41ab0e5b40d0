// Asks with the connected wallet. The wallet's steps are told to the reply that waits for them.
import { useQueryClient } from "@tanstack/react-query";
import { useMemo } from "react";
import { useConfig } from "wagmi";
import { chainWriter } from "@/shared/chain/client-chain.ts";
import type { TransactionState } from "@/shared/chain/use-transaction.ts";
import { ask, type PayWith, resumeAsk } from "@/shared/client/ask.ts";
import { ClientError } from "@/shared/client/client-error.ts";
import { readBody } from "@/shared/client/estimate.ts";
import type { Funding, Tabs } from "@/shared/client/tabs.ts";
import { useVault } from "@/shared/vault/vault-context.tsx";
import type { Vault } from "@/shared/vault/vault.ts";
import { findModel } from "@/shared/verify/trust-file.ts";
import type { Engine } from "./model/chat-store.ts";
import type { PayMode } from "./model/conversation.ts";
import { hostAccess } from "./model/host-access.ts";
import { type Client, useClient, useTabs } from "./use-client.ts";

export type ConfirmFunding = (funding: Funding) => Promise<boolean>;

export function walletStep(state: TransactionState): string | null {
  switch (state.step) {
    case "checking":
      return `${state.does}: trying it against the chain…`;
    case "asking":
      return `${state.does}: your wallet asks you. Look there.`;
    case "sent":
      return `${state.does}: waiting for the chain…`;
    case "mined":
      return `${state.does}: done.`;
    default:
      return null;
  }
}

interface Parts {
  readonly client: Client;
  readonly tabs: Tabs;
  readonly vault: Vault;
  readonly confirm: ConfirmFunding;
}

type Writer = ReturnType<typeof chainWriter>;

async function payWith(parts: Parts, mode: PayMode, body: string, writer: Writer): Promise<PayWith> {
  const { client, tabs, vault, confirm } = parts;
  if (mode === "tab") return { kind: "tab", tabs, writer, confirm };
  if (mode === "strict") return { kind: "strict", contracts: client.contracts, writer };
  const { model: name } = readBody(body);
  const model = findModel(client.trust, name);
  if (!model) throw new ClientError("invalid", "the trust file names no such model");
  return hostAccess(vault, writer, model.id, BigInt(Math.floor(Date.now() / 1000)));
}

export function useEngine(confirm: ConfirmFunding): Engine | null {
  const client = useClient();
  const tabs = useTabs(client);
  const { vault } = useVault();
  const config = useConfig();
  const queries = useQueryClient();
  return useMemo(() => {
    if (!client || !tabs || !vault) return null;
    return {
      ask: async (body, mode, step) => {
        const report = (state: TransactionState) => {
          const text = walletStep(state);
          if (text) step(text);
          if (state.step === "mined") void queries.invalidateQueries();
        };
        const writer = chainWriter(config, client.trust.ledger, report);
        const pay = await payWith({ client, tabs, vault, confirm }, mode, body, writer);
        return ask(client.routes, { path: "/v1/chat/completions", body, pay });
      },
      resume: (pending) => resumeAsk({ gateway: client.gateway, trust: client.trust, tabs }, pending),
    };
  }, [client, tabs, vault, config, confirm, queries]);
}
