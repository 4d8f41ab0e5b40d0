// AES-128-GCM by WebCrypto; the tag follows the ciphertext.
import { concat } from "../verify/bytes";
import { Malformed } from "../verify/refusal";
import { subtle } from "../verify/web-crypto";

export const aeadTagSize = 16;

export interface AeadKey {
  readonly seal: (nonce: Uint8Array, aad: Uint8Array, plaintext: Uint8Array) => Promise<Uint8Array>;
  /** Throws Malformed when it does not verify. */
  readonly open: (nonce: Uint8Array, aad: Uint8Array, ciphertext: Uint8Array) => Promise<Uint8Array>;
}

export async function aeadKey(bytes: Uint8Array): Promise<AeadKey> {
  const key = await subtle().importKey("raw", concat(bytes), "AES-GCM", false, ["encrypt", "decrypt"]);
  const parameters = (nonce: Uint8Array, aad: Uint8Array) => ({
    name: "AES-GCM",
    iv: concat(nonce),
    additionalData: concat(aad),
  });
  return {
    seal: async (nonce, aad, plaintext) =>
      new Uint8Array(await subtle().encrypt(parameters(nonce, aad), key, concat(plaintext))),
    open: async (nonce, aad, ciphertext) => {
      const web = subtle();
      try {
        return new Uint8Array(await web.decrypt(parameters(nonce, aad), key, concat(ciphertext)));
      } catch {
        throw new Malformed("sealed message: it does not verify");
      }
    },
  };
}

/** base XOR big-endian index in the last 8 bytes. */
export function sequenceNonce(base: Uint8Array, index: number): Uint8Array {
  const out = concat(base);
  const view = new DataView(out.buffer);
  const at = out.length - 8;
  view.setBigUint64(at, view.getBigUint64(at) ^ BigInt(index));
  return out;
}
