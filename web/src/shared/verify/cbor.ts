// The part of CBOR (RFC 8949) that evidence uses, in deterministic encoding (section 4.2.1): shortest heads, definite
// lengths.
import { ByteReader, concat, fromUtf8, utf8 } from "./bytes";
import { Malformed } from "./refusal";

const major = { uint: 0, bytes: 2, text: 3, array: 4, map: 5, tag: 6 } as const;
type Major = (typeof major)[keyof typeof major];

export class CborReader {
  private readonly input: ByteReader;

  constructor(bytes: Uint8Array) {
    this.input = new ByteReader(bytes);
  }

  private head(expected: Major): bigint {
    const first = this.input.u8();
    if (first >> 5 !== expected) throw new Malformed("CBOR: item of another type");
    const info = first & 31;
    if (info < 24) return BigInt(info);
    if (info > 27) throw new Malformed("CBOR: indefinite or reserved length");
    const size = 1 << (info - 24);
    const value = this.input.uintBe(size);
    const least = size === 1 ? 24n : 1n << BigInt(4 * size);
    if (value < least) throw new Malformed("CBOR: not the shortest encoding");
    return value;
  }

  private string(kind: Major): Uint8Array {
    const size = this.head(kind);
    if (size > BigInt(this.input.remaining)) throw new Malformed("CBOR: string too long");
    return this.input.view(Number(size));
  }

  uint(): bigint {
    return this.head(major.uint);
  }
  bytes(): Uint8Array {
    return this.string(major.bytes);
  }
  text(): string {
    return fromUtf8(this.string(major.text));
  }
  expectArray(count: number): void {
    this.expect(major.array, count);
  }
  expectMap(count: number): void {
    this.expect(major.map, count);
  }
  expectTag(value: number): void {
    this.expect(major.tag, value);
  }
  private expect(kind: Major, value: number): void {
    if (this.head(kind) !== BigInt(value)) throw new Malformed("CBOR: another count or tag");
  }
  expectDone(): void {
    this.input.expectDone("CBOR");
  }
}

function writeHead(kind: Major, value: bigint): Uint8Array {
  const size = value < 24n ? 0 : value <= 0xffn ? 1 : value <= 0xffffn ? 2 : value <= 0xffffffffn ? 4 : 8;
  const info = size === 0 ? Number(value) : 24 + Math.log2(size);
  const out = new Uint8Array(1 + size);
  out[0] = (kind << 5) | info;
  for (let i = 0; i < size; i++) out[size - i] = Number((value >> BigInt(8 * i)) & 0xffn);
  return out;
}

export const cbor = {
  uint: (value: bigint) => writeHead(major.uint, value),
  bytes: (value: Uint8Array) => concat(writeHead(major.bytes, BigInt(value.length)), value),
  text: (value: string) => concat(writeHead(major.text, BigInt(utf8(value).length)), utf8(value)),
  array: (count: number) => writeHead(major.array, BigInt(count)),
  map: (count: number) => writeHead(major.map, BigInt(count)),
  tag: (value: number) => writeHead(major.tag, BigInt(value)),
};
