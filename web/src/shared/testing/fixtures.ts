// A model of two slots and its nodes, in the forms of docs/formats/http-api.md; everything hashes as it should.
import { createHash } from "node:crypto";
import type { Address, Hash } from "viem";
import { type ModelParams, modelId } from "../gateway/get-model.ts";

export const testHost: Address = `0x${"55".repeat(20)}`;
export const testKey: Address = `0x${"d1".repeat(20)}`;

const kat = { n_tokens: 4, output_sha256: "ab".repeat(32), seed: "0x0000000000000007" };
const slot = (i: number) => ({
  block_count: 10,
  file: `slot-${i}.gguf`,
  file_bytes: 5_000_000,
  file_sha256: "c0".repeat(32),
  first_block: i * 10,
  kats: [kat],
  share: 10,
  tensors: [`t${i}`],
  weights_root: `a${i}`.repeat(32),
});

export const testManifest = JSON.stringify({
  config: {
    architecture: "llama",
    n_layers: "20",
    n_kv_heads: "3",
    head_dim: "64",
    hidden_dim: "576",
    context_length: "2048",
  },
  name: "tiny-model",
  slots: [slot(0), slot(1)],
  tensors: [0, 1].map((i) => ({
    bytes: 4_000_000,
    dtype: "Q4_1",
    dims: [1],
    name: `t${i}`,
    sha256: "00".repeat(32),
  })),
});

const params: ModelParams = {
  manifest: `0x${createHash("sha256").update(testManifest).digest("hex")}`,
  verifier: `0x${"11".repeat(20)}`,
  price_in: 1000n,
  price_out: 3000n,
  timeout: 60,
  lease: 86_400,
  slots: [0, 1].map((i) => ({ weights: `0x${`a${i}`.repeat(32)}` as Hash, share: 10 })),
};

export const testModel = modelId(params);
export const modelAnswer = {
  id: testModel,
  params: { ...params, price_in: String(params.price_in), price_out: String(params.price_out) },
  manifest: testManifest,
};

export const modelsAnswer = {
  object: "list",
  data: [
    {
      id: "tiny-model",
      teetee: {
        model: testModel,
        name: "tiny-model",
        price_in: "1000",
        price_out: "3000",
        quantisation: "Q4_1",
        parameters: 1_000_000,
        class: "simulated",
        routes: 0,
        speed: null,
        live: false,
        slot_list: [0, 1].map((i) => ({
          slot: i,
          first_block: i * 10,
          blocks: 10,
          share: 10,
          bytes: 5_000_000,
          live: 1 - i,
          joined: 1 - i,
          hosts: i === 0 ? [testHost] : [],
        })),
      },
    },
  ],
};

export function nodeAnswer(change: Record<string, unknown> = {}) {
  return {
    key: testKey,
    slot: 0,
    host: testHost,
    url: "http://127.0.0.1:9100",
    until: Math.floor(Date.now() / 1000) + 80_000,
    live: true,
    quote: `0x${"e0".repeat(32)}`,
    models: [testModel],
    ...change,
  };
}

export function nodeDetails(change: Record<string, unknown> = {}) {
  const now = Math.floor(Date.now() / 1000);
  return {
    ...nodeAnswer(),
    left: false,
    last_seen: now,
    first_seen: now - 100,
    class: "simulated",
    sequences: 0,
    ...change,
  };
}
