// Checks a receipt document against what the client knows itself: its own request, the answer that it got, the plan that
// it made, the nodes that it verified. Pure. docs/formats/receipt.md. The same checks, ids and order as src/client.
import { type Plan, planHash, planHead, planPermits } from "../seal/plan";
import { type Address, equalBytes, fromHexFixed, type Hash, type Wei } from "../verify/bytes";
import type { Claims } from "../verify/claims";
import type { ModelParams } from "../verify/model-params";
import {
  commitInput,
  commitOutput,
  type ReceiptDocument,
  type Transcript,
  type TranscriptStage,
  transcriptHash,
} from "../verify/receipt";
import { verifyTyped } from "../verify/secp256k1";
import type { TrustFile } from "../verify/trust-file";
import { costOf, type Domain, ledgerDomain, lineOf, tabQueryId } from "../verify/typed-data";
import { CheckList } from "./check-list";

export type PayMode = "tab" | "strict" | "free";

export interface ReceiptContext {
  readonly trust: TrustFile;
  readonly model: Hash;
  readonly params: ModelParams;
  readonly plan: Plan;
  /** hex, 16 bytes */
  readonly request: string;
  readonly secret: Uint8Array;
  readonly body: string;
  /** answer texts by choice */
  readonly outputs: readonly string[];
  /** of the plan's nodes, as verified, by slot */
  readonly claims: readonly Claims[];
  readonly mode: string;
  /** id of the strict query */
  readonly strictQuery: Hash | undefined;
}

/** Wei as ether, exactly. */
export function ethText(wei: Wei): string {
  const digits = wei.toString().padStart(19, "0");
  const fraction = digits.slice(-18).replace(/0+$/, "");
  return `${digits.slice(0, -18)}${fraction === "" ? "" : `.${fraction}`} ETH`;
}

function checkTranscript(transcript: Transcript, context: ReceiptContext, checks: CheckList): void {
  const { trust } = context;
  const chain =
    transcript.chainId === trust.chainId &&
    transcript.ledger === trust.ledger &&
    transcript.registry === trust.registry;
  checks.add("receipt.chain", chain, "chain, ledger and registry are the trust file's");
  const model = transcript.model === context.model && transcript.manifest === context.params.manifest;
  checks.add("receipt.model", model, "model and manifest are the ones that were asked for");
  checks.add("receipt.request", transcript.request === context.request, "it names this very request");
  checks.add(
    "receipt.plan",
    transcript.plan === planHash(context.plan),
    "it names the plan that the client made",
  );
  checks.add(
    "receipt.mode",
    transcript.mode === context.mode,
    "the way of payment is the one that was chosen",
  );
}

function sameNode(stage: TranscriptStage, claims: Claims): boolean {
  const boot = equalBytes(fromHexFixed(stage.boot, 16), claims.bootId);
  return (
    stage.key === claims.signer && stage.host === claims.host && stage.weights === claims.weightsRoot && boot
  );
}

function checkStages(transcript: Transcript, context: ReceiptContext, checks: CheckList): void {
  const { stages } = transcript;
  const { slots } = context.params;
  const counts = stages.length === slots.length && context.claims.length === stages.length;
  const complete = stages.every((stage, slot) => {
    const claims = context.claims[slot];
    if (claims === undefined || stage.slot !== slot || !planPermits(context.plan, slot, stage.key))
      return false;
    return sameNode(stage, claims) && stage.weights === slots[slot]?.weights;
  });
  const text =
    "every slot was served by the node that the client verified, in the same boot, with the model's shard";
  checks.add("receipt.stages", counts && complete, text);
}

function checkProofs(
  document: ReceiptDocument,
  context: ReceiptContext,
  domain: Domain,
  checks: CheckList,
): void {
  const { receipt, work, parts } = document;
  const { mode, plan, params } = context;
  const signed = new Set([0]);
  // Only the proof of the chosen way of payment counts: work is cumulative and could be of other answers.
  let valid = (work.length === 0 || mode === "tab") && (parts.length === 0 || mode === "strict");
  const mark = (slot: number, key: Address) => {
    if (slot === 0 || slot >= params.slots.length || !planPermits(plan, slot, key)) return false;
    signed.add(slot);
    return true;
  };
  for (const { signature, ...item } of work) {
    const message = { line: receipt.line, ...item };
    const good = mark(item.slot, item.key) && verifyTyped(domain, "Work", message, item.key, signature);
    valid = valid && good && item.total >= receipt.cost;
  }
  for (const { signature, ...item } of parts) {
    const message = { query: receipt.query, ...item };
    const good = mark(item.slot, item.key) && verifyTyped(domain, "Part", message, item.key, signature);
    valid = valid && good && item.tokensIn >= receipt.tokensIn && item.tokensOut >= receipt.tokensOut;
  }
  const all = mode === "free" || signed.size === params.slots.length;
  checks.add("receipt.proofs", valid && all, "every later stage signed for its work, and for enough of it");
}

/** Every check runs; the list says which failed. */
export function checkReceipt(document: ReceiptDocument, context: ReceiptContext): CheckList {
  const checks = new CheckList();
  const { receipt } = document;
  const { mode, params, secret } = context;
  const domain = ledgerDomain(context.trust.chainId, context.trust.ledger);
  const head = planHead(context.plan).key;
  const signed = verifyTyped(domain, "Receipt", receipt, head, document.signature);
  checks.add("receipt.signature", signed, `signed by the plan's head ${head}`);
  const transcript = transcriptHash(document.transcript) === receipt.transcript;
  checks.add("receipt.transcript", transcript, "the transcript hashes to the receipt's word");
  checks.add(
    "receipt.line",
    receipt.line === lineOf(context.model, head),
    "the line is that of this model and head",
  );
  const request = fromHexFixed(context.request, 16);
  const query = mode === "strict" ? context.strictQuery : tabQueryId(receipt.line, request);
  checks.add("receipt.query", receipt.query === query, "the query id is this request's");
  const input = receipt.input === commitInput(secret, context.body);
  checks.add("receipt.input", input, "the commitment to the input is that of the request that was sent");
  const output = receipt.output === commitOutput(secret, context.outputs);
  checks.add(
    "receipt.output",
    output,
    "the commitment to the output is that of the answer that was received",
  );
  const full = costOf(receipt.tokensIn, receipt.tokensOut, params.priceIn, params.priceOut);
  const cost = mode === "free" ? (0n as Wei) : full;
  const words = `${receipt.tokensIn} tokens in and ${receipt.tokensOut} out at the model's prices: ${ethText(cost)}`;
  checks.add("receipt.cost", receipt.cost === cost, words);
  checkTranscript(document.transcript, context, checks);
  checkStages(document.transcript, context, checks);
  checkProofs(document, context, domain, checks);
  return checks;
}
