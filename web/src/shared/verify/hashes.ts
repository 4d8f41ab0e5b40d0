// The one place that names the hash library.
import { expand, extract } from "@noble/hashes/hkdf.js";
import { hmac } from "@noble/hashes/hmac.js";
import { sha256 as sha256Of } from "@noble/hashes/sha2.js";
import { keccak_256 } from "@noble/hashes/sha3.js";

export function sha256(bytes: Uint8Array): Uint8Array {
  return sha256Of(bytes);
}

export function keccak256(bytes: Uint8Array): Uint8Array {
  return keccak_256(bytes);
}

export function hmacSha256(key: Uint8Array, message: Uint8Array): Uint8Array {
  return hmac(sha256Of, key, message);
}

export function hkdfExtract(salt: Uint8Array, input: Uint8Array): Uint8Array {
  return extract(sha256Of, input, salt);
}

export function hkdfExpand(key: Uint8Array, info: Uint8Array, size: number): Uint8Array {
  return expand(sha256Of, key, info, size);
}
