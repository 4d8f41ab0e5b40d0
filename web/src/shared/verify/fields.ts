// Typed members of JSON objects: Malformed names the member and the wanted type, never what stood there.
import { type Address, fromHexFixed, type Hash, parseAddress, parseHash, type Wei } from "./bytes";
import { isArray, isObject, type Json, type JsonArray, type JsonObject } from "./json";
import { Malformed } from "./refusal";

function bad(key: string, what: string): Malformed {
  return new Malformed(`field '${key}': ${what}`);
}

function named<T>(key: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof Malformed) throw bad(key, error.message);
    throw error;
  }
}

export function expectObject(value: Json | undefined, what: string): JsonObject {
  if (!isObject(value)) throw new Malformed(`${what}: expected an object`);
  return value;
}

export function member(object: JsonObject, key: string): Json {
  const value = Object.hasOwn(object, key) ? object[key] : undefined;
  if (value === undefined) throw bad(key, "missing");
  return value;
}

export function optional(object: JsonObject, key: string): Json | undefined {
  return Object.hasOwn(object, key) ? object[key] : undefined;
}

export function getString(object: JsonObject, key: string): string {
  const value = member(object, key);
  if (typeof value !== "string") throw bad(key, "expected a string");
  return value;
}

export function getBool(object: JsonObject, key: string): boolean {
  const value = member(object, key);
  if (typeof value !== "boolean") throw bad(key, "expected true or false");
  return value;
}

/** An integer of [0, max]; without max, of 64 bits. */
export function getUint64(object: JsonObject, key: string, max: bigint = 2n ** 64n - 1n): bigint {
  const value = member(object, key);
  if (typeof value !== "bigint" || value < 0n) throw bad(key, "expected an integer that is not negative");
  if (value > max) throw bad(key, `over the limit of ${max}`);
  return value;
}

export function getUint(object: JsonObject, key: string, max: number = Number.MAX_SAFE_INTEGER): number {
  return Number(getUint64(object, key, BigInt(max)));
}

export function getArray(object: JsonObject, key: string, most?: number): JsonArray {
  const value = member(object, key);
  if (!isArray(value)) throw bad(key, "expected an array");
  if (most !== undefined && value.length > most) throw bad(key, "too many entries");
  return value;
}

export function getObject(object: JsonObject, key: string): JsonObject {
  const value = member(object, key);
  if (!isObject(value)) throw bad(key, "expected an object");
  return value;
}

export function getHex(object: JsonObject, key: string, size: number): Uint8Array<ArrayBuffer> {
  const text = getString(object, key);
  return named(key, () => fromHexFixed(text, size));
}

export function getHash(object: JsonObject, key: string): Hash {
  const text = getString(object, key);
  return named(key, () => parseHash(text));
}

export function getAddress(object: JsonObject, key: string): Address {
  const text = getString(object, key);
  return named(key, () => parseAddress(text));
}

export function parseWei(text: string): Wei {
  if (!/^[0-9]{1,39}$/.test(text)) throw new Malformed("expected an amount in wei");
  const value = BigInt(text);
  if (value >= 2n ** 128n) throw new Malformed("an amount over 128 bits");
  return value as Wei;
}

export function getWei(object: JsonObject, key: string): Wei {
  const text = getString(object, key);
  return named(key, () => parseWei(text));
}

/** Refuses members that are not listed. */
export function expectMembers(object: JsonObject, known: readonly string[], what: string): void {
  for (const key of Object.keys(object)) {
    if (!known.includes(key)) throw new Malformed(`${what}: an unknown member`);
  }
}
