// What a verifier needs beside a quote: the JSON container of docs/formats/evidence.md section 5, and the two signed
// documents in it (Intel PCS v4). Fields and no trust: signatures are checked before the documents are read.
import { compareBytes, fromHex, fromHexFixed } from "./bytes";
import { expectObject, getArray, getHex, getObject, getString, getUint, getUint64, optional } from "./fields";
import { isArray, isObject, type Json, type JsonObject, parseJson } from "./json";
import { Malformed, under } from "./refusal";
import { type TcbStatus, tcbStatusFromName } from "./tcb-status";
import { type Certificate, type Crl, parseCrl, parsePemChain, type Validity } from "./x509";

export const maxCollateral = 4 << 20;
const maxSignedDocument = 1 << 20;
const maxCrlHex = 2 << 20;
const maxChain = 3;
const maxLevels = 128;
const maxModules = 64;
const maxAdvisories = 256;

/** The signature covers the text byte for byte, so it is never written anew. */
export interface SignedDocument {
  readonly text: string;
  readonly signature: Uint8Array;
  /** signer, root */
  readonly chain: readonly Certificate[];
}

export interface Collateral {
  readonly rootCrl: Crl;
  readonly pckCrl: Crl;
  readonly tcbInfo: SignedDocument;
  readonly qeIdentity: SignedDocument;
}

function readCrl(json: JsonObject, key: string): Crl {
  const hex = getString(json, key);
  if (hex.length > maxCrlHex) throw new Malformed("CRL is too long");
  return parseCrl(fromHex(hex));
}

function readSigned(json: JsonObject, name: string): SignedDocument {
  const text = getString(json, name);
  if (text.length > maxSignedDocument) throw new Malformed(`${name} is too long`);
  const signature = fromHexFixed(getString(json, `${name}_signature`), 64);
  return { text, signature, chain: parsePemChain(getString(json, `${name}_issuer_chain`), maxChain) };
}

/** The container as text, or as JSON that parseJson read. Throws Refused. */
export function parseCollateral(input: Uint8Array | Json): Collateral {
  const structure = "collateral.structure";
  const json = under(structure, () => {
    const value =
      input instanceof Uint8Array ? parseJson(input, { maxBytes: maxCollateral, maxDepth: 8 }) : input;
    return expectObject(value, "collateral");
  });
  return {
    rootCrl: under("crl.root", () => readCrl(json, "root_ca_crl")),
    pckCrl: under("crl.pck", () => readCrl(json, "pck_crl")),
    tcbInfo: under(structure, () => readSigned(json, "tcb_info")),
    qeIdentity: under(structure, () => readSigned(json, "qe_identity")),
  };
}

interface Verdict {
  readonly status: TcbStatus;
  readonly advisories: readonly string[];
}

/** A row of a module's or a QE's table. */
export interface IsvLevel extends Verdict {
  readonly isvSvn: number;
}

export interface PlatformLevel extends Verdict {
  readonly sgxComponents: Uint8Array;
  readonly pceSvn: number;
  /** zeros for SGX */
  readonly tdxComponents: Uint8Array;
}

export interface ModuleIdentity {
  readonly mrSigner: Uint8Array;
  readonly attributes: Uint8Array;
  readonly attributesMask: Uint8Array;
}

export interface VersionedModule extends ModuleIdentity {
  /** "TDX_03" */
  readonly id: string;
  /** descending isvSvn */
  readonly levels: readonly IsvLevel[];
}

export interface TcbInfo {
  readonly id: "TDX" | "SGX";
  readonly dates: Validity;
  readonly fmspc: Uint8Array;
  readonly pceId: Uint8Array;
  /** tcbEvaluationDataNumber */
  readonly evaluation: bigint;
  /** of TDX only */
  readonly module: ModuleIdentity | undefined;
  readonly moduleIdentities: readonly VersionedModule[];
  /** descending (SGX components, PCESVN, TDX components) */
  readonly levels: readonly PlatformLevel[];
}

export interface QeIdentity {
  readonly id: "TD_QE" | "QE";
  readonly dates: Validity;
  readonly miscSelect: Uint8Array;
  readonly miscSelectMask: Uint8Array;
  readonly attributes: Uint8Array;
  readonly attributesMask: Uint8Array;
  readonly mrSigner: Uint8Array;
  readonly isvProdId: number;
  readonly levels: readonly IsvLevel[];
}

/** "2025-06-19T10:16:03Z" to Unix seconds; this exact form, from 1970. */
export function parseIsoTime(text: string): number {
  const time = /^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z$/.test(text)
    ? Date.parse(text)
    : Number.NaN;
  if (Number.isNaN(time) || time < 0 || new Date(time).toISOString() !== text.replace("Z", ".000Z")) {
    throw new Malformed("time is not of the form YYYY-MM-DDThh:mm:ssZ");
  }
  return time / 1000;
}

function getDates(json: JsonObject): Validity {
  return {
    notBefore: parseIsoTime(getString(json, "issueDate")),
    notAfter: parseIsoTime(getString(json, "nextUpdate")),
  };
}

function getComponents(tcb: JsonObject, key: string): Uint8Array {
  const list = getArray(tcb, key);
  if (list.length !== 16) throw new Malformed("component SVNs are not 16");
  return Uint8Array.from(list, (item) => getUint(expectObject(item, "component SVN"), "svn", 0xff));
}

function readAdvisories(json: JsonObject): string[] {
  const ids = optional(json, "advisoryIDs");
  if (ids === undefined) return [];
  if (!isArray(ids) || ids.length > maxAdvisories) throw new Malformed("bad advisory list");
  return ids.map((id) => {
    if (typeof id !== "string" || !/^[!-~]{1,64}$/.test(id)) throw new Malformed("bad advisory id");
    return id;
  });
}

function readVerdict(json: JsonObject): Verdict {
  const status = tcbStatusFromName(getString(json, "tcbStatus"));
  if (status === undefined || status.startsWith("TDRelaunchAdvised"))
    throw new Malformed("unknown TCB status");
  return { status, advisories: readAdvisories(json) };
}

function readLevels<T>(json: JsonObject, read: (item: JsonObject, tcb: JsonObject) => T): T[] {
  const list = getArray(json, "tcbLevels");
  if (list.length > maxLevels) throw new Malformed("too many TCB levels");
  return list.map((value) => {
    const item = expectObject(value, "TCB level");
    return read(item, getObject(item, "tcb"));
  });
}

function readIsvLevels(json: JsonObject): IsvLevel[] {
  const levels = readLevels(json, (item, tcb) => ({
    ...readVerdict(item),
    isvSvn: getUint(tcb, "isvsvn", 0xffff),
  }));
  return levels.sort((a, b) => b.isvSvn - a.isvSvn);
}

function readPlatformLevels(json: JsonObject, tdx: boolean): PlatformLevel[] {
  const levels = readLevels(json, (item, tcb) => ({
    ...readVerdict(item),
    sgxComponents: getComponents(tcb, "sgxtcbcomponents"),
    pceSvn: getUint(tcb, "pcesvn", 0xffff),
    tdxComponents: tdx ? getComponents(tcb, "tdxtcbcomponents") : new Uint8Array(16),
  }));
  return levels.sort(
    (a, b) =>
      compareBytes(b.sgxComponents, a.sgxComponents) ||
      b.pceSvn - a.pceSvn ||
      compareBytes(b.tdxComponents, a.tdxComponents),
  );
}

function readModule(json: JsonObject): ModuleIdentity {
  return {
    mrSigner: getHex(json, "mrsigner", 48),
    attributes: getHex(json, "attributes", 8),
    attributesMask: getHex(json, "attributesMask", 8),
  };
}

function readModuleIdentities(json: JsonObject): VersionedModule[] {
  const list = optional(json, "tdxModuleIdentities");
  if (list === undefined) return []; // TCB info from before module version 1
  if (!isArray(list) || list.length > maxModules) throw new Malformed("bad list of module identities");
  return list.map((value) => {
    const item = expectObject(value, "module identity");
    return { ...readModule(item), id: getString(item, "id"), levels: readIsvLevels(item) };
  });
}

function parseDocument(text: string): JsonObject {
  const json = parseJson(text, { maxBytes: maxSignedDocument, maxDepth: 12 });
  if (!isObject(json)) throw new Malformed("no JSON object");
  return json;
}

/** Version 3. Throws Malformed. */
export function parseTcbInfo(text: string): TcbInfo {
  const json = parseDocument(text);
  const id = getString(json, "id");
  if (id !== "TDX" && id !== "SGX") throw new Malformed("unknown id");
  if (getUint64(json, "version") !== 3n) throw new Malformed("unknown version");
  if (getUint64(json, "tcbType") !== 0n) throw new Malformed("unknown tcbType");
  const tdx = id === "TDX";
  return {
    id,
    dates: getDates(json),
    fmspc: getHex(json, "fmspc", 6),
    pceId: getHex(json, "pceId", 2),
    evaluation: getUint64(json, "tcbEvaluationDataNumber"),
    module: tdx ? readModule(getObject(json, "tdxModule")) : undefined,
    moduleIdentities: tdx ? readModuleIdentities(json) : [],
    levels: readPlatformLevels(json, tdx),
  };
}

/** Version 2, for TD_QE also 3. Throws Malformed. */
export function parseQeIdentity(text: string): QeIdentity {
  const json = parseDocument(text);
  const id = getString(json, "id");
  if (id !== "TD_QE" && id !== "QE") throw new Malformed("unknown id");
  const version = getUint64(json, "version");
  if (version !== 2n && !(version === 3n && id === "TD_QE")) throw new Malformed("unknown version");
  getUint64(json, "tcbEvaluationDataNumber");
  return {
    id,
    dates: getDates(json),
    miscSelect: getHex(json, "miscselect", 4),
    miscSelectMask: getHex(json, "miscselectMask", 4),
    attributes: getHex(json, "attributes", 16),
    attributesMask: getHex(json, "attributesMask", 16),
    mrSigner: getHex(json, "mrsigner", 32),
    isvProdId: getUint(json, "isvprodid", 0xffff),
    levels: readIsvLevels(json),
  };
}
