// A dropped bundle against everything: offline checks by the user's trust file, the newest settlement, and its place on chain.
import { type Bundle, parseBundle } from "@/shared/client/bundle.ts";
import type { ChainReader } from "@/shared/client/chain.ts";
import type { CheckResult } from "@/shared/client/check-list.ts";
import { GatewayClient } from "@/shared/client/gateway.ts";
import { type Verdict, verdictOf, verifyBundle, verifyOnChain } from "@/shared/client/verify-bundle.ts";
import type { TrustFile } from "@/shared/verify/trust-file.ts";
import { structHash } from "@/shared/verify/typed-data.ts";

export interface JudgedBundle {
  readonly bundle: Bundle; // with the settlement, if the gateway knew it
  readonly checks: readonly CheckResult[];
  readonly verdict: Verdict;
  readonly note: string; // what could not be asked
}

export interface Judges {
  readonly gateway: string;
  readonly trust: TrustFile | null;
  readonly reader: ChainReader | null;
}

/** Throws with words for what is no bundle. */
export async function judgeBundle(bytes: Uint8Array, judges: Judges): Promise<JudgedBundle> {
  const bundle = await withSettlement(parseBundle(bytes), judges.gateway);
  const checks = await verifyBundle(bundle, judges.trust ?? undefined);
  const offline = [...checks.all];
  const note = await onChain(bundle, judges.reader, checks);
  return { bundle, checks: note ? offline : checks.all, verdict: verdictOf(bundle, checks), note };
}

// Only the settlement comes from the gateway; the root that it leads to is compared with the contract's.
async function withSettlement(bundle: Bundle, gateway: string): Promise<Bundle> {
  if (bundle.settlement !== undefined || bundle.receipt.transcript.mode === "strict") return bundle;
  const settlement = await new GatewayClient(gateway)
    .settlement(structHash("Receipt", bundle.receipt.receipt))
    .catch(() => undefined);
  return { ...bundle, settlement };
}

async function onChain(
  bundle: Bundle,
  reader: ChainReader | null,
  checks: Parameters<typeof verifyOnChain>[2],
): Promise<string> {
  if (reader === null) return "Its place on chain was not checked: name an RPC in the settings.";
  if (bundle.settlement === undefined && bundle.receipt.transcript.mode !== "strict") {
    return "Its batch is not mined yet, so its place on chain cannot be checked. Everything else can.";
  }
  try {
    await verifyOnChain(bundle, reader, checks);
    return "";
  } catch (error) {
    return `Its place on chain was not checked: ${error instanceof Error ? error.message : String(error)}`;
  }
}

export function receiptIdOf(bundle: Pick<Bundle, "receipt">): string {
  return structHash("Receipt", bundle.receipt.receipt);
}

/** The question as text, whatever the request's form, and the answers. */
export function conversationOf(bundle: Pick<Bundle, "body" | "outputs">): {
  prompt: string;
  answers: readonly string[];
} {
  return { prompt: promptOf(bundle.body), answers: bundle.outputs };
}

export function promptOf(body: string): string {
  try {
    const json = JSON.parse(body) as { messages?: { role?: unknown; content?: unknown }[]; prompt?: unknown };
    if (Array.isArray(json.messages))
      return json.messages
        .map((message) => `${String(message.role)}: ${textOf(message.content)}`)
        .join("\n\n");
    if (json.prompt !== undefined) return textOf(json.prompt);
  } catch {
    // shown as it is
  }
  return body;
}

function textOf(content: unknown): string {
  if (typeof content === "string") return content;
  if (Array.isArray(content))
    return content
      .map((part) => (typeof part === "string" ? part : String((part as { text?: unknown }).text ?? "")))
      .join("");
  return JSON.stringify(content ?? "");
}
