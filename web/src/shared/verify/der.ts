// Strict DER (X.690): definite, shortest lengths; one-byte tags. Views, no trust.
import { toHex } from "./bytes";
import { Malformed } from "./refusal";

export const tag = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  oid: 0x06,
  utf8String: 0x0c,
  printableString: 0x13,
  ia5String: 0x16,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
  set: 0x31,
} as const;

export interface DerItem {
  readonly tag: number;
  readonly value: Uint8Array;
  /** header and value */
  readonly whole: Uint8Array;
}

export class DerReader {
  private at = 0;
  private readonly bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  get done(): boolean {
    return this.at === this.bytes.length;
  }

  peek(): number {
    return this.bytes[this.at] ?? -1;
  }

  private byte(): number {
    const value = this.bytes[this.at++];
    if (value === undefined) throw new Malformed("DER: ends too early");
    return value;
  }

  private length(): number {
    const first = this.byte();
    if (first < 0x80) return first;
    const count = first & 0x7f;
    if (count === 0 || count > 3) throw new Malformed("DER: bad length");
    let length = 0;
    for (let i = 0; i < count; i++) length = length * 256 + this.byte();
    if (length < 0x80 || length < 256 ** (count - 1)) throw new Malformed("DER: bad length");
    return length;
  }

  any(): DerItem {
    const from = this.at;
    const itemTag = this.byte();
    if ((itemTag & 0x1f) === 0x1f) throw new Malformed("DER: long tag");
    const length = this.length();
    if (length > this.bytes.length - this.at) throw new Malformed("DER: ends too early");
    const value = this.bytes.subarray(this.at, this.at + length);
    this.at += length;
    return { tag: itemTag, value, whole: this.bytes.subarray(from, this.at) };
  }

  item(expected: number): DerItem {
    const item = this.any();
    if (item.tag !== expected) throw new Malformed("DER: item of another type");
    return item;
  }

  read(expected: number): Uint8Array {
    return this.item(expected).value;
  }

  enter(expected: number): DerReader {
    return new DerReader(this.read(expected));
  }

  expectDone(what: string): void {
    if (!this.done) throw new Malformed(`${what}: bytes too many`);
  }
}

/** One item that fills the bytes. */
export function readWhole(bytes: Uint8Array, expected: number, what: string): DerReader {
  const reader = new DerReader(bytes);
  const inner = reader.enter(expected);
  reader.expectDone(what);
  return inner;
}

/** The magnitude of a non-negative INTEGER, big-endian, without leading zeros. */
export function readMagnitude(reader: DerReader, maxBytes: number): Uint8Array {
  const value = reader.read(tag.integer);
  const [first, second] = value;
  if (first === undefined) throw new Malformed("DER: empty integer");
  if (first >= 0x80) throw new Malformed("DER: negative integer");
  if (first === 0 && second !== undefined && second < 0x80)
    throw new Malformed("DER: integer is not the shortest");
  const magnitude = first === 0 ? value.subarray(1) : value;
  if (magnitude.length > maxBytes) throw new Malformed("DER: integer is too long");
  return magnitude;
}

export function readSmallInteger(reader: DerReader, max: number): number {
  let out = 0;
  for (const byte of readMagnitude(reader, 4)) out = out * 256 + byte;
  if (out > max) throw new Malformed("DER: integer is too large");
  return out;
}

/** Object identifiers are compared by the hex of their content. */
export function readOid(reader: DerReader): string {
  const value = reader.read(tag.oid);
  if (value.length === 0 || value.length > 64) throw new Malformed("DER: bad object identifier");
  return toHex(value);
}
