// For tests: strict DER, written.
import { concat, fromHex, utf8 } from "../bytes";
import { tag } from "../der";

function length(size: number): Uint8Array {
  if (size < 0x80) return Uint8Array.of(size);
  return size < 0x100 ? Uint8Array.of(0x81, size) : Uint8Array.of(0x82, size >> 8, size & 0xff);
}

export function der(itemTag: number, ...parts: readonly Uint8Array[]): Uint8Array {
  const value = concat(...parts);
  return concat(Uint8Array.of(itemTag), length(value.length), value);
}

export const write = {
  sequence: (...parts: readonly Uint8Array[]) => der(tag.sequence, ...parts),
  integer: (bytes: Uint8Array) => {
    let at = 0;
    while (at < bytes.length - 1 && bytes[at] === 0) at++;
    const magnitude = bytes.subarray(at);
    return der(tag.integer, (magnitude[0] ?? 0) >= 0x80 ? Uint8Array.of(0) : new Uint8Array(0), magnitude);
  },
  small: (value: number) => write.integer(Uint8Array.of(value >> 8, value & 0xff)),
  /** by the hex of its content */
  oid: (hex: string) => der(tag.oid, fromHex(hex)),
  octets: (bytes: Uint8Array) => der(tag.octetString, bytes),
  bits: (bytes: Uint8Array, unused = 0) => der(tag.bitString, Uint8Array.of(unused), bytes),
  name: (common: string) =>
    write.sequence(der(tag.set, write.sequence(write.oid("550403"), der(tag.utf8String, utf8(common))))),
  time: (unix: number) => {
    const text = new Date(unix * 1000).toISOString().replace(/[-:T]/g, "").replace(/\.000/, "");
    return der(tag.generalizedTime, utf8(text));
  },
};
