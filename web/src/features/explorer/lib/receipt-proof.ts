// A receipt against the chain, by this page alone: its hash, its way through the batch's Merkle tree, and what the Ledger says through the
// user's own RPC. docs/formats/typed-data.md.
import { concat, encodeAbiParameters, type Hex, keccak256 } from "viem";

export interface Receipt {
  readonly query: Hex;
  readonly line: Hex;
  readonly input: Hex;
  readonly output: Hex;
  readonly tokensIn: number;
  readonly tokensOut: number;
  readonly cost: bigint;
  readonly transcript: Hex;
}

const TYPEHASH: Hex = "0x94bd816e2ee188ca0d6627fd379949783522ea608899ed6d4c618a727534ad7e";
const WORDS = [
  "bytes32",
  "bytes32",
  "bytes32",
  "bytes32",
  "bytes32",
  "uint32",
  "uint32",
  "uint128",
  "bytes32",
].map((type) => ({ type }));

/** hashStruct(receipt): its name here, and its leaf in a batch. */
export function receiptHash(r: Receipt): Hex {
  return keccak256(
    encodeAbiParameters(WORDS, [
      TYPEHASH,
      r.query,
      r.line,
      r.input,
      r.output,
      r.tokensIn,
      r.tokensOut,
      r.cost,
      r.transcript,
    ]),
  );
}

export function lineOf(model: Hex, head: Hex): Hex {
  return keccak256(encodeAbiParameters([{ type: "bytes32" }, { type: "address" }], [model, head]));
}

/** The root that leaf and siblings lead to; pairs are sorted. */
export function rootOf(leaf: Hex, proof: readonly Hex[]): Hex {
  return proof.reduce(
    (node, sibling) =>
      keccak256(BigInt(node) < BigInt(sibling) ? concat([node, sibling]) : concat([sibling, node])),
    leaf,
  );
}

export type ProofStatus = "passed" | "failed" | "waiting";

export interface ProofLine {
  readonly id: string;
  readonly title: string;
  readonly status: ProofStatus;
  readonly detail: string;
  readonly by: string; // whose word it is
  readonly facts: readonly { readonly label: string; readonly value: string }[];
}

export interface ShownReceipt {
  readonly receipt: Receipt;
  readonly seq: bigint | null;
  readonly root: Hex | null;
  readonly proof: readonly Hex[];
  readonly model: Hex | null;
  readonly head: Hex | null;
}

export interface ChainView {
  readonly batchRoot: (line: Hex, seq: bigint) => Promise<Hex>;
  readonly record: (query: Hex) => Promise<Hex>;
  readonly terms: (model: Hex) => Promise<{ priceIn: bigint; priceOut: bigint }>;
}

const PAGE = "computed in this page";
const RPC = "by your RPC";

export async function proveReceipt(id: Hex, shown: ShownReceipt, chain: ChainView): Promise<ProofLine[]> {
  const hash = receiptHash(shown.receipt);
  const lines: ProofLine[] = [hashLine(id, hash)];
  if (shown.model && shown.head) lines.push(lineLine(shown));
  lines.push(...(await settlementLines(hash, shown, chain)));
  if (shown.model) lines.push(await costLine(shown.model, shown.receipt, chain));
  return lines;
}

/** Whether every line holds; a line that waits is not a proof. */
export function isProved(lines: readonly ProofLine[]): boolean {
  return lines.length > 0 && lines.every((line) => line.status === "passed");
}

function hashLine(id: Hex, hash: Hex): ProofLine {
  const same = equal(id, hash);
  const detail = same
    ? "The fields below hash to the receipt that you asked for."
    : "The fields that were served hash to another receipt.";
  return {
    id: "receipt.hash",
    title: "It is the receipt that was asked for",
    status: verdict(same),
    detail,
    by: PAGE,
    facts: [fact("Asked for", id), fact("Computed", hash)],
  };
}

function lineLine(shown: ShownReceipt): ProofLine {
  const computed = lineOf(shown.model as Hex, shown.head as Hex);
  const same = equal(computed, shown.receipt.line);
  const detail = same
    ? "Model and head hash to the line that the receipt names."
    : "The receipt is of another model or head.";
  return {
    id: "receipt.line",
    title: "It is of this model and head",
    status: verdict(same),
    detail,
    by: PAGE,
    facts: [fact("Line", shown.receipt.line), fact("Computed", computed)],
  };
}

async function settlementLines(hash: Hex, shown: ShownReceipt, chain: ChainView): Promise<ProofLine[]> {
  const record = await chain.record(shown.receipt.query).catch(() => null);
  if (record !== null && equal(record, hash)) return [recordLine(hash, record)];
  if (shown.seq === null || shown.root === null) return [pendingLine()];
  const root = rootOf(hash, shown.proof);
  const inside = equal(root, shown.root);
  const proof: ProofLine = {
    id: "receipt.proof",
    title: "It is in the batch",
    status: verdict(inside),
    detail: inside
      ? `${shown.proof.length} siblings lead from the receipt to the root.`
      : "The proof does not lead to the root that was served.",
    by: PAGE,
    facts: [fact("Root, as served", shown.root), fact("Root, computed", root)],
  };
  return [proof, await rootLine(root, shown, chain)];
}

function recordLine(hash: Hex, record: Hex): ProofLine {
  const detail = "The query was settled by itself; the Ledger keeps the receipt’s hash for ever.";
  return {
    id: "chain.record",
    title: "The contract has it",
    status: "passed",
    detail,
    by: RPC,
    facts: [fact("Record", record), fact("Receipt", hash)],
  };
}

function pendingLine(): ProofLine {
  const detail = "Its batch has not been mined. Nothing is wrong: heads send batches together.";
  return { id: "chain.batch", title: "The contract has it", status: "waiting", detail, by: RPC, facts: [] };
}

async function rootLine(root: Hex, shown: ShownReceipt, chain: ChainView): Promise<ProofLine> {
  const title = "The contract has the batch";
  try {
    const found = await chain.batchRoot(shown.receipt.line, shown.seq as bigint);
    const same = equal(found, root);
    const detail = same
      ? `Batch ${shown.seq} of the line has this root on chain.`
      : "The Ledger has another root for this batch.";
    return {
      id: "chain.batch",
      title,
      status: verdict(same),
      detail,
      by: RPC,
      facts: [fact("On chain", found), fact("Computed", root)],
    };
  } catch (error) {
    return {
      id: "chain.batch",
      title,
      status: "waiting",
      detail: `Your RPC does not answer: ${messageOf(error)}`,
      by: RPC,
      facts: [],
    };
  }
}

async function costLine(model: Hex, receipt: Receipt, chain: ChainView): Promise<ProofLine> {
  const title = "It cost what the model costs";
  try {
    const { priceIn, priceOut } = await chain.terms(model);
    const full = BigInt(receipt.tokensIn) * priceIn + BigInt(receipt.tokensOut) * priceOut;
    const right = receipt.cost === full || receipt.cost === 0n;
    const detail =
      receipt.cost === 0n && full !== 0n
        ? "Free of charge: a host’s own access."
        : right
          ? "Tokens times the model’s fixed prices."
          : "The cost is not tokens times prices.";
    return {
      id: "receipt.cost",
      title,
      status: verdict(right),
      detail,
      by: `${PAGE}, prices ${RPC}`,
      facts: [fact("Cost (wei)", String(receipt.cost)), fact("Tokens times prices (wei)", String(full))],
    };
  } catch (error) {
    return {
      id: "receipt.cost",
      title,
      status: "waiting",
      detail: `Your RPC does not answer: ${messageOf(error)}`,
      by: RPC,
      facts: [],
    };
  }
}

function verdict(good: boolean): ProofStatus {
  return good ? "passed" : "failed";
}

function fact(label: string, value: string): { label: string; value: string } {
  return { label, value };
}

function equal(a: string, b: string): boolean {
  return a.toLowerCase() === b.toLowerCase();
}

function messageOf(error: unknown): string {
  return error instanceof Error ? (error.message.split("\n")[0] ?? "") : String(error);
}
