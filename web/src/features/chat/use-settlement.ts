// Looks for the receipts that are not on chain yet, and checks there that they are. The gateway only says where to look.
import { useQuery } from "@tanstack/react-query";
import { parseBundle, bundleText } from "@/shared/client/bundle.ts";
import { CheckList } from "@/shared/client/check-list.ts";
import { verifyOnChain } from "@/shared/client/verify-bundle.ts";
import type { Vault } from "@/shared/vault/vault.ts";
import { type Hash, parseHash } from "@/shared/verify/bytes.ts";
import type { ChatStore } from "./model/chat-store.ts";
import type { Conversation, Proof, Reply, Settled } from "./model/conversation.ts";
import type { Client } from "./use-client.ts";

const EVERY_MS = 4_000;
const AT_ONCE = 5;

export function unsettled(conversation: Conversation | undefined): { reply: Reply; proof: Proof }[] {
  const found = (conversation?.messages ?? []).flatMap((message) =>
    message.role === "assistant" && message.proof && !message.proof.settled ? [{ reply: message, proof: message.proof }] : [],
  );
  return found.slice(-AT_ONCE);
}

async function findOnChain(client: Client, vault: Vault, proof: Proof): Promise<Settled | null> {
  const text = await vault.get("bundle", proof.receipt);
  if (text === undefined) return null;
  const chain = client.routes.sources.chain;
  if (!chain) return null;
  const receipt: Hash = parseHash(proof.receipt);
  const bundle = parseBundle(text);
  const settlement = proof.mode === "strict" ? undefined : await client.gateway.settlement(receipt);
  if (proof.mode !== "strict" && settlement === undefined) return null;
  const whole = { ...bundle, settlement };
  const checks = new CheckList();
  await verifyOnChain(whole, chain, checks);
  if (!checks.passed) return null;
  if (settlement) await vault.put("bundle", proof.receipt, bundleText(whole));
  return { tx: settlement?.tx ?? "", seq: settlement?.seq.toString() ?? "" };
}

export function useSettlement(client: Client | null, vault: Vault | null, store: ChatStore | null, conversation: Conversation | undefined): void {
  const waiting = unsettled(conversation);
  useQuery({
    queryKey: ["settlement", conversation?.id, waiting.map(({ proof }) => proof.receipt)],
    enabled: client !== null && vault !== null && store !== null && waiting.length > 0,
    refetchInterval: EVERY_MS,
    retry: false,
    queryFn: async () => {
      if (!client || !vault || !store || !conversation) return 0;
      let found = 0;
      for (const { reply, proof } of waiting) {
        const settled = await findOnChain(client, vault, proof).catch(() => null);
        if (!settled) continue;
        found += 1;
        store.note(conversation.id, reply.id, (one) => (one.proof ? { ...one, proof: { ...one.proof, settled } } : one));
      }
      return found;
    },
  });
}
