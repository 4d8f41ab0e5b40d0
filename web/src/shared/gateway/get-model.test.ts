import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { checkModel, type ModelParams, modelId } from "./get-model.ts";

type Vector = {
  model: {
    manifest: `0x${string}`;
    verifier: `0x${string}`;
    priceIn: string;
    priceOut: string;
    timeout: string;
    lease: string;
    slots: { weights: `0x${string}`; share: string }[];
  };
  id: string;
};
const vectors = (
  JSON.parse(readFileSync("../contracts/test/vectors/typed-data.json", "utf8")) as { models: Vector[] }
).models;

function read({ model }: Vector): ModelParams {
  const { manifest, verifier } = model;
  const slots = model.slots.map(({ weights, share }) => ({ weights, share: Number(share) }));
  return {
    manifest,
    verifier,
    price_in: BigInt(model.priceIn),
    price_out: BigInt(model.priceOut),
    timeout: Number(model.timeout),
    lease: Number(model.lease),
    slots,
  };
}

const root = "ab".repeat(32);
const manifest = JSON.stringify({
  name: "tiny",
  config: {},
  tensors: [],
  slots: [
    {
      first_block: 0,
      block_count: 1,
      tensors: [],
      weights_root: root,
      file: "slot-0.gguf",
      file_bytes: 1,
      file_sha256: root,
      kats: [],
    },
  ],
});
const params: ModelParams = {
  manifest: `0x${createHash("sha256").update(manifest).digest("hex")}`,
  verifier: `0x${"11".repeat(20)}`,
  price_in: 1n,
  price_out: 2n,
  timeout: 60,
  lease: 3600,
  slots: [{ weights: `0x${root}`, share: 1 }],
};
const answer = (p: ModelParams, text = manifest) => ({
  id: modelId(p),
  params: { ...p, price_in: String(p.price_in), price_out: String(p.price_out) },
  manifest: text,
});

describe("modelId", () => {
  it("is that of the vectors", () => {
    expect(vectors.length).toBeGreaterThan(3);
    for (const vector of vectors) expect(modelId(read(vector))).toBe(vector.id);
  });
});

describe("checkModel", () => {
  it("refuses another id, a changed price, a changed manifest and other slots", async () => {
    await expect(checkModel(answer(params), `0x${"22".repeat(32)}`)).rejects.toThrow(/id/);
    await expect(
      checkModel({ ...answer(params), params: { ...answer(params).params, price_in: "3" } }, null),
    ).rejects.toThrow(/id/);
    await expect(checkModel(answer(params, manifest.replace("tiny", "tony")), null)).rejects.toThrow(
      /manifest/,
    );
    const other = { ...params, slots: [{ weights: `0x${"cd".repeat(32)}` as const, share: 1 }] };
    await expect(checkModel(answer(other), null)).rejects.toThrow(/slots/);
  });
  it("accepts what hashes", async () => {
    const facts = await checkModel(answer(params), modelId(params));
    expect(facts).toMatchObject({ id: modelId(params), manifestHash: params.manifest });
  });
});
