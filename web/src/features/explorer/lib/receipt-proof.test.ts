import { readFileSync } from "node:fs";
import type { Hex } from "viem";
import { describe, expect, it } from "vitest";
import {
  type ChainView,
  isProved,
  lineOf,
  proveReceipt,
  type Receipt,
  receiptHash,
  rootOf,
  type ShownReceipt,
} from "./receipt-proof";

// Written by contracts/tools/make_vectors.mjs: forge and the C++ programs load the same file.
const vectors = JSON.parse(readFileSync("../contracts/test/vectors/typed-data.json", "utf8")) as {
  lines: { model: Hex; head: Hex; line: Hex }[];
  merkle: { receipts: Record<string, string>[]; leaves: Hex[]; root: Hex; proofs: Hex[][] }[];
};

function read(r: Record<string, string>): Receipt {
  const at = (key: string) => r[key] as Hex;
  return {
    query: at("query"),
    line: at("line"),
    input: at("input"),
    output: at("output"),
    transcript: at("transcript"),
    tokensIn: Number(r["tokensIn"]),
    tokensOut: Number(r["tokensOut"]),
    cost: BigInt(r["cost"] ?? "0"),
  };
}

const tree = vectors.merkle[2];
if (!tree) throw new Error("no vectors");
const leaf = tree.leaves[2] as Hex;
const receipt = read(tree.receipts[2] ?? {});
const shown: ShownReceipt = {
  receipt,
  seq: 7n,
  root: tree.root,
  proof: tree.proofs[2] ?? [],
  model: null,
  head: null,
};
const chain: ChainView = {
  batchRoot: async () => tree.root,
  record: async () => `0x${"00".repeat(32)}`,
  terms: async () => ({ priceIn: 1n, priceOut: 1n }),
};
const statusOf = async (id: Hex, change: Partial<ShownReceipt>, view: Partial<ChainView> = {}) =>
  Object.fromEntries(
    (await proveReceipt(id, { ...shown, ...change }, { ...chain, ...view })).map((line) => [
      line.id,
      line.status,
    ]),
  );

describe("the vectors of typed-data.json", () => {
  it("hashes every receipt and walks every proof", () => {
    let proofs = 0;
    for (const { receipts, leaves, root, proofs: all } of vectors.merkle) {
      for (const [i, fields] of receipts.entries()) {
        expect(receiptHash(read(fields))).toBe(leaves[i]);
        expect(rootOf(leaves[i] as Hex, all[i] ?? [])).toBe(root);
        proofs += 1;
      }
    }
    expect(proofs).toBeGreaterThan(10);
  });
  it("hashes lines", () => {
    for (const { model, head, line } of vectors.lines) expect(lineOf(model, head)).toBe(line);
  });
});

describe("what is refused", () => {
  it("a served receipt that is another than asked for", async () => {
    expect(await statusOf(tree.leaves[0] as Hex, {})).toMatchObject({ "receipt.hash": "failed" });
  });
  it("each changed field, by the proof", async () => {
    const changes: Partial<Receipt>[] = [
      { query: leaf },
      { line: leaf },
      { input: leaf },
      { output: leaf },
      { transcript: leaf },
      { tokensIn: receipt.tokensIn + 1 },
      { tokensOut: receipt.tokensOut + 1 },
      { cost: receipt.cost + 1n },
    ];
    for (const change of changes) {
      const found = await statusOf(leaf, { receipt: { ...receipt, ...change } });
      expect(found).toMatchObject({
        "receipt.hash": "failed",
        "receipt.proof": "failed",
        "chain.batch": "failed",
      });
    }
  });
  it("a proof to another root, and a root that the contract does not have", async () => {
    expect(await statusOf(leaf, { proof: [] })).toMatchObject({ "receipt.proof": "failed" });
    expect(await statusOf(leaf, {}, { batchRoot: async () => leaf })).toMatchObject({
      "receipt.proof": "passed",
      "chain.batch": "failed",
    });
  });
  it("another head", async () => {
    expect(await statusOf(leaf, { model: leaf, head: `0x${"11".repeat(20)}` })).toMatchObject({
      "receipt.line": "failed",
    });
  });
  it("a cost that is not tokens times prices", async () => {
    const bad = { ...receipt, cost: BigInt(receipt.tokensIn) + BigInt(receipt.tokensOut) + 1n };
    expect(await statusOf(receiptHash(bad), { receipt: bad, model: leaf })).toMatchObject({
      "receipt.cost": "failed",
    });
  });
});

describe("what is not proved yet", () => {
  it("a batch that is not mined, and a chain that does not answer, wait and prove nothing", async () => {
    const pending = await proveReceipt(leaf, { ...shown, seq: null, root: null }, chain);
    expect(pending.at(-1)).toMatchObject({ id: "chain.batch", status: "waiting" });
    expect(isProved(pending)).toBe(false);
    const down = async () => Promise.reject(new Error("fetch failed"));
    expect(await statusOf(leaf, {}, { batchRoot: down, record: down })).toMatchObject({
      "chain.batch": "waiting",
    });
    expect(isProved([])).toBe(false);
  });
});

it("proves a batched and a strict receipt", async () => {
  expect(isProved(await proveReceipt(leaf, shown, chain))).toBe(true);
  const strict = await proveReceipt(
    leaf,
    { ...shown, seq: null, root: null, proof: [] },
    { ...chain, record: async () => leaf },
  );
  expect(strict.map((line) => line.id)).toEqual(["receipt.hash", "chain.record"]);
  expect(isProved(strict)).toBe(true);
});
