// How a request is paid for, as the sealed request carries it. docs/formats/sealed-request.md section 1.
import { type Address, concat, fromHexFixed, type Hash, toHash, utf8, type Wei } from "../verify/bytes";
import { expectObject, getAddress, getHash, getUint64, getWei } from "../verify/fields";
import { keccak256 } from "../verify/hashes";
import type { Json, JsonObject } from "../verify/json";
import type { CompactSignature } from "../verify/secp256k1";
import type { Query } from "../verify/typed-data";

export interface TabPayment {
  readonly kind: "tab";
  readonly user: Address;
  readonly epoch: number;
  /** the voucher's */
  readonly total: Wei;
  readonly signature: CompactSignature;
}
export interface StrictPayment {
  readonly kind: "strict";
  readonly query: Query;
}
export interface FreePayment {
  readonly kind: "free";
  readonly host: Address;
  readonly session: Address;
  /** Unix seconds */
  readonly expires: bigint;
  /** the host's, of Access */
  readonly access: CompactSignature;
  /** the session key's, of freeRequestDigest */
  readonly signature: CompactSignature;
}
export type Payment = TabPayment | StrictPayment | FreePayment;

export function queryJson(query: Query): JsonObject {
  return {
    user: query.user,
    model: query.model,
    head: query.head,
    input: query.input,
    max_cost: query.maxCost.toString(),
    deadline: query.deadline,
    nonce: query.nonce,
  };
}

export function queryFromJson(value: Json): Query {
  const json = expectObject(value, "query");
  return {
    user: getAddress(json, "user"),
    model: getHash(json, "model"),
    head: getAddress(json, "head"),
    input: getHash(json, "input"),
    maxCost: getWei(json, "max_cost"),
    deadline: getUint64(json, "deadline"),
    nonce: getUint64(json, "nonce"),
  };
}

export function paymentJson(payment: Payment): JsonObject {
  switch (payment.kind) {
    case "tab":
      return { ...payment, epoch: BigInt(payment.epoch), total: payment.total.toString() };
    case "strict":
      return { kind: payment.kind, query: queryJson(payment.query) };
    case "free":
      return { ...payment };
  }
}

/** Access.session: keccak256 of the session key's address. */
export function sessionHash(session: Address): Hash {
  return toHash(keccak256(fromHexFixed(session, 20)));
}

/** What the session key signs for each request of host access. */
export function freeRequestDigest(requestId: Uint8Array): Hash {
  return toHash(keccak256(concat(utf8("teetee free v1"), requestId)));
}
