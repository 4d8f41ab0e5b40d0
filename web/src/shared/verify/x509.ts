// X.509 certificates and CRLs (RFC 5280) of the kinds that vendor chains use: version 3, ECDSA P-256 with SHA-256.
// Bytes to fields in strict DER; nothing here decides trust or looks at a clock.

import { concat, equalBytes, fromBase64, fromHex, fromUtf8, toHex } from "./bytes";
import { DerReader, readMagnitude, readOid, readSmallInteger, readWhole, tag } from "./der";
import { sha256 } from "./hashes";
import { verifyP256 } from "./p256";
import { Malformed } from "./refusal";

const maxCertificate = 128 << 10;
const maxCrl = 1 << 20;
const maxSerial = 32;
const maxExtensions = 64;
const maxRevoked = 100_000;

const oid = {
  commonName: "550403",
  keyUsage: "551d0f",
  subjectAltName: "551d11",
  basicConstraints: "551d13",
} as const;
const interpreted: ReadonlySet<string> = new Set([oid.keyUsage, oid.subjectAltName, oid.basicConstraints]);

// AlgorithmIdentifier of ecdsa-with-SHA256 without parameters (RFC 5758 section 3.2).
const ecdsaSha256 = Uint8Array.of(0x30, 0x0a, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02);
// SubjectPublicKeyInfo of an uncompressed point on prime256v1, up to x.
const p256SpkiPrefix = fromHex("3059301306072a8648ce3d020106082a8648ce3d03010703420004");

/** Unix seconds, both ends included. */
export interface Validity {
  readonly notBefore: number;
  readonly notAfter: number;
}

export interface KeyUsage {
  readonly digitalSignature: boolean;
  readonly certSign: boolean;
  readonly crlSign: boolean;
}

interface SignedObject {
  readonly signedDer: Uint8Array;
  /** r || s */
  readonly signature: Uint8Array;
}

export interface Certificate extends SignedObject {
  readonly der: Uint8Array;
  readonly subjectName: string;
  readonly issuerName: string;
  readonly subjectDer: Uint8Array;
  readonly issuerDer: Uint8Array;
  /** hex of the magnitude */
  readonly serial: string;
  readonly validity: Validity;
  /** hex of SHA-256 over the SubjectPublicKeyInfo */
  readonly spkiHash: string;
  /** x || y */
  readonly publicKey: Uint8Array;
  readonly isCa: boolean;
  readonly pathLength: number | undefined;
  readonly keyUsage: KeyUsage | undefined;
  /** values by the hex of their object identifier */
  readonly extensions: ReadonlyMap<string, Uint8Array>;
}

export interface Crl extends SignedObject {
  readonly issuerDer: Uint8Array;
  readonly updates: Validity;
  readonly revoked: ReadonlySet<string>;
}

function scalar(reader: DerReader): Uint8Array {
  const magnitude = readMagnitude(reader, 32);
  return concat(new Uint8Array(32 - magnitude.length), magnitude);
}

function readSignature(bits: Uint8Array): Uint8Array {
  if (bits[0] !== 0) throw new Malformed("signature value is no ECDSA P-256 signature");
  const pair = readWhole(bits.subarray(1), tag.sequence, "signature value");
  const out = concat(scalar(pair), scalar(pair));
  pair.expectDone("signature value");
  return out;
}

// SEQUENCE { signed part, algorithm, signature }, and no byte more.
function readSigned(der: Uint8Array): SignedObject {
  const outer = readWhole(der, tag.sequence, "DER");
  const signedDer = outer.item(tag.sequence).whole;
  expectAlgorithm(outer);
  const signature = readSignature(outer.read(tag.bitString));
  outer.expectDone("DER");
  return { signedDer, signature };
}

function expectAlgorithm(reader: DerReader): void {
  if (!equalBytes(reader.item(tag.sequence).whole, ecdsaSha256)) {
    throw new Malformed("signature algorithm is not ecdsa-with-SHA256");
  }
}

const textTags: ReadonlySet<number> = new Set([tag.utf8String, tag.printableString, tag.ia5String]);

// The one common name of a Name, empty if it has none.
function commonName(name: Uint8Array): string {
  const relative = readWhole(name, tag.sequence, "name");
  let found: string | undefined;
  while (!relative.done) {
    const set = relative.enter(tag.set);
    while (!set.done) {
      const attribute = set.enter(tag.sequence);
      const type = readOid(attribute);
      const value = attribute.any();
      attribute.expectDone("name attribute");
      if (type !== oid.commonName) continue;
      if (found !== undefined) throw new Malformed("two common names");
      if (!textTags.has(value.tag)) throw new Malformed("bad common name");
      found = fromUtf8(value.value);
      if (value.value.length > 256 || found.includes("\0")) throw new Malformed("bad common name");
    }
  }
  return found ?? "";
}

function readTime(reader: DerReader): number {
  const { tag: form, value } = reader.any();
  const text = String.fromCharCode(...value.subarray(0, 20));
  const utc = form === tag.utcTime && /^[0-9]{12}Z$/.test(text);
  const general = form === tag.generalizedTime && /^[0-9]{14}Z$/.test(text);
  if (!utc && !general) throw new Malformed("bad time");
  const century = utc ? (text.slice(0, 2) >= "50" ? "19" : "20") : "";
  const digits = century + text;
  const [, year, month, day, hour, minute, second] = /^(....)(..)(..)(..)(..)(..)Z$/.exec(digits) ?? [];
  const iso = `${year}-${month}-${day}T${hour}:${minute}:${second}.000Z`;
  const time = Date.parse(iso);
  if (Number.isNaN(time) || new Date(time).toISOString() !== iso) throw new Malformed("bad time");
  return time / 1000;
}

function readSpki(whole: Uint8Array): { publicKey: Uint8Array; spkiHash: string } {
  const prefix = whole.subarray(0, p256SpkiPrefix.length);
  if (whole.length !== p256SpkiPrefix.length + 64 || !equalBytes(prefix, p256SpkiPrefix)) {
    throw new Malformed("public key is not on P-256");
  }
  return { publicKey: whole.subarray(p256SpkiPrefix.length), spkiHash: toHex(sha256(whole)) };
}

function readBoolean(reader: DerReader): boolean {
  if (reader.peek() !== tag.boolean) return false;
  const [value, more] = reader.read(tag.boolean);
  if (more !== undefined || (value !== 0 && value !== 0xff)) throw new Malformed("DER: bad boolean");
  return value === 0xff;
}

interface Extension {
  readonly id: string;
  readonly critical: boolean;
  readonly value: Uint8Array;
}

function readExtension(list: DerReader): Extension {
  const item = list.enter(tag.sequence);
  const id = readOid(item);
  const critical = readBoolean(item);
  const value = item.read(tag.octetString);
  item.expectDone("extension");
  return { id, critical, value };
}

function readExtensions(list: DerReader): Map<string, Uint8Array> {
  const out = new Map<string, Uint8Array>();
  while (!list.done) {
    const { id, critical, value } = readExtension(list);
    if (out.has(id)) throw new Malformed("repeated extension");
    if (critical && !interpreted.has(id)) throw new Malformed("critical extension that is not interpreted");
    if (out.size === maxExtensions) throw new Malformed("too many extensions");
    out.set(id, value);
  }
  return out;
}

function readKeyUsage(value: Uint8Array | undefined): KeyUsage | undefined {
  if (value === undefined) return undefined;
  const reader = new DerReader(value);
  const [unused, bits] = reader.read(tag.bitString);
  reader.expectDone("keyUsage");
  if (unused === undefined || unused > 7) throw new Malformed("bad keyUsage");
  const has = (bit: number) => bits !== undefined && (bits & (0x80 >> bit)) !== 0;
  return { digitalSignature: has(0), certSign: has(5), crlSign: has(6) };
}

function readBasicConstraints(value: Uint8Array | undefined): {
  isCa: boolean;
  pathLength: number | undefined;
} {
  if (value === undefined) return { isCa: false, pathLength: undefined };
  const reader = readWhole(value, tag.sequence, "basicConstraints");
  const isCa = readBoolean(reader);
  const pathLength = reader.done ? undefined : readSmallInteger(reader, 0xffffffff);
  reader.expectDone("basicConstraints");
  return { isCa, pathLength };
}

function readValidity(reader: DerReader): Validity {
  const dates = reader.enter(tag.sequence);
  const out = { notBefore: readTime(dates), notAfter: readTime(dates) };
  dates.expectDone("validity");
  return out;
}

/** Exactly one certificate and no byte more. */
export function parseCertificate(der: Uint8Array): Certificate {
  if (der.length === 0 || der.length > maxCertificate) throw new Malformed("certificate: bad size");
  const signed = readSigned(der);
  const tbs = readWhole(signed.signedDer, tag.sequence, "certificate");
  const version = tbs.enter(0xa0);
  if (readSmallInteger(version, 2) !== 2) throw new Malformed("certificate: not version 3");
  version.expectDone("version");
  const serial = toHex(readMagnitude(tbs, maxSerial));
  expectAlgorithm(tbs);
  const issuerDer = tbs.item(tag.sequence).whole;
  const validity = readValidity(tbs);
  const subjectDer = tbs.item(tag.sequence).whole;
  const spki = readSpki(tbs.item(tag.sequence).whole);
  const wrapper = tbs.done ? undefined : tbs.enter(0xa3);
  tbs.expectDone("certificate");
  const extensions =
    wrapper === undefined ? new Map<string, Uint8Array>() : readExtensions(wrapper.enter(tag.sequence));
  wrapper?.expectDone("extensions");
  return {
    ...signed,
    ...spki,
    ...readBasicConstraints(extensions.get(oid.basicConstraints)),
    der,
    serial,
    issuerDer,
    subjectDer,
    validity,
    extensions,
    issuerName: commonName(issuerDer),
    subjectName: commonName(subjectDer),
    keyUsage: readKeyUsage(extensions.get(oid.keyUsage)),
  };
}

function refuseCritical(list: DerReader): void {
  while (!list.done) if (readExtension(list).critical) throw new Malformed("CRL: critical extension");
}

function readRevoked(list: DerReader): Set<string> {
  const out = new Set<string>();
  while (!list.done) {
    const entry = list.enter(tag.sequence);
    if (out.size === maxRevoked) throw new Malformed("CRL: too many entries");
    out.add(toHex(readMagnitude(entry, maxSerial)));
    readTime(entry);
    if (!entry.done) refuseCritical(entry.enter(tag.sequence));
    entry.expectDone("CRL entry");
  }
  return out;
}

/** Exactly one full CRL and no byte more; nextUpdate is required. */
export function parseCrl(der: Uint8Array): Crl {
  if (der.length === 0 || der.length > maxCrl) throw new Malformed("CRL: bad size");
  const signed = readSigned(der);
  const tbs = readWhole(signed.signedDer, tag.sequence, "CRL");
  if (tbs.peek() === tag.integer && readSmallInteger(tbs, 1) !== 1)
    throw new Malformed("CRL: unknown version");
  expectAlgorithm(tbs);
  const issuerDer = tbs.item(tag.sequence).whole;
  const updates = { notBefore: readTime(tbs), notAfter: readTime(tbs) };
  const revoked = tbs.peek() === tag.sequence ? readRevoked(tbs.enter(tag.sequence)) : new Set<string>();
  if (!tbs.done) {
    const wrapper = tbs.enter(0xa0);
    refuseCritical(wrapper.enter(tag.sequence));
    wrapper.expectDone("CRL extensions");
  }
  tbs.expectDone("CRL");
  return { ...signed, issuerDer, updates, revoked };
}

const pemBegin = "-----BEGIN CERTIFICATE-----";
const pemEnd = "-----END CERTIFICATE-----";

/** Concatenated PEM blocks with white space between and after them only. */
export function parsePemChain(pem: string, maxCount: number): Certificate[] {
  const out: Certificate[] = [];
  const start = (from: number) => {
    let at = from;
    while (at < pem.length && " \t\r\n".includes(pem.charAt(at))) at++;
    return at;
  };
  for (let at = start(0); at < pem.length; at = start(at)) {
    if (!pem.startsWith(pemBegin, at)) throw new Malformed("PEM: text outside of certificates");
    if (out.length === maxCount) throw new Malformed("PEM: too many certificates");
    const end = pem.indexOf(pemEnd, at);
    if (end < 0) throw new Malformed("PEM: certificate without end");
    const body = pem.slice(at + pemBegin.length, end);
    if (body.length > 2 * maxCertificate) throw new Malformed("PEM: certificate too long");
    out.push(parseCertificate(fromBase64(body.replace(/[ \t\r\n]/g, ""))));
    at = end + pemEnd.length;
  }
  return out;
}

/** Names the issuer, and is signed by its key. */
export async function checkSignedBy(
  object: SignedObject & { readonly issuerDer: Uint8Array },
  issuer: Certificate,
  what: "certificate" | "CRL",
): Promise<void> {
  if (!equalBytes(object.issuerDer, issuer.subjectDer)) throw new Malformed(`${what} names another issuer`);
  await verifyP256(issuer.publicKey, object.signedDer, object.signature);
}
