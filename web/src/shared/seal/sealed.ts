// Sealed requests: what this client sends to the head through people who must not read it, the answer's chunks, and
// control messages. docs/formats/sealed-request.md.
import {
  type Address,
  concat,
  fromHexFixed,
  fromUtf8,
  type Hash,
  toHex,
  u32le,
  u64le,
  utf8,
} from "../verify/bytes";
import { hkdfExpand, hkdfExtract, hmacSha256 } from "../verify/hashes";
import { canonicalJson, dumpJson, type Json, type JsonObject, parseJson } from "../verify/json";
import { Malformed } from "../verify/refusal";
import { type AeadKey, aeadKey, sequenceNonce } from "./aead";
import { hpkeSender } from "./hpke";
import type { X25519Key } from "./x25519";

export const maxSealedRequest = 1 << 20;
const maxChunk = 1 << 20;
const requestPadding = 4096;
const info = utf8("teetee sealed request v1");
const exportResponse = utf8("teetee response v1");
const exportControl = utf8("teetee control v1");

export type SealedPath = "/v1/chat/completions" | "/v1/completions" | "/teetee/release";

/** The part that the gateway sees, authenticated as associated data. */
export interface SealedHeader {
  /** hex, 16 bytes */
  readonly boot: string;
  /** Unix seconds, at most 600 ahead */
  readonly expires: number;
  readonly head: Address;
  readonly model: Hash;
  readonly path: SealedPath;
  /** hex, 32 bytes */
  readonly plan: string;
  /** hex, 16 bytes */
  readonly request: string;
}

export function headerText(header: SealedHeader): string {
  const { boot, expires, head, model, path, plan, request } = header;
  return canonicalJson({
    boot,
    expires: BigInt(expires),
    head,
    method: "POST",
    model,
    path,
    plan,
    request,
    v: 1n,
  });
}

/** Length, text, zeros up to a multiple. */
export function pad(text: string, multiple: number): Uint8Array {
  const bytes = utf8(text);
  const size = 4 + bytes.length;
  return concat(u32le(bytes.length), bytes, new Uint8Array((multiple - (size % multiple)) % multiple));
}

export function unpad(padded: Uint8Array): string {
  if (padded.length < 4) throw new Malformed("sealed: too short");
  const size = new DataView(padded.buffer, padded.byteOffset).getUint32(0, true);
  if (size > padded.length - 4) throw new Malformed("sealed: too short");
  if (padded.subarray(4 + size).some((byte) => byte !== 0))
    throw new Malformed("sealed: the padding is not zero");
  return fromUtf8(padded.subarray(4, 4 + size));
}

/** Everything that opens, cancels and resumes the answer to one request. Secret; hex, so that it can be kept. */
export interface ExchangeKeys {
  readonly request: string;
  readonly head: Address;
  readonly enc: string;
  readonly response: string;
  readonly control: string;
}

export interface SealedExchange {
  /** what is sent, and sent again to resume: it is never sealed anew */
  readonly wire: Uint8Array;
  readonly keys: ExchangeKeys;
}

/** `content`: body, plan, payment, secret. Throws Malformed when it does not fit or the key is no good. */
export async function sealRequest(
  header: SealedHeader,
  headKey: Uint8Array,
  content: JsonObject,
  ephemeral?: X25519Key,
): Promise<SealedExchange> {
  const sender = await hpkeSender(headKey, info, ephemeral);
  const aad = utf8(headerText(header));
  const sealed = await sender.seal(aad, pad(dumpJson(content), requestPadding));
  const wire = concat(utf8("TTQ1"), u32le(aad.length), aad, sender.enc, u32le(sealed.length), sealed);
  if (wire.length > maxSealedRequest) throw new Malformed("the request is larger than 1 MiB when sealed");
  const keys = {
    request: header.request,
    head: header.head,
    enc: toHex(sender.enc),
    response: toHex(sender.export(exportResponse, 32)),
    control: toHex(sender.export(exportControl, 32)),
  };
  return { wire, keys };
}

interface ResponseKeys {
  readonly key: AeadKey;
  readonly iv: Uint8Array;
}

async function deriveResponseKeys(keys: ExchangeKeys, nonce: Uint8Array): Promise<ResponseKeys> {
  const salt = concat(fromHexFixed(keys.enc, 32), nonce);
  const secret = hkdfExtract(salt, fromHexFixed(keys.response, 32));
  return {
    key: await aeadKey(hkdfExpand(secret, utf8("key"), 16)),
    iv: hkdfExpand(secret, utf8("nonce"), 12),
  };
}

const preambleSize = 4 + 32;

/** Opens the answer's stream as it comes: push bytes, take events. After an error the stream is dead. */
export class ResponseOpener {
  private readonly keys: ExchangeKeys;
  private buffer: Uint8Array = new Uint8Array(0);
  private response: ResponseKeys | undefined;
  private index: number;
  private last = false;
  private dead = false;

  /** `from`: the chunk with which a resumed stream begins. */
  constructor(keys: ExchangeKeys, from = 0) {
    this.keys = keys;
    this.index = from;
  }

  /** The final chunk was read. A stream that ends before was cut off. */
  get finished(): boolean {
    return this.last;
  }
  /** The next chunk: where a resumption goes on. */
  get chunks(): number {
    return this.index;
  }

  /** The events that are complete now. Throws Malformed when a chunk was changed, dropped or reordered. */
  async push(bytes: Uint8Array): Promise<Json[]> {
    if (this.dead) throw new Malformed("sealed answer: the stream is dead");
    this.dead = true;
    if (this.last && bytes.length > 0) throw new Malformed("sealed answer: bytes after the final chunk");
    this.buffer = concat(this.buffer, bytes);
    const events: Json[] = [];
    if (this.response !== undefined || (await this.takePreamble())) {
      while (!this.last && (await this.takeChunk(events)));
    }
    if (this.last && this.buffer.length > 0)
      throw new Malformed("sealed answer: bytes after the final chunk");
    this.dead = false;
    return events;
  }

  private async takePreamble(): Promise<boolean> {
    if (this.buffer.length < preambleSize) return false;
    if (toHex(this.buffer.subarray(0, 4)) !== toHex(utf8("TTR1")))
      throw new Malformed("sealed answer: wrong magic");
    this.response = await deriveResponseKeys(this.keys, this.buffer.subarray(4, preambleSize));
    this.buffer = this.buffer.slice(preambleSize);
    return true;
  }

  private async takeChunk(events: Json[]): Promise<boolean> {
    if (this.buffer.length < 4) return false;
    const size = new DataView(this.buffer.buffer, this.buffer.byteOffset).getUint32(0, true);
    if (size > maxChunk) throw new Malformed("sealed answer: chunk too long");
    if (this.buffer.length < 4 + size) return false;
    const plain = await this.openChunk(this.buffer.subarray(4, 4 + size));
    events.push(parseJson(unpad(plain), { maxBytes: maxChunk }));
    this.buffer = this.buffer.slice(4 + size);
    this.index++;
    return true;
  }

  private async openChunk(sealed: Uint8Array): Promise<Uint8Array> {
    const { key, iv } = this.response as ResponseKeys;
    const nonce = sequenceNonce(iv, this.index);
    const aad = (final: boolean) => concat(u64le(BigInt(this.index)), Uint8Array.of(final ? 1 : 0));
    try {
      return await key.open(nonce, aad(false), sealed);
    } catch {
      // the final chunk differs in its associated data
    }
    try {
      const plain = await key.open(nonce, aad(true), sealed);
      this.last = true;
      return plain;
    } catch {
      throw new Malformed("sealed answer: a chunk was changed, dropped or reordered");
    }
  }
}

export type ControlOp = "cancel" | "resume";

/** A control message, section 3. The counter must rise from one to the next. */
export function controlMessage(keys: ExchangeKeys, op: ControlOp, counter: number, from: number): JsonObject {
  const message = concat(
    utf8(op),
    Uint8Array.of(0),
    fromHexFixed(keys.request, 16),
    u64le(BigInt(counter)),
    u64le(BigInt(from)),
  );
  const mac = toHex(hmacSha256(fromHexFixed(keys.control, 32), message));
  return { request: keys.request, op, counter: BigInt(counter), from: BigInt(from), mac };
}
