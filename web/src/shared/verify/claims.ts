// What a node says about itself: one canonical CBOR map, bound into quotes through REPORTDATA. docs/formats/evidence.md
// sections 1 to 3. Parsing gives fields and no trust: only a VerifiedPeer's claims were attested.

import { type Address, concat, type Hash, toAddress, toHash } from "./bytes";
import { CborReader, cbor } from "./cbor";
import { sha256 } from "./hashes";
import { maxQuote } from "./quote";
import { Malformed } from "./refusal";

export const maxClaims = 1024;
export const maxEvidence = 64 << 10;
const evidenceTag = 60000;
const fieldCount = 14;
const sha256Id = 1n; // hash id of the interoperable "pubkey-hash"

export interface Claims {
  readonly host: Address;
  readonly slot: number;
  readonly blockNumber: bigint;
  readonly model: Hash;
  readonly policyHash: Uint8Array;
  readonly signer: Address;
  readonly bootId: Uint8Array;
  readonly weightsRoot: Hash;
  readonly chainId: bigint;
  readonly hpkeKey: Uint8Array;
  readonly registry: Address;
  readonly blockHash: Hash;
  /** Unix seconds */
  readonly blockTime: bigint;
  /** SHA-256 of the TLS key's SubjectPublicKeyInfo */
  readonly tlsKeyHash: Uint8Array;
}

class FieldReader {
  readonly cbor: CborReader;

  constructor(bytes: Uint8Array) {
    this.cbor = new CborReader(bytes);
  }

  private key(key: string): void {
    if (this.cbor.text() !== key) throw new Malformed(`expected field '${key}'`);
  }
  fixed(key: string, size: number): Uint8Array {
    this.key(key);
    const value = this.cbor.bytes();
    if (value.length !== size) throw new Malformed(`field '${key}' has a wrong size`);
    return value;
  }
  number(key: string): bigint {
    this.key(key);
    return this.cbor.uint();
  }
  keyHash(key: string): Uint8Array {
    this.key(key);
    const inner = new CborReader(this.cbor.bytes());
    inner.expectArray(2);
    if (inner.uint() !== sha256Id) throw new Malformed("CBOR: another count or tag");
    const value = inner.bytes();
    if (value.length !== 32) throw new Malformed(`field '${key}' has a wrong size`);
    inner.expectDone();
    return value;
  }
}

function readSlot(reader: FieldReader): number {
  const slot = reader.number("slot");
  if (slot > 0xffffffffn) throw new Malformed("field 'slot' is too large");
  return Number(slot);
}

/** Strict: canonical bytes only, every field, no other. Throws Malformed: check claims.structure. */
export function decodeClaims(bytes: Uint8Array): Claims {
  if (bytes.length > maxClaims) throw new Malformed("claims are too long");
  const reader = new FieldReader(bytes);
  reader.cbor.expectMap(fieldCount);
  // Keys by the bytes of their encoding, so by length first.
  const claims = {
    host: toAddress(reader.fixed("host", 20)),
    slot: readSlot(reader),
    blockNumber: reader.number("block"),
    model: toHash(reader.fixed("model", 32)),
    policyHash: reader.fixed("policy", 32),
    signer: toAddress(reader.fixed("signer", 20)),
    bootId: reader.fixed("boot-id", 16),
    weightsRoot: toHash(reader.fixed("weights", 32)),
    chainId: reader.number("chain-id"),
    hpkeKey: reader.fixed("hpke-key", 32),
    registry: toAddress(reader.fixed("registry", 20)),
    blockHash: toHash(reader.fixed("block-hash", 32)),
    blockTime: reader.number("block-time"),
    tlsKeyHash: reader.keyHash("pubkey-hash"),
  };
  reader.cbor.expectDone();
  return claims;
}

export interface Evidence {
  readonly quote: Uint8Array;
  /** the bytes that the quote binds */
  readonly claims: Uint8Array;
}

/** The value of the certificate extension. Throws Malformed: check evidence.structure. */
export function decodeEvidence(bytes: Uint8Array): Evidence {
  if (bytes.length > maxEvidence) throw new Malformed("the extension is too long");
  const reader = new CborReader(bytes);
  reader.expectTag(evidenceTag);
  reader.expectArray(2);
  const quote = reader.bytes();
  const claims = reader.bytes();
  reader.expectDone();
  if (quote.length > maxQuote || claims.length > maxClaims)
    throw new Malformed("quote or claims are too long");
  return { quote, claims };
}

export function encodeEvidence({ quote, claims }: Evidence): Uint8Array {
  return concat(cbor.tag(evidenceTag), cbor.array(2), cbor.bytes(quote), cbor.bytes(claims));
}

/** Layout (a): SHA-256 of the claims, 32 zero bytes. */
export function certificateReportData(claims: Uint8Array): Uint8Array {
  return concat(sha256(claims), new Uint8Array(32));
}

/** Layout (c): the digest that the caller computed, 32 zero bytes. */
export function joinReportData(digest: Uint8Array): Uint8Array {
  return concat(digest, new Uint8Array(32));
}
