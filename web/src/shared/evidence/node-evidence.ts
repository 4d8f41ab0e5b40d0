// What a node shows about itself (GET /v1/teetee/evidence, docs/formats/http-api.md), and the verdict of the verifier on it. Whoever
// carried the answer is believed for nothing: what counts is inside the quote.
import * as v from "valibot";
import { fromBase64, toHex } from "../verify/bytes";
import { type CheckId, checkIds } from "../verify/checks";
import { decodeEvidence } from "../verify/claims";
import { checkClaimsAge, type VerifiedPeer, verifyEvidence } from "../verify/peer";
import type { TrustFile } from "../verify/trust-file";
import { decodeQuote, type QuoteFacts } from "./quote-facts";

const schema = v.object({
  key: v.pipe(v.string(), v.regex(/^0x[0-9a-f]{40}$/)),
  slot: v.pipe(v.number(), v.integer(), v.minValue(0)),
  model: v.pipe(v.string(), v.regex(/^0x[0-9a-f]{64}$/)),
  host: v.pipe(v.string(), v.regex(/^0x[0-9a-f]{40}$/)),
  channel: v.string(),
  kind: v.string(),
  evidence: v.pipe(v.string(), v.maxLength(96 * 1024)),
  collateral: v.record(v.string(), v.unknown()),
});

export interface NodeEvidence {
  readonly key: string;
  readonly slot: number;
  readonly model: string;
  readonly host: string;
  readonly channel: string;
  readonly kind: string;
  readonly evidence: Uint8Array;
  readonly collateral: Uint8Array;
}

export function parseNodeEvidence(value: unknown): NodeEvidence {
  const found = v.parse(schema, value);
  return { ...found, evidence: fromBase64(found.evidence), collateral: collateralBytes(found.collateral) };
}

/** The signed documents are strings inside, so that writing the container anew changes none of their bytes. */
export function collateralBytes(collateral: Readonly<Record<string, unknown>>): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(collateral));
}

export type EvidenceJudgement =
  | { readonly ok: true; readonly peer: VerifiedPeer }
  | { readonly ok: false; readonly check: CheckId | string; readonly reason: string };

/** Everything that holds of a node whoever asks; model, slot, host and weights are the caller's questions. */
export async function judgeNodeEvidence(
  shown: Pick<NodeEvidence, "evidence" | "collateral">,
  trust: TrustFile,
  now: number,
): Promise<EvidenceJudgement> {
  const result = await verifyEvidence(shown.evidence, shown.collateral, trust, now);
  if (!result.ok) return refusalOf(result.refusal);
  const age = checkClaimsAge(result.value.claims, now);
  return age.ok ? { ok: true, peer: result.value } : refusalOf(age.refusal);
}

function refusalOf(refusal: { check: CheckId; found: string }): EvidenceJudgement {
  return { ok: false, check: refusal.check, reason: `check ${refusal.check}: ${refusal.found}` };
}

/** Fields of evidence that may be refused; null where there is no quote to decode. */
export function decodeShownQuote(evidence: Uint8Array): { facts: QuoteFacts[]; quote: Uint8Array } | null {
  try {
    const { quote } = decodeEvidence(evidence);
    return { facts: decodeQuote(quote), quote };
  } catch {
    return null;
  }
}

export function isKnownCheck(id: string): boolean {
  return checkIds.has(id);
}

/** SHA-256 of the quote without what follows it: public explorers name quotes by it. */
export async function quoteSha256(quote: Uint8Array): Promise<string> {
  return toHex(new Uint8Array(await crypto.subtle.digest("SHA-256", new Uint8Array(quote))));
}
