// The parameters whose hash is a model id (docs/formats/typed-data.md, section Ids), as JSON and as ABI words. Pure.
import { type Address, concat, type Hash, toHash, toHex } from "./bytes";
import { expectObject, getAddress, getArray, getHash, getUint, getWei } from "./fields";
import { keccak256 } from "./hashes";
import type { Json, JsonObject } from "./json";
import { Malformed } from "./refusal";
import { addressWord, hashWord, uintWord } from "./typed-data";

export const maxSlots = 64;
const hour = 3600;

export interface SlotParams {
  readonly weights: Hash;
  readonly share: number;
}

export interface ModelParams {
  readonly manifest: Hash;
  readonly verifier: Address;
  /** wei per prompt token */
  readonly priceIn: bigint;
  /** wei per generated token */
  readonly priceOut: bigint;
  /** seconds */
  readonly timeout: number;
  /** seconds */
  readonly lease: number;
  readonly slots: readonly SlotParams[];
}

// The ranges that Registry.addModel accepts.
function checkParams(model: ModelParams): void {
  const refuse = (what: string) => new Malformed(`model: ${what}`);
  const shares = model.slots.reduce((sum, slot) => sum + slot.share, 0);
  if (model.slots.length === 0) throw refuse("must have 1 to 64 slots");
  if (/^0x0*$/.test(model.verifier)) throw refuse("the verifier is zero");
  if (model.timeout === 0 || model.timeout > 12 * hour) throw refuse("timeout must be 1 s to 12 h");
  if (model.lease < hour || model.lease > 90 * 24 * hour) throw refuse("lease must be 1 h to 90 days");
  if (model.slots.some((slot) => slot.share === 0)) throw refuse("a slot's share is zero");
  if (new Set(model.slots.map((slot) => slot.weights)).size !== model.slots.length) {
    throw refuse("two slots have equal weights");
  }
  if (shares > 0xffffffff) throw refuse("the shares sum to more than 32 bits");
}

function getPrice(json: JsonObject, key: string): bigint {
  const price = getWei(json, key);
  if (price >= 2n ** 64n) throw new Malformed(`field '${key}': over 64 bits`);
  return price;
}

/** Throws Malformed. */
export function modelParamsFromJson(value: Json): ModelParams {
  const json = expectObject(value, "model");
  const model = {
    manifest: getHash(json, "manifest"),
    verifier: getAddress(json, "verifier"),
    priceIn: getPrice(json, "price_in"),
    priceOut: getPrice(json, "price_out"),
    timeout: getUint(json, "timeout", 0xffffffff),
    lease: getUint(json, "lease", 0xffffffff),
    slots: getArray(json, "slots", maxSlots).map((item) => {
      const slot = expectObject(item, "slot");
      return { weights: getHash(slot, "weights"), share: getUint(slot, "share", 0xffffffff) };
    }),
  };
  checkParams(model);
  return model;
}

export function modelParamsJson(model: ModelParams): JsonObject {
  return {
    manifest: model.manifest,
    verifier: model.verifier,
    price_in: model.priceIn.toString(),
    price_out: model.priceOut.toString(),
    timeout: BigInt(model.timeout),
    lease: BigInt(model.lease),
    slots: model.slots.map((slot) => ({ weights: slot.weights, share: BigInt(slot.share) })),
  };
}

/** keccak256(abi.encode(model)): the struct is dynamic, so the first word is its offset. */
export function modelId(model: ModelParams): Hash {
  const slots = model.slots.flatMap((slot) => [hashWord(slot.weights), uintWord(slot.share, 32)]);
  const head = [hashWord(model.manifest), addressWord(model.verifier)];
  const numbers = [
    uintWord(model.priceIn, 64),
    uintWord(model.priceOut, 64),
    uintWord(model.timeout, 32),
    uintWord(model.lease, 32),
  ];
  const tail = [uintWord(7 * 32), uintWord(model.slots.length), ...slots];
  return toHash(keccak256(concat(uintWord(32), ...head, ...numbers, ...tail)));
}

/** First 26 bytes of keccak256(abi.encode(verifier, manifest, lease, weights)), in hex with 0x. */
export function familyOf(model: ModelParams): string {
  const head = [
    addressWord(model.verifier),
    hashWord(model.manifest),
    uintWord(model.lease, 32),
    uintWord(4 * 32),
  ];
  const weights = model.slots.map((slot) => hashWord(slot.weights));
  const hash = keccak256(concat(...head, uintWord(weights.length), ...weights));
  return `0x${toHex(hash.subarray(0, 26))}`;
}
