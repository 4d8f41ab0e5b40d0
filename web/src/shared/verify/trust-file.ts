// What a user accepts: read from the user's own file, never fetched from the gateway. docs/formats/evidence.md
// section 6. An empty list accepts nothing.

import { type Address, compareUtf8, fromHexFixed, type Hash, parseHash, toHex, utf8 } from "./bytes";
import {
  expectMembers,
  expectObject,
  getAddress,
  getArray,
  getHex,
  getObject,
  getString,
  getUint64,
  optional,
} from "./fields";
import { sha256 } from "./hashes";
import { canonicalJson, type Json, type JsonObject, parseJson } from "./json";
import { Malformed, Refused } from "./refusal";
import { type TcbStatus, tcbStatuses, tcbStatusFromName } from "./tcb-status";
import { parsePemChain } from "./x509";

const maxList = 256;
const maxName = 128;
const developmentChain = 31337n;

/** SHA-256 over the SubjectPublicKeyInfo of "Intel SGX Root CA" (2018 to 2049). */
export const intelRootSpkiHash = "a0af031289f5d5d4132f9186068a7fc13628633ba235777472e29b6b6c67a49e";

export type EvidenceClass = "simulated" | "production";

/** A release that may run in a trust domain. Registers that are not named are not compared. */
export interface Measurement {
  readonly name: string;
  readonly mrtd: Uint8Array;
  readonly rtmr: readonly (Uint8Array | undefined)[];
}

export interface TrustFile {
  readonly evidenceClass: EvidenceClass;
  readonly chainId: bigint;
  readonly registry: Address;
  readonly ledger: Address;
  /** hex of SHA-256 over the SubjectPublicKeyInfo, sorted */
  readonly roots: readonly string[];
  readonly measurements: readonly Measurement[];
  /** name to model id */
  readonly models: ReadonlyMap<string, Hash>;
  readonly acceptedTcb: readonly TcbStatus[];
  readonly minTcbEvaluation: bigint;
  /** hex: SHA-256 of the canonical form without models */
  readonly policyHash: string;
  /** as it was read: bundles carry it */
  readonly text: string;
}

function readClass(json: JsonObject): EvidenceClass {
  const name = getString(json, "class");
  if (name !== "simulated" && name !== "production")
    throw new Malformed("field 'class': neither simulated nor production");
  return name;
}

// A PEM certificate, or the SHA-256 of its SubjectPublicKeyInfo in hex.
function readRoot(json: Json): string {
  if (typeof json !== "string") throw new Malformed("field 'roots': not a string");
  if (!json.startsWith("-----BEGIN")) return toHex(fromHexFixed(json, 32));
  const [root] = parsePemChain(json, 1);
  if (root === undefined) throw new Malformed("field 'roots': no certificate");
  return root.spkiHash;
}

const registers = ["rtmr0", "rtmr1", "rtmr2", "rtmr3"] as const;

function readMeasurement(value: Json): Measurement {
  const json = expectObject(value, "measurement");
  expectMembers(json, ["name", "mrtd", ...registers], "measurement");
  const name = getString(json, "name");
  if (name === "" || utf8(name).length > maxName) throw new Malformed("field 'name': empty or too long");
  const rtmr = registers.map((key) =>
    optional(json, key) === undefined ? undefined : getHex(json, key, 48),
  );
  return { name, mrtd: getHex(json, "mrtd", 48), rtmr };
}

function measurementJson(measurement: Measurement): JsonObject {
  const out: Record<string, Json> = { name: measurement.name, mrtd: toHex(measurement.mrtd) };
  measurement.rtmr.forEach((value, i) => {
    if (value !== undefined) out[`rtmr${i}`] = toHex(value);
  });
  return out;
}

function readModels(json: JsonObject): Map<string, Hash> {
  const entries = Object.entries(getObject(json, "models"));
  if (entries.length > maxList) throw new Malformed("field 'models': too long");
  return new Map(
    entries.map(([name, id]) => {
      if (name === "" || utf8(name).length > maxName || typeof id !== "string") {
        throw new Malformed("field 'models': bad entry");
      }
      return [name, parseHash(id)] as const;
    }),
  );
}

function readAccepted(json: JsonObject): TcbStatus[] {
  if (optional(json, "accepted_tcb") === undefined) return ["UpToDate"];
  const found = getArray(json, "accepted_tcb", maxList).map((item) => {
    const status = typeof item === "string" ? tcbStatusFromName(item) : undefined;
    if (status === undefined) throw new Malformed("field 'accepted_tcb': unknown status");
    if (status === "Revoked") throw new Malformed("field 'accepted_tcb': Revoked is never accepted");
    return status;
  });
  return tcbStatuses.filter((status) => found.some((accepted) => accepted === status));
}

function checkClass(evidenceClass: EvidenceClass, chainId: bigint, roots: readonly string[]): void {
  const refuse = (found: string) => new Refused("evidence.class", found);
  if (evidenceClass === "simulated" && chainId !== developmentChain) {
    throw refuse("class simulated is for the development chain 31337 only");
  }
  for (const root of roots) {
    const vendor = root === intelRootSpkiHash;
    if (evidenceClass === "production" && !vendor)
      throw refuse("class production lists a root that is no vendor's");
    if (evidenceClass === "simulated" && vendor) throw refuse("class simulated lists a vendor's root");
  }
}

type Policy = Omit<TrustFile, "models" | "policyHash" | "text">;

function hashPolicy(policy: Policy): string {
  const text = canonicalJson({
    class: policy.evidenceClass,
    chain_id: policy.chainId,
    registry: policy.registry,
    ledger: policy.ledger,
    min_tcb_evaluation: policy.minTcbEvaluation,
    roots: policy.roots,
    measurements: policy.measurements.map(measurementJson),
    accepted_tcb: policy.acceptedTcb,
  });
  return toHex(sha256(utf8(text)));
}

function readPolicy(json: JsonObject): Policy {
  const evidenceClass = readClass(json);
  const chainId = getUint64(json, "chain_id");
  const roots = [...new Set(getArray(json, "roots", maxList).map(readRoot))].sort();
  const measurements = getArray(json, "measurements", maxList).map(readMeasurement);
  const form = (measurement: Measurement) => canonicalJson(measurementJson(measurement));
  measurements.sort((a, b) => compareUtf8(form(a), form(b)));
  checkClass(evidenceClass, chainId, roots);
  return {
    evidenceClass,
    chainId,
    registry: getAddress(json, "registry"),
    ledger: getAddress(json, "ledger"),
    roots,
    measurements,
    acceptedTcb: readAccepted(json),
    minTcbEvaluation:
      optional(json, "min_tcb_evaluation") === undefined ? 0n : getUint64(json, "min_tcb_evaluation"),
  };
}

/** Strict: no unknown member. Throws Malformed, or Refused for a class that its contents contradict. */
export function readTrustFile(text: string): TrustFile {
  const json = expectObject(parseJson(text), "trust file");
  const members = [
    "class",
    "chain_id",
    "registry",
    "ledger",
    "roots",
    "measurements",
    "models",
    "accepted_tcb",
    "min_tcb_evaluation",
  ];
  expectMembers(json, members, "trust file");
  const policy = readPolicy(json);
  return { ...policy, models: readModels(json), policyHash: hashPolicy(policy), text };
}

export type TrustFileResult =
  | { readonly ok: true; readonly value: TrustFile }
  | { readonly ok: false; readonly problem: string };

/** For the border to people: what is wrong, in words. */
export function parseTrustFile(text: string): TrustFileResult {
  try {
    return { ok: true, value: readTrustFile(text) };
  } catch (error) {
    const known = error instanceof Malformed || error instanceof Refused;
    return { ok: false, problem: `trust file: ${known ? error.message : "it cannot be read"}` };
  }
}

/** The model's name and id, by either; undefined if the file does not know it. */
export function findModel(
  trust: TrustFile,
  nameOrId: string,
): { readonly name: string; readonly id: Hash } | undefined {
  for (const [name, id] of trust.models) if (name === nameOrId || id === nameOrId) return { name, id };
  return undefined;
}
