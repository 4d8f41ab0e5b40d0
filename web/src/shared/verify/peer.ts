// The proof that a peer is a wanted node: genuine evidence, accepted by the trust file, bound to these claims. Only the
// functions below make a VerifiedPeer; nothing is sealed to a head without one. docs/formats/evidence.md section 4.

import { appraise } from "./appraise";
import { concat, equalBytes, fromHex } from "./bytes";
import { type Claims, certificateReportData, decodeClaims, decodeEvidence, joinReportData } from "./claims";
import { sha256 } from "./hashes";
import type { Json } from "./json";
import { parseQuote, quoteReportData } from "./quote";
import { Refused, type Result, settle, settleAsync, under } from "./refusal";
import { type EvidenceClass, intelRootSpkiHash, type TrustFile } from "./trust-file";
import { type VerifiedQuote, verifyQuote } from "./verify-quote";
import { parsePemChain } from "./x509";

declare const verified: unique symbol;

export interface VerifiedPeer {
  readonly claims: Claims;
  readonly quote: VerifiedQuote;
  readonly evidenceClass: EvidenceClass;
  /** name of the matching measurement */
  readonly release: string;
  /** SHA-256 of the evidence */
  readonly evidenceHash: Uint8Array;
  readonly [verified]: true;
}

// A root that is not listed is refused in any case; this says it in the words of the trust file's class where the chain
// itself admits what it is.
function explainRoot(error: Refused, quote: Uint8Array, trust: TrustFile): Refused {
  if (error.check !== "pck.root") return error;
  const root = settle("pck.chain", () => parsePemChain(parseQuote(quote).pckChain, 3).at(-1));
  if (!root.ok || root.value === undefined) return error;
  if (trust.evidenceClass === "production" && root.value.subjectName.includes("Simulated")) {
    return new Refused("evidence.class", "simulated evidence under a production trust file");
  }
  if (trust.evidenceClass === "simulated" && root.value.spkiHash === intelRootSpkiHash) {
    return new Refused("evidence.class", "real evidence under a simulated trust file");
  }
  return error;
}

async function genuine(
  quote: Uint8Array,
  collateral: Uint8Array | Json,
  trust: TrustFile,
  now: number,
): Promise<VerifiedQuote> {
  const result = await verifyQuote(quote, collateral, trust.roots, now);
  if (result.ok) return result.value;
  throw explainRoot(new Refused(result.refusal.check, result.refusal.found), quote, trust);
}

function checkReportData(quote: VerifiedQuote, expected: Uint8Array): void {
  if (!equalBytes(quoteReportData(quote.quote), expected)) {
    throw new Refused("report_data", "the report data is for other claims, another channel or another use");
  }
}

function checkClaims(claims: Claims, trust: TrustFile): void {
  if (claims.chainId !== trust.chainId) throw new Refused("claims.chain", "another chain");
  if (claims.registry !== trust.registry) throw new Refused("claims.chain", "another registry");
  if (!equalBytes(claims.policyHash, fromHex(trust.policyHash))) {
    throw new Refused("claims.policy", "the peer enforces another trust policy");
  }
}

async function run(
  bytes: Uint8Array,
  collateral: Uint8Array | Json,
  trust: TrustFile,
  now: number,
): Promise<VerifiedPeer> {
  const evidence = under("evidence.structure", () => decodeEvidence(bytes));
  const claims = under("claims.structure", () => decodeClaims(evidence.claims));
  const quote = await genuine(evidence.quote, collateral, trust, now);
  const release = appraise(quote, trust);
  checkReportData(quote, certificateReportData(evidence.claims));
  checkClaims(claims, trust);
  const peer = { claims, quote, evidenceClass: trust.evidenceClass, release, evidenceHash: sha256(bytes) };
  return peer as VerifiedPeer;
}

/**
 * Evidence of layout (a) as it comes through a gateway: the page sees no TLS key of the node, it seals to the claims'
 * HPKE key. Which model, slot, host and block are wanted is the caller's question.
 */
export function verifyEvidence(
  evidence: Uint8Array,
  collateral: Uint8Array | Json,
  trust: TrustFile,
  now: number,
): Promise<Result<VerifiedPeer>> {
  const bytes = concat(evidence);
  return settleAsync("evidence.structure", () => run(bytes, collateral, trust, now));
}

export interface VerifiedJoin {
  readonly quote: VerifiedQuote;
  readonly release: string;
}

/** Evidence of layout (c), of a node that wants to join: `digest` is the caller's own. */
export function verifyJoinQuote(
  quote: Uint8Array,
  collateral: Uint8Array | Json,
  digest: Uint8Array,
  trust: TrustFile,
  now: number,
): Promise<Result<VerifiedJoin>> {
  return settleAsync("quote.structure", async () => {
    const found = await genuine(quote, collateral, trust, now);
    const release = appraise(found, trust);
    checkReportData(found, joinReportData(digest));
    return { quote: found, release };
  });
}

const maxBlockAgeSeconds = 2 * 3600;
export const maxBlockAheadSeconds = 15 * 60;

/** Check claims.age. */
export function checkClaimsAge(claims: Claims, now: number): Result<true> {
  return settle("claims.age", () => {
    if (claims.blockTime < BigInt(Math.trunc(now) - maxBlockAgeSeconds)) {
      throw new Refused("claims.age", "the block is too old");
    }
    if (claims.blockTime > BigInt(Math.trunc(now) + maxBlockAheadSeconds)) {
      throw new Refused("claims.age", "the block is from the future");
    }
    return true;
  });
}
