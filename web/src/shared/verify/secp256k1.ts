// secp256k1 keys and signatures in the compact form of EIP-2098: r || vs, 64 bytes of hex as the documents carry them.
import { secp256k1 } from "@noble/curves/secp256k1.js";
import { type Address, type Brand, concat, fromHexFixed, type Hash, isZero, toAddress, toHex } from "./bytes";
import { keccak256 } from "./hashes";
import { Malformed } from "./refusal";
import { type Domain, type Messages, type MessageType, typedDigest } from "./typed-data";

/** 128 lower-case hex digits: r || vs. */
export type CompactSignature = Brand<string, "CompactSignature">;
/** 32 bytes; secret. */
export type PrivateKey = Brand<Uint8Array, "PrivateKey">;

export function parseSignature(text: string): CompactSignature {
  return toHex(fromHexFixed(text, 64)) as CompactSignature;
}

/** The two words of a signature as contracts take them. */
export function signatureWords(signature: CompactSignature): { readonly r: Hash; readonly vs: Hash } {
  return { r: `0x${signature.slice(0, 64)}` as Hash, vs: `0x${signature.slice(64)}` as Hash };
}

/** A wallet's 65 bytes r || s || v in the compact form. Throws Malformed. */
export function compactFromWallet(signature: string): CompactSignature {
  const bytes = fromHexFixed(signature, 65);
  const v = bytes[64] as number;
  const parity = v >= 27 ? v - 27 : v;
  if (parity > 1 || (bytes[32] as number) >= 0x80) throw new Malformed("signature: not of the compact form");
  bytes[32] = (bytes[32] as number) | (parity << 7);
  return toHex(bytes.subarray(0, 64)) as CompactSignature;
}

export function privateKey(bytes: Uint8Array): PrivateKey {
  if (!secp256k1.utils.isValidPrivateKey(bytes)) throw new Malformed("not a secp256k1 private key");
  return concat(bytes) as Uint8Array as PrivateKey;
}

export function generatePrivateKey(): PrivateKey {
  return secp256k1.utils.randomPrivateKey() as PrivateKey;
}

function addressOfPoint(uncompressed: Uint8Array): Address {
  return toAddress(keccak256(uncompressed.subarray(1)).subarray(12));
}

export function addressOf(key: PrivateKey): Address {
  return addressOfPoint(secp256k1.getPublicKey(key, false));
}

export function signDigest(digest: Hash, key: PrivateKey): CompactSignature {
  const signature = secp256k1.sign(fromHexFixed(digest, 32), key, { lowS: true });
  const bytes = signature.toCompactRawBytes();
  bytes[32] = (bytes[32] as number) | (signature.recovery << 7);
  return toHex(bytes) as CompactSignature;
}

/** Undefined when nobody can have made the signature. */
export function recoverSigner(digest: Hash, signature: CompactSignature): Address | undefined {
  try {
    const bytes = fromHexFixed(signature, 64);
    const parity = (bytes[32] as number) >> 7;
    bytes[32] = (bytes[32] as number) & 0x7f;
    const parsed = secp256k1.Signature.fromCompact(bytes);
    if (parsed.hasHighS()) return undefined;
    const point = parsed.addRecoveryBit(parity).recoverPublicKey(fromHexFixed(digest, 32));
    return addressOfPoint(point.toRawBytes(false));
  } catch {
    return undefined;
  }
}

export function isSignedBy(signer: Address, digest: Hash, signature: CompactSignature): boolean {
  return !isZero(fromHexFixed(signer, 20)) && recoverSigner(digest, signature) === signer;
}

export function signTyped<T extends MessageType>(
  domain: Domain,
  type: T,
  message: Messages[T],
  key: PrivateKey,
): CompactSignature {
  return signDigest(typedDigest(domain, type, message), key);
}

export function verifyTyped<T extends MessageType>(
  domain: Domain,
  type: T,
  message: Messages[T],
  signer: Address,
  signature: CompactSignature,
): boolean {
  return isSignedBy(signer, typedDigest(domain, type, message), signature);
}
