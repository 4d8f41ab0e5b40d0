// The manifest: the facts of a model that everybody must agree on before a prompt is sent. docs/formats/manifest.md.
// Strict: only the canonical bytes of a document whose relations hold are accepted.
import {
  compareUtf8,
  concat,
  fromHexFixed,
  fromUtf8,
  type Hash,
  toHash,
  toHex,
  u32le,
  u64le,
  utf8,
} from "./bytes";
import { expectMembers, expectObject, getArray, getObject, getString, getUint64, optional } from "./fields";
import { sha256 } from "./hashes";
import { canonicalJson, type Json, type JsonObject, parseJson } from "./json";
import { Malformed } from "./refusal";

export const maxManifest = 32 << 20;
const maxInteger = 2n ** 53n - 1n; // what RFC 8785's numbers carry exactly
const limits = {
  tensors: 1 << 16,
  slots: 256,
  layers: 512,
  config: 64,
  kats: 16,
  system: 4096,
  katTokens: 4096,
} as const;

export interface Tensor {
  readonly name: string;
  readonly dtype: string;
  /** GGUF order: contiguous first */
  readonly dims: readonly number[];
  readonly bytes: number;
  readonly sha256: Uint8Array;
}

/** A slot that computes correctly gives exactly this hash for the inputs made from seed. */
export interface KnownAnswer {
  /** 0x and 16 hex digits */
  readonly seed: string;
  readonly nTokens: number;
  /** hex */
  readonly outputSha256: string;
}

export interface ManifestSlot {
  readonly firstBlock: number;
  readonly blockCount: number;
  readonly share: number;
  /** names, sorted */
  readonly tensors: readonly string[];
  readonly weightsRoot: Hash;
  readonly file: string;
  readonly fileBytes: number;
  readonly kats: readonly KnownAnswer[];
}

export interface Manifest {
  readonly name: string;
  /** the system message of a conversation that brings none; may be empty */
  readonly system: string;
  readonly config: ReadonlyMap<string, string>;
  readonly tensors: readonly Tensor[];
  readonly tensorsRoot: Hash;
  readonly slots: readonly ManifestSlot[];
}

function bad(what: string): Malformed {
  return new Malformed(`manifest: ${what}`);
}

const leafLabel = utf8("teetee tensor leaf v1\n");
const nodeLabel = utf8("teetee tensor node v1\n");

export function tensorLeaf(tensor: Tensor): Uint8Array {
  const text = (value: string) => concat(u32le(utf8(value).length), utf8(value));
  const dims = tensor.dims.map((dim) => u64le(BigInt(dim)));
  const count = u32le(dims.length);
  const size = u64le(BigInt(tensor.bytes));
  return sha256(
    concat(leafLabel, text(tensor.name), text(tensor.dtype), count, ...dims, size, tensor.sha256),
  );
}

// The shape of RFC 6962 section 2.1.
function rootOf(leaves: readonly Uint8Array[]): Uint8Array {
  const [first] = leaves;
  if (first === undefined) throw bad("a root over no tensors");
  if (leaves.length === 1) return first;
  const left = 2 ** Math.floor(Math.log2(leaves.length - 1));
  return sha256(concat(nodeLabel, rootOf(leaves.slice(0, left)), rootOf(leaves.slice(left))));
}

/** Over tensors in the order of their names; does not depend on the cut. */
export function weightsRoot(leaves: readonly Uint8Array[]): Hash {
  return toHash(rootOf(leaves));
}

function isPrintable(text: string): boolean {
  return /^[ -~]*$/.test(text) && text.length <= 256;
}

function isName(text: string): boolean {
  return text !== "" && isPrintable(text);
}

// Hashes are written in lower case without prefix: one spelling of each document.
function getPlainHash(json: JsonObject, key: string): Uint8Array {
  const text = getString(json, key);
  if (!/^[0-9a-f]{64}$/.test(text)) throw bad(`field '${key}' is not 32 bytes of hex`);
  return fromHexFixed(text, 32);
}

function getNumber(json: JsonObject, key: string, least: number, most: bigint = maxInteger): number {
  const value = getUint64(json, key);
  if (value < BigInt(least) || value > most) throw bad(`${key} out of range`);
  return Number(value);
}

function tensorFrom(value: Json): Tensor {
  const json = expectObject(value, "tensor");
  expectMembers(json, ["bytes", "dims", "dtype", "name", "sha256"], "tensor");
  const name = getString(json, "name");
  const dtype = getString(json, "dtype");
  if (!isName(name) || !isName(dtype))
    throw bad("a tensor's name or dtype is not printable ASCII of 1 to 256 bytes");
  const dims = getArray(json, "dims", 4).map((dim) => {
    if (typeof dim !== "bigint" || dim <= 0n || dim > maxInteger) throw bad("dimension out of range");
    return Number(dim);
  });
  if (dims.length === 0) throw bad("not 1 to 4 dims");
  return { name, dtype, dims, bytes: getNumber(json, "bytes", 1), sha256: getPlainHash(json, "sha256") };
}

function katFrom(value: Json): KnownAnswer {
  const json = expectObject(value, "known answer");
  expectMembers(json, ["n_tokens", "output_sha256", "seed"], "known answer");
  const seed = getString(json, "seed");
  if (!/^0x[0-9a-f]{16}$/.test(seed)) throw bad("seed is not 8 bytes of hex");
  return {
    seed,
    nTokens: getNumber(json, "n_tokens", 1, BigInt(limits.katTokens)),
    outputSha256: toHex(getPlainHash(json, "output_sha256")),
  };
}

const slotMembers = [
  "block_count",
  "file",
  "file_bytes",
  "file_sha256",
  "first_block",
  "kats",
  "share",
  "tensors",
  "weights_root",
];

function slotFrom(value: Json): ManifestSlot {
  const json = expectObject(value, "slot");
  expectMembers(json, slotMembers, "slot");
  const file = getString(json, "file");
  if (!isName(file) || file.startsWith(".") || /[/\\]/.test(file)) throw bad("file is not a plain file name");
  getPlainHash(json, "file_sha256");
  const tensors = getArray(json, "tensors", limits.tensors).map((name) => {
    if (typeof name !== "string") throw bad("a slot's tensors are not all names");
    return name;
  });
  return {
    file,
    tensors,
    firstBlock: getNumber(json, "first_block", 0),
    blockCount: getNumber(json, "block_count", 1, BigInt(limits.layers)),
    share: getNumber(json, "share", 1),
    weightsRoot: toHash(getPlainHash(json, "weights_root")),
    fileBytes: getNumber(json, "file_bytes", 1),
    kats: getArray(json, "kats", limits.kats).map(katFrom),
  };
}

function configFrom(json: JsonObject): Map<string, string> {
  const entries = Object.entries(getObject(json, "config"));
  if (entries.length > limits.config) throw bad("too many entries in config");
  return new Map(
    entries.map(([key, value]) => {
      if (typeof value !== "string") throw bad("a value of config is not a string");
      if (!isName(key) || !isPrintable(value))
        throw bad("config holds a key or value that is not printable ASCII");
      return [key, value] as const;
    }),
  );
}

function layersOf(config: ReadonlyMap<string, string>): number {
  const text = config.get("n_layers") ?? "";
  const layers = Number(text);
  if (!/^[1-9][0-9]{0,2}$/.test(text) || layers > limits.layers) throw bad("config n_layers is not 1 to 512");
  return layers;
}

function checkSorted(names: readonly string[], what: string): void {
  for (let i = 1; i < names.length; i++) {
    if (compareUtf8(names[i - 1] as string, names[i] as string) >= 0)
      throw bad(`${what}: not sorted, or one twice`);
  }
}

// Every slot's tensors are the model's and hash to its root; together they are all.
function checkTensors(manifest: Manifest): void {
  const { tensors, slots } = manifest;
  checkSorted(
    tensors.map((tensor) => tensor.name),
    "tensors",
  );
  const leaves = new Map(tensors.map((tensor) => [tensor.name, tensorLeaf(tensor)]));
  if (weightsRoot([...leaves.values()]) !== manifest.tensorsRoot)
    throw bad("tensors_root is not the root of tensors");
  slots.forEach((slot, i) => {
    checkSorted(slot.tensors, `slot ${i}`);
    const own = slot.tensors.map((name) => {
      const leaf = leaves.get(name);
      if (leaf === undefined) throw bad(`slot ${i}: names a tensor that the model has not`);
      return leaf;
    });
    if (weightsRoot(own) !== slot.weightsRoot)
      throw bad(`slot ${i}: weights_root is not the root of its tensors`);
  });
  const placed = new Set(slots.flatMap((slot) => slot.tensors));
  if (placed.size !== tensors.length) throw bad("a tensor is in no slot");
}

function checkSlots({ config, slots }: Manifest): void {
  let next = 0;
  slots.forEach((slot, i) => {
    if (slot.firstBlock !== next) throw bad(`slot ${i}: does not begin where the slot before it ends`);
    if (slot.share !== slot.blockCount) throw bad(`slot ${i}: share is not its number of blocks`);
    next += slot.blockCount;
  });
  if (next !== layersOf(config)) throw bad("the slots do not cover all blocks");
  if (new Set(slots.map((slot) => slot.file)).size !== slots.length)
    throw bad("two slots have the same file");
}

const members = [
  "config",
  "name",
  "profile",
  "slots",
  "system",
  "tensors",
  "tensors_root",
  "tokenizer_sha256",
  "version",
];

/** Throws Malformed: another spelling, an unknown field, a bound or a relation that does not hold. */
export function parseManifest(document: Uint8Array): Manifest {
  const json = expectObject(parseJson(document, { maxBytes: maxManifest, maxDepth: 8 }), "manifest");
  if (canonicalJson(json) !== fromUtf8(document)) throw bad("not in canonical form");
  expectMembers(json, members, "manifest");
  if (getUint64(json, "version") !== 1n) throw bad("unknown version");
  if (getUint64(json, "profile") !== 1n) throw bad("unknown numeric profile");
  getPlainHash(json, "tokenizer_sha256");
  const system = optional(json, "system") === undefined ? undefined : getString(json, "system");
  const name = getString(json, "name");
  if (!isPrintable(name)) throw bad("name is not printable ASCII");
  if (system !== undefined && (system === "" || utf8(system).length > limits.system))
    throw bad("bad system message");
  const manifest = {
    name,
    system: system ?? "",
    config: configFrom(json),
    tensors: getArray(json, "tensors", limits.tensors).map(tensorFrom),
    tensorsRoot: toHash(getPlainHash(json, "tensors_root")),
    slots: getArray(json, "slots", limits.slots).map(slotFrom),
  };
  if (manifest.slots.length === 0) throw bad("no slots");
  checkSlots(manifest);
  checkTensors(manifest);
  return manifest;
}

/** SHA-256 of the document's bytes: the model's word on chain. */
export function manifestHash(document: Uint8Array): Hash {
  return toHash(sha256(document));
}
