// Asks a gateway (docs/formats/http-api.md). Nothing that it says is believed: whoever uses an answer verifies it.
import { type Address, fromBase64, type Hash, parseHash } from "../verify/bytes";
import {
  expectObject,
  getAddress,
  getArray,
  getBool,
  getHash,
  getObject,
  getString,
  getUint,
  getUint64,
  optional,
} from "../verify/fields";
import { dumpJson, isObject, type Json, type JsonObject, parseJson } from "../verify/json";
import { maxManifest } from "../verify/manifest";
import { maxMerkleProof } from "../verify/merkle";
import { type ModelParams, maxSlots, modelParamsFromJson } from "../verify/model-params";
import { Malformed } from "../verify/refusal";
import { asClientError, ClientError, foreignText } from "./client-error";

const maxAnswer = 4 << 20;
const maxNodes = 4096;
const maxErrorText = 1 << 16;

export interface ListedNode {
  readonly slot: number;
  readonly key: Address;
  readonly host: Address;
  readonly url: string;
  readonly live: boolean;
}

export interface ListedModel {
  readonly params: ModelParams;
  readonly manifest: string;
}

/** A node's own answer to GET /v1/teetee/evidence. */
export interface ShownEvidence {
  /** "host:port", a hint */
  readonly channel: string;
  readonly kind: string;
  readonly evidence: Uint8Array;
  readonly collateral: JsonObject;
}

export interface Settlement {
  readonly seq: bigint;
  readonly root: Hash;
  readonly proof: readonly Hash[];
  readonly tx: string;
}

export function shownEvidenceFromJson(value: Json): ShownEvidence {
  const json = expectObject(value, "evidence");
  return {
    channel: getString(json, "channel"),
    kind: getString(json, "kind"),
    evidence: fromBase64(getString(json, "evidence")),
    collateral: getObject(json, "collateral"),
  };
}

export function settlementFromJson(json: JsonObject): Settlement {
  const proof = getArray(json, "proof", maxMerkleProof).map((hash) => {
    if (typeof hash !== "string") throw new Malformed("proof: expected hashes");
    return parseHash(hash);
  });
  const tx = optional(json, "tx");
  const seq = getUint64(json, "seq");
  return { seq, root: getHash(json, "root"), proof, tx: typeof tx === "string" ? tx : "" };
}

function nodeFromJson(value: Json): ListedNode {
  const json = expectObject(value, "node");
  return {
    slot: getUint(json, "slot", maxSlots - 1),
    key: getAddress(json, "key"),
    host: getAddress(json, "host"),
    url: getString(json, "url"),
    live: getBool(json, "live"),
  };
}

/** Bytes of a body, refused once they are more than allowed. */
export async function readBounded(response: Response, most: number): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let size = 0;
  const reader = response.body?.getReader();
  while (reader !== undefined) {
    const { done, value } = await reader.read();
    if (done) break;
    size += value.length;
    if (size > most) {
      await reader.cancel();
      throw new Malformed(`an answer of more than ${most} bytes`);
    }
    parts.push(value);
  }
  const out = new Uint8Array(size);
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

const nextSteps: Readonly<Record<number, string>> = {
  404: "The list of nodes may have changed: look again.",
  409: "The node was restarted: verify it again.",
  429: "Too many requests: wait a little, then try again.",
  503: "A node or the gateway does not answer now: try again, or choose another gateway.",
};

// OpenAI's error object, or the bare status; whose word it is stands in front.
async function unauthenticated(response: Response): Promise<ClientError> {
  let text = `HTTP status ${response.status}`;
  let code: string | undefined;
  try {
    const json = parseJson(await readBounded(response, maxErrorText));
    const error = isObject(json) ? json["error"] : undefined;
    if (isObject(error)) {
      text = foreignText(getString(error, "message"));
      if (typeof error["code"] === "string") code = foreignText(error["code"]);
    }
  } catch {
    // the bare status says enough
  }
  const next = nextSteps[response.status];
  return new ClientError("unauthenticated", `gateway (not authenticated): ${text}`, {
    status: response.status,
    ...(next === undefined ? {} : { next }),
    ...(code === undefined ? {} : { code }),
  });
}

export type Fetch = (url: string, init: RequestInit) => Promise<Response>;

export class GatewayClient {
  readonly url: string;
  private readonly fetch: Fetch;

  /** `url`: without a slash at the end; empty: the page's own origin. */
  constructor(url: string, fetchFunction: Fetch = (target, init) => fetch(target, init)) {
    this.url = url.replace(/\/+$/, "");
    this.fetch = fetchFunction;
  }

  private async request(path: string, init: RequestInit): Promise<Response> {
    const options: RequestInit = {
      credentials: "omit",
      cache: "no-store",
      redirect: "error",
      referrerPolicy: "no-referrer",
    };
    let response: Response;
    try {
      response = await this.fetch(`${this.url}${path}`, { ...options, ...init });
    } catch (error) {
      if (init.signal?.aborted) throw error;
      throw new ClientError("unreachable", "the gateway cannot be reached", {
        next: "Check the connection and the gateway's address, then try again.",
      });
    }
    if (response.status !== 200) throw await unauthenticated(response);
    return response;
  }

  /** One answer as JSON, read by `parse`; whatever is wrong with it is the gateway's fault. */
  async get<T>(path: string, parse: (json: Json) => T, most = maxAnswer): Promise<T> {
    const response = await this.request(path, { method: "GET" });
    try {
      return parse(parseJson(await readBounded(response, most), { maxBytes: most }));
    } catch (error) {
      throw asClientError(error, "gateway");
    }
  }

  model(id: Hash): Promise<ListedModel> {
    const parse = (value: Json) => {
      const json = expectObject(value, "model");
      return {
        params: modelParamsFromJson(getObject(json, "params")),
        manifest: getString(json, "manifest"),
      };
    };
    return this.get(`/v1/teetee/models/${id}`, parse, 2 * maxManifest);
  }

  nodes(model: Hash): Promise<ListedNode[]> {
    const parse = (json: Json) => getArray(expectObject(json, "nodes"), "nodes", maxNodes).map(nodeFromJson);
    return this.get(`/v1/teetee/nodes?model=${model}`, parse);
  }

  evidence(key: Address): Promise<ShownEvidence> {
    return this.get(`/v1/teetee/nodes/${key}/evidence`, shownEvidenceFromJson);
  }

  /** Where a receipt stands on chain; undefined while it is not mined. */
  settlement(receiptHash: Hash): Promise<Settlement | undefined> {
    return this.get(`/v1/teetee/receipts/${receiptHash}`, (value) => {
      const json = expectObject(value, "receipt");
      return getString(json, "status") === "mined" ? settlementFromJson(json) : undefined;
    });
  }

  /** The answer's sealed stream. */
  async sealed(wire: Uint8Array, signal?: AbortSignal): Promise<Response> {
    const headers = { "content-type": "application/octet-stream" };
    const body = new Uint8Array(wire);
    return this.request("/v1/teetee/sealed", {
      method: "POST",
      headers,
      body,
      ...(signal === undefined ? {} : { signal }),
    });
  }

  /** The stored chunks for a resumption; for a cancellation whatever follows. */
  async control(head: Address, message: JsonObject, signal?: AbortSignal): Promise<Response> {
    const headers = { "content-type": "application/json" };
    const path = `/v1/teetee/control?head=${head}`;
    return this.request(path, {
      method: "POST",
      headers,
      body: dumpJson(message),
      ...(signal === undefined ? {} : { signal }),
    });
  }
}
