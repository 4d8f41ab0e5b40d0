// @vitest-environment node
// The vectors of contracts/test/vectors/typed-data.json, which forge, node and C++ tests load too.
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { fromHex, type Hash, parseAddress, parseHash, utf8 } from "./bytes";
import { parseJson } from "./json";
import { merkleRoot, merkleVerify } from "./merkle";
import { familyOf, modelId, modelParamsFromJson, modelParamsJson } from "./model-params";
import { Malformed } from "./refusal";
import {
  addressOf,
  isSignedBy,
  parseSignature,
  privateKey,
  recoverSigner,
  signatureWords,
  signTyped,
} from "./secp256k1";
import { expectOnlyRefusals } from "./testing/random";
import { repositoryFile } from "./testing/shared-folder";
import {
  allowlistDomain,
  joinDigest,
  ledgerDomain,
  lineOf,
  type Messages,
  type MessageType,
  structHash,
  tabQueryId,
  typedDigest,
  typeHashOf,
} from "./typed-data";

const vectors = JSON.parse(readFileSync(repositoryFile("contracts/test/vectors/typed-data.json"), "utf8"));

// Texts as the file carries them, in the types that the code takes.
// biome-ignore lint/suspicious/noExplicitAny: vectors are plain JSON
function typed(message: any): any {
  return Object.fromEntries(
    Object.entries(message as Record<string, string>).map(([key, value]) => [
      key,
      /^0x[0-9a-fA-F]{40}$/.test(value)
        ? parseAddress(value)
        : value.startsWith("0x")
          ? value
          : BigInt(value),
    ]),
  );
}

describe("typed data", () => {
  test.each(Object.keys(vectors.typed) as MessageType[])("%s: hash, digest and signature", (type) => {
    expect(typeHashOf(type)).toBe(vectors.typeHashes[type]);
    for (const item of vectors.typed[type]) {
      const contract = parseAddress(item.domain.verifyingContract);
      const make = type === "Approval" ? allowlistDomain : ledgerDomain;
      const domain = make(BigInt(item.domain.chainId), contract);
      const message = typed(item.message) as Messages[typeof type];
      const digest = typedDigest(domain, type, message);
      expect(structHash(type, message)).toBe(item.structHash);
      expect(digest).toBe(item.digest);
      const key = privateKey(fromHex(item.privateKey));
      const signer = parseAddress(item.signer);
      expect(addressOf(key)).toBe(signer);
      const signature = signTyped(domain, type, message, key);
      expect(signatureWords(signature)).toEqual({ r: item.r, vs: item.vs });
      expect(isSignedBy(signer, digest, signature)).toBe(true);
      expect(isSignedBy(contract, digest, signature)).toBe(false);
    }
  });

  test("a malformed signature is nobody's", () => {
    const item = vectors.typed.Voucher[2];
    const order = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;
    const hex = (value: bigint) => value.toString(16).padStart(64, "0");
    const r = item.r.slice(2);
    const vs = BigInt(item.vs);
    const s = vs & ((1n << 255n) - 1n);
    const high = hex(order - s);
    const others = [
      r + hex(0n),
      hex(0n) + hex(vs),
      hex(order) + hex(vs),
      r + high,
      hex(2n ** 256n - 1n) + hex(vs),
    ];
    for (const text of others) {
      expect(recoverSigner(item.digest, parseSignature(text))).not.toBe(parseAddress(item.signer));
    }
  });

  test("numbers that do not fit are refused", () => {
    const voucher = { ...typed(vectors.typed.Voucher[2].message), total: 2n ** 128n };
    expect(() => structHash("Voucher", voucher)).toThrow(Malformed);
  });
});

test("ids of models, families, lines, tab queries and joins", () => {
  for (const { model, id, family } of vectors.models) {
    const params = modelParamsOf(model);
    expect(modelId(params)).toBe(id);
    expect(familyOf(params)).toBe(family);
  }
  for (const item of vectors.lines) {
    expect(lineOf(item.model, parseAddress(item.head))).toBe(item.line);
    expect(tabQueryId(item.line, fromHex(item.requestId))).toBe(item.tabQuery);
  }
  for (const { reportData, ...claim } of vectors.joins) expect(joinDigest(typed(claim))).toBe(reportData);
});

// biome-ignore lint/suspicious/noExplicitAny: vectors are plain JSON
function modelParamsOf(model: any) {
  return {
    manifest: parseHash(model.manifest),
    verifier: parseAddress(model.verifier),
    priceIn: BigInt(model.priceIn),
    priceOut: BigInt(model.priceOut),
    timeout: Number(model.timeout),
    lease: Number(model.lease),
    slots: model.slots.map((slot: { weights: Hash; share: string }) => ({
      weights: slot.weights,
      share: Number(slot.share),
    })),
  };
}

test("Merkle trees: roots, proofs, and no other proof", () => {
  for (const { receipts, leaves, root, proofs } of vectors.merkle) {
    expect(receipts.map((receipt: unknown) => structHash("Receipt", typed(receipt)))).toEqual(leaves);
    expect(merkleRoot(leaves)).toBe(root);
    leaves.forEach((leaf: Hash, i: number) => {
      expect(merkleVerify(proofs[i], root, leaf)).toBe(true);
      expect(merkleVerify([...proofs[i], leaf], root, leaf)).toBe(false);
      if (leaves.length > 1)
        expect(merkleVerify(proofs[i], root, leaves[(i + 1) % leaves.length])).toBe(false);
    });
  }
});

describe("model parameters", () => {
  const good = {
    manifest: `0x${"11".repeat(32)}`,
    verifier: `0x${"22".repeat(20)}`,
    price_in: "5",
    price_out: "6",
    timeout: 60,
    lease: 3600,
    slots: [{ weights: `0x${"33".repeat(32)}`, share: 1 }],
  };
  const parse = (value: unknown) => modelParamsFromJson(parseJson(JSON.stringify(value)));

  test("are written as they are read", () => {
    expect(modelParamsFromJson(modelParamsJson(parse(good)))).toEqual(parse(good));
  });
  test("are refused out of the Registry's ranges", () => {
    const others = [
      { slots: [] },
      { slots: [good.slots[0], good.slots[0]] },
      { slots: [{ ...good.slots[0], share: 0 }] },
      { verifier: `0x${"00".repeat(20)}` },
      { timeout: 0 },
      { lease: 60 },
      { price_in: "18446744073709551616" },
      { price_in: 5 },
    ];
    for (const other of others)
      expect(() => parse({ ...good, ...other }), JSON.stringify(other)).toThrow(Malformed);
  });
  test("give refusals only, whatever the bytes", () => {
    expectOnlyRefusals((bytes) => modelParamsFromJson(parseJson(bytes)), [utf8(JSON.stringify(good))]);
  });
});
