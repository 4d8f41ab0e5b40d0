// The receipt document and its commitments. docs/formats/receipt.md. Strict parsing; no trust: receipt-check.ts judges.
import { type Address, fromHexFixed, type Hash, toHash, toHex, utf8 } from "./bytes";
import {
  expectMembers,
  expectObject,
  getAddress,
  getArray,
  getHash,
  getHex,
  getObject,
  getString,
  getUint,
  getUint64,
  getWei,
} from "./fields";
import { hkdfExpand, hkdfExtract, hmacSha256, sha256 } from "./hashes";
import { canonicalJson, type Json, type JsonObject } from "./json";
import { maxSlots } from "./model-params";
import { Malformed } from "./refusal";
import { type CompactSignature, parseSignature } from "./secp256k1";
import type { Part, Receipt, Work } from "./typed-data";

const maxStages = 256;
const u32 = 0xffffffff;

export interface TranscriptStage {
  readonly slot: number;
  readonly key: Address;
  readonly host: Address;
  readonly weights: Hash;
  readonly boot: string;
  readonly activations: string;
}

export interface Transcript {
  readonly chainId: bigint;
  readonly ledger: Address;
  readonly registry: Address;
  readonly model: Hash;
  readonly manifest: Hash;
  /** hex, 16 bytes */
  readonly request: string;
  /** hex, 32 bytes */
  readonly plan: string;
  readonly mode: string;
  readonly blockNumber: bigint;
  readonly blockHash: Hash;
  /** Unix seconds */
  readonly blockTime: bigint;
  readonly finish: string;
  readonly stages: readonly TranscriptStage[];
}

export type SignedWork = Omit<Work, "line"> & { readonly signature: CompactSignature };
export type SignedPart = Omit<Part, "query"> & { readonly signature: CompactSignature };

export interface ReceiptDocument {
  readonly receipt: Receipt;
  /** the head's */
  readonly signature: CompactSignature;
  readonly transcript: Transcript;
  /** tab mode */
  readonly work: readonly SignedWork[];
  /** strict mode */
  readonly parts: readonly SignedPart[];
  /** the document as JSON, for bundles */
  readonly json: JsonObject;
}

function commitmentKey(secret: Uint8Array, label: string): Uint8Array {
  return hkdfExpand(hkdfExtract(new Uint8Array(0), secret), utf8(label), 32);
}

/** Receipt.input: of the request body, byte for byte. */
export function commitInput(secret: Uint8Array, body: string): Hash {
  return toHash(hmacSha256(commitmentKey(secret, "teetee input v1"), utf8(body)));
}

/** Receipt.output: of the answer texts, one per choice. */
export function commitOutput(secret: Uint8Array, texts: readonly string[]): Hash {
  return toHash(hmacSha256(commitmentKey(secret, "teetee output v1"), utf8(canonicalJson(texts))));
}

function stageFrom(value: Json): TranscriptStage {
  const json = expectObject(value, "stage");
  expectMembers(json, ["slot", "key", "host", "weights", "boot", "activations"], "stage");
  return {
    slot: getUint(json, "slot", maxSlots - 1),
    key: getAddress(json, "key"),
    host: getAddress(json, "host"),
    weights: getHash(json, "weights"),
    boot: toHex(getHex(json, "boot", 16)),
    activations: toHex(getHex(json, "activations", 32)),
  };
}

const transcriptMembers = [
  ...[
    "v",
    "profile",
    "chain_id",
    "ledger",
    "registry",
    "model",
    "manifest",
    "request",
    "plan",
    "mode",
    "block",
  ],
  ...["finish", "stages"],
];

function transcriptFrom(json: JsonObject): Transcript {
  expectMembers(json, transcriptMembers, "transcript");
  if (getUint64(json, "v") !== 1n) throw new Malformed("transcript: unknown version");
  if (getUint64(json, "profile") !== 1n) throw new Malformed("transcript: unknown numeric profile");
  const block = getObject(json, "block");
  expectMembers(block, ["number", "hash", "time"], "block");
  return {
    chainId: getUint64(json, "chain_id"),
    ledger: getAddress(json, "ledger"),
    registry: getAddress(json, "registry"),
    model: getHash(json, "model"),
    manifest: getHash(json, "manifest"),
    request: toHex(getHex(json, "request", 16)),
    plan: toHex(getHex(json, "plan", 32)),
    mode: getString(json, "mode"),
    blockNumber: getUint64(block, "number"),
    blockHash: getHash(block, "hash"),
    blockTime: getUint64(block, "time"),
    finish: getString(json, "finish"),
    stages: getArray(json, "stages", maxStages).map(stageFrom),
  };
}

/** Receipt.transcript: SHA-256 of the canonical JSON. */
export function transcriptHash(transcript: Transcript): Hash {
  const { blockNumber, blockHash, blockTime, chainId, stages, ...rest } = transcript;
  const json = {
    ...rest,
    v: 1n,
    profile: 1n,
    chain_id: chainId,
    block: { number: blockNumber, hash: blockHash, time: blockTime },
    stages: stages.map((stage) => ({ ...stage, slot: BigInt(stage.slot) })),
  };
  return toHash(sha256(utf8(canonicalJson(json))));
}

const receiptMembers = ["query", "line", "input", "output", "tokens_in", "tokens_out", "cost", "transcript"];

export function receiptFromJson(value: Json): Receipt {
  const json = expectObject(value, "receipt");
  expectMembers(json, receiptMembers, "receipt");
  return {
    query: getHash(json, "query"),
    line: getHash(json, "line"),
    input: getHash(json, "input"),
    output: getHash(json, "output"),
    tokensIn: getUint(json, "tokens_in", u32),
    tokensOut: getUint(json, "tokens_out", u32),
    cost: getWei(json, "cost"),
    transcript: getHash(json, "transcript"),
  };
}

function workFrom(value: Json): SignedWork {
  const json = expectObject(value, "work");
  expectMembers(json, ["key", "slot", "total", "signature"], "work");
  return {
    key: getAddress(json, "key"),
    slot: getUint(json, "slot", maxSlots - 1),
    total: getWei(json, "total"),
    signature: parseSignature(getString(json, "signature")),
  };
}

function partFrom(value: Json): SignedPart {
  const json = expectObject(value, "part");
  expectMembers(json, ["key", "slot", "tokens_in", "tokens_out", "signature"], "part");
  return {
    key: getAddress(json, "key"),
    slot: getUint(json, "slot", maxSlots - 1),
    tokensIn: getUint(json, "tokens_in", u32),
    tokensOut: getUint(json, "tokens_out", u32),
    signature: parseSignature(getString(json, "signature")),
  };
}

/** Strict: no unknown members. Throws Malformed. */
export function receiptDocumentFromJson(value: Json): ReceiptDocument {
  const json = expectObject(value, "receipt document");
  expectMembers(json, ["receipt", "signature", "transcript", "work", "parts"], "receipt document");
  return {
    receipt: receiptFromJson(getObject(json, "receipt")),
    signature: parseSignature(getString(json, "signature")),
    transcript: transcriptFrom(getObject(json, "transcript")),
    work: getArray(json, "work", maxStages).map(workFrom),
    parts: getArray(json, "parts", maxStages).map(partFrom),
    json,
  };
}

/** 32 random bytes: every commitment in the receipt is keyed by them. */
export function newSecret(): Uint8Array {
  return crypto.getRandomValues(new Uint8Array(32));
}

export function secretFromHex(text: string): Uint8Array {
  return fromHexFixed(text, 32);
}
