// Bytes: bounded reading, hex, base64, comparison. Foreign text and bytes give Malformed, never anything else.
import { Malformed } from "./refusal";

declare const brand: unique symbol;
export type Brand<T, Name extends string> = T & { readonly [brand]: Name };

/** 0x and 40 lower-case hex digits. */
export type Address = Brand<`0x${string}`, "Address">;
/** 0x and 64 lower-case hex digits. */
export type Hash = Brand<`0x${string}`, "Hash">;
/** An amount of money, [0, 2^128). */
export type Wei = Brand<bigint, "Wei">;

const hexDigits = Array.from({ length: 256 }, (_, i) => i.toString(16).padStart(2, "0"));

export function toHex(bytes: Uint8Array): string {
  let out = "";
  for (const byte of bytes) out += hexDigits[byte];
  return out;
}

function hexValue(code: number): number {
  if (code >= 48 && code <= 57) return code - 48;
  if (code >= 97 && code <= 102) return code - 87;
  if (code >= 65 && code <= 70) return code - 55;
  throw new Malformed("not hexadecimal");
}

/** Hex digits of either case, with or without 0x. */
export function fromHex(text: string): Uint8Array<ArrayBuffer> {
  const from = text.startsWith("0x") || text.startsWith("0X") ? 2 : 0;
  if ((text.length - from) % 2 !== 0) throw new Malformed("hex text of odd length");
  const out = new Uint8Array((text.length - from) / 2);
  for (let i = 0; i < out.length; i++) {
    out[i] = (hexValue(text.charCodeAt(from + 2 * i)) << 4) | hexValue(text.charCodeAt(from + 2 * i + 1));
  }
  return out;
}

export function fromHexFixed(text: string, size: number): Uint8Array<ArrayBuffer> {
  if (text.length > 2 * size + 2) throw new Malformed(`expected ${size} bytes of hex, found more`);
  const bytes = fromHex(text);
  if (bytes.length !== size) throw new Malformed(`expected ${size} bytes of hex, found ${bytes.length}`);
  return bytes;
}

export function toHash(bytes: Uint8Array): Hash {
  if (bytes.length !== 32) throw new Malformed("a hash has 32 bytes");
  return `0x${toHex(bytes)}` as Hash;
}

export function toAddress(bytes: Uint8Array): Address {
  if (bytes.length !== 20) throw new Malformed("an address has 20 bytes");
  return `0x${toHex(bytes)}` as Address;
}

export function parseHash(text: string): Hash {
  return toHash(fromHexFixed(text, 32));
}

export function parseAddress(text: string): Address {
  return toAddress(fromHexFixed(text, 20));
}

const base64Digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const base64Values = new Int8Array(128).fill(-1);
for (let i = 0; i < 64; i++) base64Values[base64Digits.charCodeAt(i)] = i;

export function toBase64(bytes: Uint8Array): string {
  let out = "";
  for (let i = 0; i < bytes.length; i += 3) {
    const left = bytes.length - i;
    const word = ((bytes[i] ?? 0) << 16) | ((bytes[i + 1] ?? 0) << 8) | (bytes[i + 2] ?? 0);
    out += base64Digits.charAt(word >> 18) + base64Digits.charAt((word >> 12) & 63);
    out += left > 1 ? base64Digits.charAt((word >> 6) & 63) : "=";
    out += left > 2 ? base64Digits.charAt(word & 63) : "=";
  }
  return out;
}

/** Standard alphabet with padding; no white space; one spelling of each value. */
export function fromBase64(text: string): Uint8Array<ArrayBuffer> {
  if (text.length % 4 !== 0) throw new Malformed("base64 length is not a multiple of 4");
  const pad = text.endsWith("==") ? 2 : text.endsWith("=") ? 1 : 0;
  const digits = text.length - pad;
  const out = new Uint8Array((text.length / 4) * 3 - pad);
  let word = 0;
  let at = 0;
  for (let i = 0; i < text.length; i++) {
    const value = i < digits ? (base64Values[text.charCodeAt(i)] ?? -1) : 0;
    if (value < 0) throw new Malformed("not base64");
    word = (word << 6) | value;
    if (i % 4 !== 3) continue;
    for (let shift = 16; shift >= 0 && at < out.length; shift -= 8) out[at++] = (word >> shift) & 0xff;
    if (i === text.length - 1 && (word & ((1 << (8 * pad)) - 1)) !== 0)
      throw new Malformed("base64 with bits too many");
    word = 0;
  }
  return out;
}

export function concat(...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

const encoder = new TextEncoder();

export function utf8(text: string): Uint8Array<ArrayBuffer> {
  return encoder.encode(text) as Uint8Array<ArrayBuffer>;
}

export function fromUtf8(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new Malformed("not UTF-8");
  }
}

/** Also for bytes that are no secret. Takes the same time wherever they differ. */
export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  let difference = 0;
  for (let i = 0; i < a.length; i++) difference |= (a[i] as number) ^ (b[i] as number);
  return difference === 0;
}

export function isZero(bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte === 0);
}

/** Order of bytes, shorter first where one begins the other. */
export function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const size = Math.min(a.length, b.length);
  for (let i = 0; i < size; i++) {
    const difference = (a[i] as number) - (b[i] as number);
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}

/** Texts by their UTF-8 bytes. */
export function compareUtf8(a: string, b: string): number {
  return compareBytes(utf8(a), utf8(b));
}

/** Reads from foreign bytes; each read checks what is left. Views share memory with the bytes. */
export class ByteReader {
  private at = 0;
  private readonly bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  get position(): number {
    return this.at;
  }
  get remaining(): number {
    return this.bytes.length - this.at;
  }
  view(size: number): Uint8Array {
    if (size > this.remaining)
      throw new Malformed(`ends at offset ${this.bytes.length}, wanted ${size} bytes at ${this.at}`);
    this.at += size;
    return this.bytes.subarray(this.at - size, this.at);
  }
  skip(size: number): void {
    this.view(size);
  }
  u8(): number {
    return this.view(1)[0] as number;
  }
  u16le(): number {
    const [low, high] = this.view(2) as unknown as [number, number];
    return low | (high << 8);
  }
  u32le(): number {
    return this.u16le() + this.u16le() * 0x10000;
  }
  u64le(): bigint {
    const low = this.u32le();
    return BigInt(low) | (BigInt(this.u32le()) << 32n);
  }
  /** Big-endian, at most 8 bytes. */
  uintBe(size: number): bigint {
    let out = 0n;
    for (const byte of this.view(size)) out = (out << 8n) | BigInt(byte);
    return out;
  }
  expectDone(what: string): void {
    if (this.remaining !== 0) throw new Malformed(`${what}: ${this.remaining} bytes too many`);
  }
}

export function u16be(value: number): Uint8Array<ArrayBuffer> {
  return Uint8Array.of(value >> 8, value & 0xff);
}

export function u32le(value: number): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(4);
  new DataView(out.buffer).setUint32(0, value, true);
  return out;
}

export function u64le(value: bigint): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(8);
  new DataView(out.buffer).setBigUint64(0, value, true);
  return out;
}
