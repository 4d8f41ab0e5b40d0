// X25519 (RFC 7748): by WebCrypto where it is there, by the noble curves where not. Shared secrets of low-order points
// are refused.
import { concat, fromHex, isZero } from "../verify/bytes";
import { Malformed } from "../verify/refusal";
import { subtle } from "../verify/web-crypto";

export interface X25519Key {
  readonly publicKey: Uint8Array;
  /** Throws Malformed for a point of low order. */
  readonly agree: (peer: Uint8Array) => Promise<Uint8Array>;
}

const algorithm = { name: "X25519" };
const pkcs8Prefix = fromHex("302e020100300506032b656e04220420");
const basePoint = concat(Uint8Array.of(9), new Uint8Array(31));

async function importSecret(secret: Uint8Array): Promise<CryptoKey | undefined> {
  try {
    return await subtle().importKey("pkcs8", concat(pkcs8Prefix, secret), algorithm, false, ["deriveBits"]);
  } catch {
    return undefined;
  }
}

async function deriveByWebCrypto(key: CryptoKey, peer: Uint8Array): Promise<Uint8Array> {
  const publicKey = await subtle().importKey("raw", concat(peer), algorithm, false, []);
  try {
    return new Uint8Array(await subtle().deriveBits({ ...algorithm, public: publicKey }, key, 256));
  } catch {
    return new Uint8Array(32); // some engines refuse points of low order themselves
  }
}

async function makeDerive(secret: Uint8Array): Promise<(peer: Uint8Array) => Promise<Uint8Array>> {
  const key = await importSecret(secret);
  if (key !== undefined) return (peer) => deriveByWebCrypto(key, peer);
  const { x25519 } = await import("@noble/curves/ed25519.js");
  return async (peer) => {
    try {
      return x25519.getSharedSecret(secret, peer);
    } catch {
      return new Uint8Array(32);
    }
  };
}

export async function x25519FromSecret(secret: Uint8Array): Promise<X25519Key> {
  const derive = await makeDerive(concat(secret));
  const agree = async (peer: Uint8Array) => {
    if (peer.length !== 32) throw new Malformed("X25519: a public key has 32 bytes");
    const shared = await derive(peer);
    if (isZero(shared)) throw new Malformed("X25519: the public key is of low order");
    return shared;
  };
  return { publicKey: await agree(basePoint), agree };
}

export function generateX25519(): Promise<X25519Key> {
  return x25519FromSecret(crypto.getRandomValues(new Uint8Array(32)));
}
