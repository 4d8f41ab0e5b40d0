// The verifier's verdict on a node's evidence, as the check list shows it.
import {
  type EvidenceJudgement,
  judgeNodeEvidence,
  type NodeEvidence,
} from "@/shared/evidence/node-evidence";
import { measurementFacts, platformFacts, type QuoteFact, quoteFacts } from "@/shared/evidence/quote-facts";
import { toHex } from "@/shared/verify/bytes";
import { allChecks } from "@/shared/verify/checks";
import type { VerifiedPeer } from "@/shared/verify/peer";
import type { TrustFile } from "@/shared/verify/trust-file";
import type { Fact } from "./check-list";
import type { EvidenceVerdict, JudgedClaims } from "./run-checks";

// Checks of a channel: the page has none to the node, and says so by not listing them.
const NOT_HERE: ReadonlySet<string> = new Set(["claims.tls_key", "channel.reflection"]);

export async function judgeForPool(
  shown: NodeEvidence,
  trust: TrustFile,
  now: number,
): Promise<EvidenceVerdict> {
  return verdictOf(await judgeNodeEvidence(shown, trust, now));
}

export function verdictOf(judgement: EvidenceJudgement): EvidenceVerdict {
  if (!judgement.ok) return { ok: false, check: judgement.check, reason: judgement.reason };
  const { peer } = judgement;
  const { report } = peer.quote.quote;
  if (report.kind !== "tdx")
    return { ok: false, check: "tee.kind", reason: "check tee.kind: the quote is not of a trust domain" };
  return {
    ok: true,
    simulated: peer.evidenceClass === "simulated",
    claims: claimsOf(peer),
    mrConfigId: toHex(report.td.mrConfigId),
    passed: allChecks
      .filter((check) => !NOT_HERE.has(check.id))
      .map((check) => ({ id: check.id, text: check.meaning })),
    hardware: quoteFacts(peer.quote.quote).flatMap((group) => group.facts.map(factOf)),
    tcb: platformFacts(peer.quote).map(factOf),
    tcbText: tcbText(peer),
    measurement: measurementFacts(report.td).map(factOf),
    measurementText: `Release “${peer.release}” of your trust file.`,
  };
}

function tcbText(peer: VerifiedPeer): string {
  const until = new Date(peer.quote.window.notAfter * 1000).toISOString().slice(0, 10);
  const advisories = peer.quote.advisories.length;
  return `${peer.quote.status}${advisories > 0 ? `, ${advisories} advisories` : ""}; documents good until ${until}.`;
}

function claimsOf({ claims }: VerifiedPeer): JudgedClaims {
  return {
    host: claims.host,
    model: claims.model,
    slot: claims.slot,
    signer: claims.signer,
    weights: claims.weightsRoot,
    hpkeKey: claims.hpkeKey,
    tlsKeyHash: toHex(claims.tlsKeyHash),
    block: claims.blockNumber,
    blockHash: claims.blockHash,
    blockTime: Number(claims.blockTime),
  };
}

function factOf(fact: QuoteFact): Fact {
  return { label: fact.label, value: fact.value, code: fact.code ?? false };
}
