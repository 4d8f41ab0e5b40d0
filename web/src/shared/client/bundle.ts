// What is kept of one answer: enough to verify it years later without anybody's help. The same file as `teetee proxy`
// stores (docs/formats/receipt.md), so that `teetee verify` reads it. It holds the prompt.

import { queryFromJson, queryJson } from "../seal/payment";
import { type Plan, planFromJson, planJson } from "../seal/plan";
import { type Address, fromBase64, type Hash, toBase64, toHex } from "../verify/bytes";
import {
  expectObject,
  getAddress,
  getArray,
  getHash,
  getHex,
  getObject,
  getString,
  getUint,
  getUint64,
  member,
} from "../verify/fields";
import { sha256 } from "../verify/hashes";
import { canonicalJson, type Json, type JsonObject, parseJson, prettyJson } from "../verify/json";
import { type ModelParams, maxSlots, modelParamsFromJson, modelParamsJson } from "../verify/model-params";
import { type ReceiptDocument, receiptDocumentFromJson } from "../verify/receipt";
import { Malformed } from "../verify/refusal";
import type { Query } from "../verify/typed-data";
import { type Settlement, settlementFromJson } from "./gateway";

export const maxBundle = 96 << 20;
const maxEvidence = 256;

export interface BundleEvidence {
  readonly slot: number;
  readonly key: Address;
  readonly evidence: Uint8Array;
  readonly collateral: JsonObject;
}

/** What is known before the answer: of a request that is on its way. */
export interface BundleBase {
  readonly secret: Uint8Array;
  readonly body: string;
  readonly plan: Plan;
  readonly model: Hash;
  readonly params: ModelParams;
  readonly manifest: string;
  readonly evidence: readonly BundleEvidence[];
  /** text of the trust file that was in force */
  readonly trust: string;
  /** Unix seconds: when the evidence was judged */
  readonly checkedAt: number;
  /** strict mode */
  readonly query: Query | undefined;
}

export interface Bundle extends BundleBase {
  readonly receipt: ReceiptDocument;
  readonly outputs: readonly string[];
  readonly settlement: Settlement | undefined;
  /** read from a file: its digest is that of its other members */
  readonly intact?: boolean;
}

function settlementJson({ seq, root, proof, tx }: Settlement): JsonObject {
  return { seq, root, proof, tx };
}

function evidenceJson(item: BundleEvidence): JsonObject {
  const { slot, key, evidence, collateral } = item;
  return { slot: BigInt(slot), key, evidence: toBase64(evidence), collateral };
}

export function baseJson(base: BundleBase): Record<string, Json> {
  return {
    secret: toHex(base.secret),
    body: base.body,
    plan: planJson(base.plan),
    model: { id: base.model, params: modelParamsJson(base.params) },
    manifest: base.manifest,
    evidence: base.evidence.map(evidenceJson),
    trust: base.trust,
    checked_at: BigInt(base.checkedAt),
    query: base.query === undefined ? null : queryJson(base.query),
  };
}

function evidenceFromJson(value: Json): BundleEvidence {
  const json = expectObject(value, "evidence");
  return {
    slot: getUint(json, "slot", maxSlots - 1),
    key: getAddress(json, "key"),
    evidence: fromBase64(getString(json, "evidence")),
    collateral: getObject(json, "collateral"),
  };
}

export function baseFromJson(json: JsonObject): BundleBase {
  const model = getObject(json, "model");
  const query = member(json, "query");
  return {
    secret: getHex(json, "secret", 32),
    body: getString(json, "body"),
    plan: planFromJson(getObject(json, "plan")),
    model: getHash(model, "id"),
    params: modelParamsFromJson(getObject(model, "params")),
    manifest: getString(json, "manifest"),
    evidence: getArray(json, "evidence", maxEvidence).map(evidenceFromJson),
    trust: getString(json, "trust"),
    checkedAt: getUint(json, "checked_at"),
    query: query === null ? undefined : queryFromJson(query),
  };
}

/** Over the canonical form of all other members. */
function digestOf(json: JsonObject): string {
  const rest = Object.fromEntries(Object.entries(json).filter(([key]) => key !== "sha256"));
  return toHex(sha256(new TextEncoder().encode(canonicalJson(rest))));
}

/** The file. */
export function bundleText(bundle: Bundle): string {
  const { secret, body, ...rest } = baseJson(bundle);
  const { plan, model, manifest, evidence, trust, checked_at, query } = rest;
  const settlement = bundle.settlement === undefined ? null : settlementJson(bundle.settlement);
  const head = {
    v: 1n,
    kind: "teetee-bundle",
    receipt: bundle.receipt.json,
    secret,
    body,
    outputs: bundle.outputs,
  };
  const tail = { plan, model, manifest, evidence, trust, checked_at, query, settlement };
  const json = { ...head, ...tail } as JsonObject;
  return prettyJson({ ...json, sha256: digestOf(json) });
}

/** Throws Malformed. */
export function parseBundle(input: string | Uint8Array): Bundle {
  const json = expectObject(parseJson(input, { maxBytes: maxBundle }), "bundle");
  if (getString(json, "kind") !== "teetee-bundle" || getUint64(json, "v") !== 1n) {
    throw new Malformed("not a receipt bundle of version 1");
  }
  const outputs = getArray(json, "outputs").map((text) => {
    if (typeof text !== "string") throw new Malformed("field 'outputs': expected texts");
    return text;
  });
  const settlement = member(json, "settlement");
  return {
    ...baseFromJson(json),
    receipt: receiptDocumentFromJson(getObject(json, "receipt")),
    outputs,
    settlement: settlement === null ? undefined : settlementFromJson(expectObject(settlement, "settlement")),
    intact: toHex(getHex(json, "sha256", 32)) === digestOf(json),
  };
}
