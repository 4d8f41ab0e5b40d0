// ECDSA over P-256 with SHA-256 by WebCrypto. Signatures are raw r || s, keys x || y.
import { concat } from "./bytes";
import { Malformed } from "./refusal";
import { subtle } from "./web-crypto";

const algorithm = { name: "ECDSA", namedCurve: "P-256" };

async function importKey(key: Uint8Array): Promise<CryptoKey> {
  const web = subtle();
  try {
    return await web.importKey("raw", concat(Uint8Array.of(4), key), algorithm, false, ["verify"]);
  } catch {
    throw new Malformed("the public key is no point of P-256");
  }
}

/** Throws Malformed unless the signature is good. */
export async function verifyP256(key: Uint8Array, message: Uint8Array, signature: Uint8Array): Promise<void> {
  const imported = await importKey(key);
  const parameters = { name: "ECDSA", hash: "SHA-256" };
  const good = await subtle().verify(parameters, imported, concat(signature), concat(message));
  if (!good) throw new Malformed("the signature does not verify");
}
