// One sealed request on its way: what is kept of it, sending it, reading its answer, and going on after a lost connection.
// Resuming sends stored bytes again or asks for stored chunks; nothing is ever sealed anew.
import { controlMessage, type ExchangeKeys, ResponseOpener } from "../seal/sealed";
import {
  type Address,
  fromBase64,
  fromHexFixed,
  type Hash,
  parseAddress,
  toBase64,
  toHex,
  type Wei,
} from "../verify/bytes";
import {
  expectObject,
  getHash,
  getHex,
  getObject,
  getString,
  getUint,
  getUint64,
  getWei,
} from "../verify/fields";
import { dumpJson, type Json, type JsonObject, parseJson } from "../verify/json";
import { Malformed } from "../verify/refusal";
import { type BundleBase, baseFromJson, baseJson, maxBundle } from "./bundle";
import { asClientError, ClientError } from "./client-error";
import type { GatewayClient } from "./gateway";

/** How the request is paid for, as far as settling it here needs to know. */
export type Charge =
  | {
      readonly kind: "tab";
      readonly user: Address;
      readonly line: Hash;
      readonly epoch: number;
      readonly reserved: Wei;
    }
  | { readonly kind: "strict" }
  | { readonly kind: "free" };

/** Everything that goes on with a request after a reload: secret, so it is kept encrypted. */
export interface Pending {
  readonly base: BundleBase;
  readonly wire: Uint8Array;
  readonly keys: ExchangeKeys;
  /** Unix seconds */
  readonly expires: number;
  readonly charge: Charge;
}

function chargeJson(charge: Charge): JsonObject {
  if (charge.kind !== "tab") return { kind: charge.kind };
  const { kind, user, line, epoch, reserved } = charge;
  return { kind, user, line, epoch: BigInt(epoch), reserved: reserved.toString() };
}

function chargeFromJson(json: JsonObject): Charge {
  const kind = getString(json, "kind");
  if (kind === "strict" || kind === "free") return { kind };
  if (kind !== "tab") throw new Malformed("field 'kind': none of tab, strict, free");
  return {
    kind,
    user: parseAddress(getString(json, "user")),
    line: getHash(json, "line"),
    epoch: getUint(json, "epoch", 0xffffffff),
    reserved: getWei(json, "reserved"),
  };
}

export function pendingText(pending: Pending): string {
  const { base, wire, keys, expires, charge } = pending;
  const kept = { ...baseJson(base), wire: toBase64(wire), keys: { ...keys }, expires: BigInt(expires) };
  return dumpJson({ v: 1n, ...kept, charge: chargeJson(charge) } as JsonObject);
}

/** Throws Malformed. */
export function parsePending(text: string): Pending {
  const json = expectObject(parseJson(text, { maxBytes: maxBundle }), "pending request");
  if (getUint64(json, "v") !== 1n) throw new Malformed("pending request: unknown version");
  const keys = getObject(json, "keys");
  const hex = (key: string, size: number) => toHex(getHex(keys, key, size));
  return {
    base: baseFromJson(json),
    wire: fromBase64(getString(json, "wire")),
    keys: {
      request: hex("request", 16),
      head: parseAddress(getString(keys, "head")),
      enc: hex("enc", 32),
      response: hex("response", 32),
      control: hex("control", 32),
    },
    expires: getUint(json, "expires"),
    charge: chargeFromJson(getObject(json, "charge")),
  };
}

// The counter of control messages must rise, also over a reload: the clock in milliseconds does.
let lastCounter = 0;
function nextCounter(): number {
  lastCounter = Math.max(lastCounter + 1, Date.now());
  return lastCounter;
}

/** Tells the head to stop: the receipt then counts what was delivered. */
export async function cancelExchange(gateway: GatewayClient, keys: ExchangeKeys): Promise<void> {
  // The answer to a cancellation is the stored stream again: nobody reads it twice.
  const response = await gateway.control(keys.head, controlMessage(keys, "cancel", nextCounter(), 0));
  await response.body?.cancel();
}

export interface ReadOptions {
  readonly gateway: GatewayClient;
  readonly keys: ExchangeKeys;
  readonly signal: AbortSignal;
  /** waits before the n-th attempt to go on; milliseconds */
  readonly pauses?: readonly number[];
  readonly onResume?: () => void;
}

const defaultPauses = [300, 700, 1500, 3000, 5000];

function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = () => {
      clearTimeout(timer);
      reject(signal.reason);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener("abort", stop);
      resolve();
    }, milliseconds);
    signal.addEventListener("abort", stop, { once: true });
  });
}

function cutOff(why: string): ClientError {
  return new ClientError("cut", `the answer was cut off on the way (${why})`, {
    next: "Try to go on with this answer; what was not delivered is not charged for.",
  });
}

// Yields what is complete in one response; returns whether the stream came to its end.
async function* readResponse(response: Response, opener: ResponseOpener): AsyncGenerator<Json, boolean> {
  const reader = response.body?.getReader();
  if (reader === undefined) return false;
  try {
    while (!opener.finished) {
      const piece = await reader.read().catch(() => undefined);
      if (piece === undefined || piece.done) return false;
      yield* await opener.push(piece.value);
    }
    return true;
  } finally {
    reader.cancel().catch(() => undefined);
  }
}

type Opened = { readonly response: Response; readonly opener: ResponseOpener };

async function resumeAt(options: ReadOptions, from: number): Promise<Opened> {
  const { gateway, keys, signal } = options;
  const message = controlMessage(keys, "resume", nextCounter(), from);
  return {
    response: await gateway.control(keys.head, message, signal),
    opener: new ResponseOpener(keys, from),
  };
}

/** May the same be tried again, with another outcome? */
export function isTransient(error: ClientError): boolean {
  const { status } = error.details;
  return error.kind === "unreachable" || status === 429 || (status !== undefined && status >= 500);
}

/**
 * The events of one answer, from `first` on; a broken connection is taken up again where it broke. Throws ClientError:
 * "refused" when a chunk does not verify, "cut" when nobody answers any more.
 */
export async function* readExchange(
  options: ReadOptions,
  first: () => Promise<Response>,
): AsyncGenerator<Json> {
  const pauses = options.pauses ?? defaultPauses;
  let opened: Opened = { response: await first(), opener: new ResponseOpener(options.keys) };
  for (let attempt = 0; ; attempt++) {
    try {
      if (yield* readResponse(opened.response, opened.opener)) return;
    } catch (error) {
      if (error instanceof Malformed) {
        throw new ClientError("refused", error.message, {
          next: "Somebody on the way changed the answer. Do not trust this gateway.",
        });
      }
      throw error;
    }
    opened = await goOn(options, opened, attempt, pauses);
  }
}

async function goOn(
  options: ReadOptions,
  before: Opened,
  begin: number,
  pauses: readonly number[],
): Promise<Opened> {
  let why = "the connection broke";
  for (let attempt = begin; attempt < pauses.length; attempt++) {
    if (options.signal.aborted) throw cutOff("stopped here");
    await pause(pauses[attempt] as number, options.signal);
    options.onResume?.();
    try {
      return await resumeAt(options, before.opener.chunks);
    } catch (error) {
      const failure = asClientError(error, "resume");
      why = failure.message;
      if (!isTransient(failure)) break;
    }
  }
  throw cutOff(why);
}

/** A new request: sent, and sent again if the gateway was not reached (a head knows the same bytes as the same request). */
export async function* sendExchange(options: ReadOptions, wire: Uint8Array): AsyncGenerator<Json> {
  yield* readExchange(options, () => options.gateway.sealed(wire, options.signal));
}

/** A request of before a reload: its stored chunks; if the head never had it, the same bytes, while they are good. */
export async function* resumeExchange(
  options: ReadOptions,
  pending: Pending,
  now: number,
): AsyncGenerator<Json> {
  yield* readExchange(options, async () => {
    try {
      return (await resumeAt(options, 0)).response;
    } catch (error) {
      const unknown = error instanceof ClientError && error.details.status === 404;
      if (!unknown || now >= pending.expires) throw error;
      return options.gateway.sealed(pending.wire, options.signal);
    }
  });
}

export function requestBytes(keys: ExchangeKeys): Uint8Array {
  return fromHexFixed(keys.request, 16);
}
