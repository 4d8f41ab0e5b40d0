// The preimages of a model id: parameters and manifest, hashed here before anything in them is believed.
import { queryOptions } from "@tanstack/react-query";
import * as v from "valibot";
import { encodeAbiParameters, type Hash, keccak256 } from "viem";
import { askGateway, GatewayError } from "./ask-gateway.ts";
import { address, count, hash, wei } from "./forms.ts";

const params = v.object({
  manifest: hash,
  verifier: address,
  price_in: wei,
  price_out: wei,
  timeout: count,
  lease: count,
  slots: v.pipe(v.array(v.object({ weights: hash, share: count })), v.minLength(1), v.maxLength(64)),
});
const schema = v.object({ id: hash, params, manifest: v.pipe(v.string(), v.maxLength(33 << 20)) });

const kat = v.object({ n_tokens: count, output_sha256: v.string(), seed: v.string() });
const manifestForm = v.object({
  name: v.string(),
  config: v.record(v.string(), v.string()),
  tensors: v.array(v.object({ name: v.string(), bytes: count, dtype: v.string() })),
  slots: v.array(
    v.object({
      first_block: count,
      block_count: count,
      tensors: v.array(v.string()),
      weights_root: v.string(),
      file: v.string(),
      file_bytes: count,
      file_sha256: v.string(),
      kats: v.array(kat),
    }),
  ),
});

export type ModelParams = v.InferOutput<typeof params>;
export type ManifestFacts = v.InferOutput<typeof manifestForm>;

export interface ModelFacts {
  readonly id: Hash;
  readonly params: ModelParams;
  readonly manifest: ManifestFacts;
  readonly manifestText: string;
  readonly manifestHash: Hash; // computed here; equal to params.manifest
}

const MODEL_ABI = [
  {
    type: "tuple",
    components: [
      { name: "manifest", type: "bytes32" },
      { name: "verifier", type: "address" },
      { name: "priceIn", type: "uint64" },
      { name: "priceOut", type: "uint64" },
      { name: "timeout", type: "uint32" },
      { name: "lease", type: "uint32" },
      {
        name: "slots",
        type: "tuple[]",
        components: [
          { name: "weights", type: "bytes32" },
          { name: "share", type: "uint32" },
        ],
      },
    ],
  },
] as const;

export function modelId(p: ModelParams): Hash {
  const { manifest, verifier, timeout, lease, slots } = p;
  return keccak256(
    encodeAbiParameters(MODEL_ABI, [
      { manifest, verifier, priceIn: p.price_in, priceOut: p.price_out, timeout, lease, slots },
    ]),
  );
}

/** Throws unless everything hashes to the id that was asked for. */
export async function checkModel(answer: unknown, wanted: Hash | null): Promise<ModelFacts> {
  const found = v.parse(schema, answer);
  const id = modelId(found.params);
  if (id !== found.id || (wanted !== null && id !== wanted))
    throw refused("The model’s parameters do not hash to its id.");
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(found.manifest));
  const manifestHash: Hash = `0x${Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("")}`;
  if (manifestHash !== found.params.manifest)
    throw refused("The manifest does not hash to what the model’s id names.");
  const manifest = v.parse(manifestForm, JSON.parse(found.manifest));
  const roots = manifest.slots.map((slot) => `0x${slot.weights_root.replace(/^0x/, "")}`);
  if (
    roots.length !== found.params.slots.length ||
    roots.some((root, i) => root !== found.params.slots[i]?.weights)
  ) {
    throw refused("The manifest’s slots are not those of the model’s id.");
  }
  return { id, params: found.params, manifest, manifestText: found.manifest, manifestHash };
}

function refused(message: string): GatewayError {
  return new GatewayError(message, 200, "Somebody changed it on the way. Use another gateway.");
}

export async function getModel(gateway: string, idOrName: string, signal?: AbortSignal): Promise<ModelFacts> {
  const answer = await askGateway(gateway, `/v1/teetee/models/${encodeURIComponent(idOrName)}`, v.unknown(), {
    signal,
  });
  return checkModel(answer, /^0x[0-9a-f]{64}$/.test(idOrName) ? (idOrName as Hash) : null);
}

export const modelQuery = (gateway: string, idOrName: string) =>
  queryOptions({
    queryKey: ["gateway", gateway, "model", idOrName],
    queryFn: ({ signal }) => getModel(gateway, idOrName, signal),
    staleTime: Number.POSITIVE_INFINITY,
  });
