// Every check of a receipt bundle, as `teetee verify` makes them: offline, and on chain by an RPC of the user's choice.
import { planHead } from "../seal/plan";
import type { Claims } from "../verify/claims";
import { merkleVerify } from "../verify/merkle";
import { checkClaimsAge, maxBlockAheadSeconds, verifyEvidence } from "../verify/peer";
import { refusalText } from "../verify/refusal";
import { parseTrustFile, type TrustFile } from "../verify/trust-file";
import { ledgerDomain, structHash, typedDigest } from "../verify/typed-data";
import type { Bundle, BundleBase } from "./bundle";
import type { ChainReader } from "./chain";
import { Contracts } from "./chain";
import { CheckList } from "./check-list";
import { ClientError } from "./client-error";
import { checkReceipt } from "./receipt-check";
import { checkModel, checkNode } from "./route";

/** Evidence of each slot, judged at the time when the client judged it. Adds to `checks`. */
export async function checkEvidence(
  bundle: BundleBase,
  trust: TrustFile,
  checks: CheckList,
): Promise<Claims[]> {
  const claims: Claims[] = [];
  for (let slot = 0; slot < bundle.params.slots.length; slot++) {
    const item = bundle.evidence.find((candidate) => candidate.slot === slot);
    if (item === undefined) {
      checks.add("node.evidence", false, `slot ${slot}: the bundle holds no evidence`, slot);
      continue;
    }
    const peer = await verifyEvidence(item.evidence, item.collateral, trust, bundle.checkedAt);
    if (!peer.ok) {
      checks.add("node.evidence", false, `slot ${slot}: ${refusalText(peer.refusal)}`, slot);
      continue;
    }
    checkNode(peer.value, { slot, key: item.key, model: bundle.model, params: bundle.params }, checks);
    const age = checkClaimsAge(peer.value.claims, bundle.checkedAt);
    const text = age.ok ? "the evidence was fresh when it was checked" : refusalText(age.refusal);
    checks.add("claims.age", age.ok, `slot ${slot}: ${text}`, slot);
    claims.push(peer.value.claims);
  }
  return claims;
}

function sayTrust(trust: TrustFile, own: boolean, checks: CheckList): void {
  const whose = own
    ? "judged by your own trust file"
    : "judged by the trust file inside the bundle: import yours to judge by it";
  const simulated = trust.evidenceClass === "simulated";
  checks.add(
    "trust",
    true,
    simulated ? `${whose}; class SIMULATED: this proves nothing about real hardware` : whose,
  );
}

function checkModelFacts(bundle: Bundle, checks: CheckList): void {
  const list = new CheckList();
  try {
    checkModel(bundle.model, bundle.params, bundle.manifest, list);
  } catch (error) {
    if (!(error instanceof ClientError)) throw error; // the list names it
  }
  checks.append(list);
}

function checkQueryTerms(bundle: Bundle, checks: CheckList): void {
  const { query, receipt } = bundle;
  if (query === undefined) return;
  const named = query.model === bundle.model && query.head === planHead(bundle.plan).key;
  const covers = query.input === receipt.receipt.input && receipt.receipt.cost <= query.maxCost;
  const text = "the query was opened for this model, head and input, and covers the cost";
  checks.add("query.terms", named && covers, text);
}

function checkSettlement(bundle: Bundle, checks: CheckList): void {
  if (bundle.settlement === undefined) return;
  const { proof, root } = bundle.settlement;
  const strict = bundle.receipt.transcript.mode === "strict";
  const included = merkleVerify(proof, root, structHash("Receipt", bundle.receipt.receipt));
  const text = strict ? "settled by itself" : "the receipt is a leaf under the batch's root";
  checks.add("settlement.proof", strict || included, text);
}

function checkTime(bundle: Bundle, checks: CheckList): void {
  const { blockNumber, blockTime } = bundle.receipt.transcript;
  const known = blockTime > 0n && blockTime <= BigInt(bundle.checkedAt + maxBlockAheadSeconds);
  checks.add("receipt.time", known, `valid as of block ${blockNumber} (unix time ${blockTime})`);
}

/** `own`: the user's trust file; without it the one inside, which then is part of what is claimed and is said so. */
export async function verifyBundle(bundle: Bundle, own?: TrustFile): Promise<CheckList> {
  const checks = new CheckList();
  const inside = parseTrustFile(bundle.trust);
  const trust = own ?? (inside.ok ? inside.value : undefined);
  if (trust === undefined) {
    checks.add("trust", false, inside.ok ? "" : inside.problem);
    return checks;
  }
  sayTrust(trust, own !== undefined, checks);
  checks.add(
    "trust.model",
    [...trust.models.values()].includes(bundle.model),
    "the trust file names this model",
  );
  checkModelFacts(bundle, checks);
  const policy = bundle.plan.policy === trust.policyHash && bundle.plan.model === bundle.model;
  checks.add("plan.policy", policy, "the plan was made for this model under this trust policy");
  const claims = await checkEvidence(bundle, trust, checks);
  checkQueryTerms(bundle, checks);
  const domain = ledgerDomain(trust.chainId, trust.ledger);
  const { transcript } = bundle.receipt;
  const strictQuery = bundle.query === undefined ? undefined : typedDigest(domain, "Query", bundle.query);
  const { request, mode } = transcript;
  checks.append(checkReceipt(bundle.receipt, { ...bundle, trust, request, mode, claims, strictQuery }));
  checkSettlement(bundle, checks);
  checkTime(bundle, checks);
  const words = "the file is as its client wrote it (this finds damage; the signatures above find forgery)";
  checks.add("bundle.sha256", bundle.intact !== false, words);
  return checks;
}

/** Its place on chain: the batch's root (tab, free) or the query's record (strict). Throws ClientError when nobody answers. */
export async function verifyOnChain(bundle: Bundle, reader: ChainReader, checks: CheckList): Promise<void> {
  const { transcript, receipt } = bundle.receipt;
  const contracts = new Contracts(reader, transcript);
  const sameChain = BigInt(await reader.getChainId()) === transcript.chainId;
  checks.add("chain.id", sameChain, "the RPC serves the receipt's chain");
  if (transcript.mode === "strict") {
    const record = await contracts.recordOf(receipt.query);
    checks.add(
      "chain.record",
      record === structHash("Receipt", receipt),
      "the ledger's record of the query is this receipt",
    );
    return;
  }
  if (bundle.settlement === undefined) {
    const text = "the bundle holds no Merkle proof yet: its batch was not mined when it was last asked for";
    checks.add("chain.batch", false, text);
    return;
  }
  const { seq, proof } = bundle.settlement;
  const included = await contracts.verifyReceipt(receipt, seq, proof);
  checks.add("chain.batch", included, `the ledger confirms that the receipt is in batch ${seq}`);
}

export interface Verdict {
  readonly valid: boolean;
  readonly simulated: boolean;
  readonly text: string;
}

/** The sum of a check list in one sentence. */
export function verdictOf(bundle: Bundle, checks: CheckList): Verdict {
  const { blockNumber, blockTime } = bundle.receipt.transcript;
  const simulated = checks.all.some((check) => check.id === "trust" && check.text.includes("SIMULATED"));
  const time = new Date(Number(blockTime) * 1000).toISOString();
  const word = checks.passed ? "VALID" : "NOT VALID";
  const note = simulated ? " Simulated evidence: it proves nothing about real hardware." : "";
  return { valid: checks.passed, simulated, text: `${word} as of block ${blockNumber} (${time}).${note}` };
}
