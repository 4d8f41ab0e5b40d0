// For tests: a pretended platform that signs TDX version 4 quotes under a root of its own, in Intel's layout, and a trust
// file that accepts it. Honest; the C++ side tells the lies (lies.test.ts).
import { concat, fromHex, toBase64, toHex, u32le, u64le, utf8 } from "../bytes";
import { cbor } from "../cbor";
import { type Claims, certificateReportData, encodeEvidence } from "../claims";
import { sha256 } from "../hashes";
import type { JsonObject } from "../json";
import { sgxExtensionOid } from "../sgx-extension";
import { der, write } from "./der-writer";

const day = 86_400;
const curve = { name: "ECDSA", namedCurve: "P-256" };
const ecdsaSha256 = fromHex("300a06082a8648ce3d040302");
const spkiPrefix = fromHex("3059301306072a8648ce3d020106082a8648ce3d03010703420004");
const qeVendor = fromHex("939a7233f79c4ca9940a0db3957f0607");
export const fakeMrtd = "ab".repeat(48);

interface SigningKey {
  /** x || y */
  readonly point: Uint8Array;
  /** raw r || s over SHA-256 */
  readonly sign: (message: Uint8Array) => Promise<Uint8Array>;
}

async function newKey(): Promise<SigningKey> {
  const pair = await crypto.subtle.generateKey(curve, true, ["sign", "verify"]);
  const raw = new Uint8Array(await crypto.subtle.exportKey("raw", pair.publicKey));
  const parameters = { name: "ECDSA", hash: "SHA-256" };
  const sign = async (message: Uint8Array) =>
    new Uint8Array(await crypto.subtle.sign(parameters, pair.privateKey, concat(message)));
  return { point: raw.subarray(1), sign };
}

async function signed(tbs: Uint8Array, key: SigningKey): Promise<Uint8Array> {
  const raw = await key.sign(tbs);
  const value = write.sequence(write.integer(raw.subarray(0, 32)), write.integer(raw.subarray(32)));
  return write.sequence(tbs, ecdsaSha256, write.bits(value));
}

interface CertificateSpec {
  readonly subject: string;
  readonly issuer: string;
  readonly point: Uint8Array;
  readonly serial: number;
  readonly ca: boolean;
  readonly extension?: Uint8Array;
}

function certificate(spec: CertificateSpec, issuer: SigningKey, now: number): Promise<Uint8Array> {
  const critical = Uint8Array.of(0x01, 0x01, 0xff);
  const usage = spec.ca ? write.bits(Uint8Array.of(0x06), 1) : write.bits(Uint8Array.of(0x80), 7);
  const constraints = spec.ca ? write.sequence(critical) : write.sequence();
  const extensions = [
    write.sequence(write.oid("551d0f"), critical, write.octets(usage)),
    write.sequence(write.oid("551d13"), critical, write.octets(constraints)),
    ...(spec.extension === undefined
      ? []
      : [write.sequence(write.oid(sgxExtensionOid), write.octets(spec.extension))]),
  ];
  const tbs = write.sequence(
    der(0xa0, write.small(2)),
    write.small(spec.serial),
    ecdsaSha256,
    write.name(spec.issuer),
    write.sequence(write.time(now - day), write.time(now + 30 * day)),
    write.name(spec.subject),
    concat(spkiPrefix, spec.point),
    der(0xa3, write.sequence(...extensions)),
  );
  return signed(tbs, issuer);
}

function crl(issuer: string, key: SigningKey, now: number): Promise<Uint8Array> {
  const updates = [write.time(now - day), write.time(now + 30 * day)];
  return signed(write.sequence(write.small(1), ecdsaSha256, write.name(issuer), ...updates), key);
}

function pem(...certificates: readonly Uint8Array[]): string {
  return certificates
    .map((item) => `-----BEGIN CERTIFICATE-----\n${toBase64(item)}\n-----END CERTIFICATE-----\n`)
    .join("");
}

function sgxExtension(): Uint8Array {
  const field = (arc: string, value: Uint8Array) => write.sequence(write.oid(sgxExtensionOid + arc), value);
  const svns = Array.from({ length: 17 }, (_, i) =>
    field(`02${toHex(Uint8Array.of(i + 1))}`, write.small(1)),
  );
  const tcb = write.sequence(...svns, field("0212", write.octets(new Uint8Array(16))));
  return write.sequence(
    field("01", write.octets(new Uint8Array(16).fill(1))),
    field("02", tcb),
    field("03", write.octets(new Uint8Array(2))),
    field("04", write.octets(utf8("TEETEE"))),
  );
}

function documents(now: number): { tcbInfo: string; qeIdentity: string } {
  const iso = (time: number) => new Date(time * 1000).toISOString().replace(".000Z", "Z");
  const dates = { issueDate: iso(now - day), nextUpdate: iso(now + 30 * day), tcbEvaluationDataNumber: 1 };
  const components = Array.from({ length: 16 }, () => ({ svn: 1 }));
  const none = Array.from({ length: 16 }, () => ({ svn: 0 }));
  const tcb = { sgxtcbcomponents: components, pcesvn: 1, tdxtcbcomponents: none };
  const zeros = (size: number) => "00".repeat(size);
  const tcbInfo = {
    id: "TDX",
    version: 3,
    tcbType: 0,
    ...dates,
    fmspc: toHex(utf8("TEETEE")),
    pceId: "0000",
    tdxModule: { mrsigner: zeros(48), attributes: zeros(8), attributesMask: "ff".repeat(8) },
    tcbLevels: [{ tcb, tcbStatus: "UpToDate" }],
  };
  const qeIdentity = {
    id: "TD_QE",
    version: 2,
    ...dates,
    miscselect: zeros(4),
    miscselectMask: "ff".repeat(4),
    attributes: zeros(16),
    attributesMask: "ff".repeat(16),
    mrsigner: zeros(32),
    isvprodid: 2,
    tcbLevels: [{ tcb: { isvsvn: 1 }, tcbStatus: "UpToDate" }],
  };
  return { tcbInfo: JSON.stringify(tcbInfo), qeIdentity: JSON.stringify(qeIdentity) };
}

export interface FakePlatform {
  /** hex of the SPKI hash, for trust files */
  readonly root: string;
  readonly collateral: JsonObject;
  /** the value of a certificate's evidence extension */
  readonly evidence: (claims: Claims) => Promise<Uint8Array>;
  readonly quote: (reportData: Uint8Array) => Promise<Uint8Array>;
}

function tdReport(reportData: Uint8Array): Uint8Array {
  const out = new Uint8Array(584);
  out.set(u64le(1n << 28n), 120);
  out.set(u64le(0xe7n), 128);
  out.set(fromHex(fakeMrtd), 136);
  out.set(reportData, 520);
  return out;
}

function qeReport(attestationKey: Uint8Array): Uint8Array {
  const out = new Uint8Array(384);
  out[256] = 2;
  out[258] = 1;
  out.set(sha256(concat(attestationKey, new Uint8Array(32))), 320);
  return out;
}

async function makeQuote(reportData: Uint8Array, pck: SigningKey, chain: string): Promise<Uint8Array> {
  const attestation = await newKey();
  const header = concat(Uint8Array.of(4, 0, 2, 0, 0x81, 0, 0, 0, 0, 0, 0, 0), qeVendor, new Uint8Array(20));
  const body = concat(header, tdReport(reportData));
  const report = qeReport(attestation.point);
  const certified = concat(
    ...[report, await pck.sign(report), Uint8Array.of(32, 0), new Uint8Array(32)],
    ...[Uint8Array.of(5, 0), u32le(chain.length), utf8(chain)],
  );
  const data = concat(
    await attestation.sign(body),
    attestation.point,
    Uint8Array.of(6, 0),
    u32le(certified.length),
    certified,
  );
  return concat(body, u32le(data.length), data);
}

export function encodeClaims(claims: Claims): Uint8Array {
  const fields: [string, Uint8Array][] = [
    ["host", cbor.bytes(fromHex(claims.host))],
    ["slot", cbor.uint(BigInt(claims.slot))],
    ["block", cbor.uint(claims.blockNumber)],
    ["model", cbor.bytes(fromHex(claims.model))],
    ["policy", cbor.bytes(claims.policyHash)],
    ["signer", cbor.bytes(fromHex(claims.signer))],
    ["boot-id", cbor.bytes(claims.bootId)],
    ["weights", cbor.bytes(fromHex(claims.weightsRoot))],
    ["chain-id", cbor.uint(claims.chainId)],
    ["hpke-key", cbor.bytes(claims.hpkeKey)],
    ["registry", cbor.bytes(fromHex(claims.registry))],
    ["block-hash", cbor.bytes(fromHex(claims.blockHash))],
    ["block-time", cbor.uint(claims.blockTime)],
    ["pubkey-hash", cbor.bytes(concat(cbor.array(2), cbor.uint(1n), cbor.bytes(claims.tlsKeyHash)))],
  ];
  return concat(cbor.map(fields.length), ...fields.flatMap(([key, value]) => [cbor.text(key), value]));
}

export async function fakePlatform(now: number): Promise<FakePlatform> {
  const [root, ca, pck, signer] = await Promise.all([newKey(), newKey(), newKey(), newKey()]);
  const names = { root: "Fake Root CA", ca: "Fake SGX PCK Platform CA" };
  const make = (spec: Omit<CertificateSpec, "serial">, key: SigningKey, serial: number) =>
    certificate({ ...spec, serial }, key, now);
  const rootCertificate = await make(
    { subject: names.root, issuer: names.root, point: root.point, ca: true },
    root,
    1,
  );
  const caCertificate = await make(
    { subject: names.ca, issuer: names.root, point: ca.point, ca: true },
    root,
    2,
  );
  const leaf = {
    subject: "Fake SGX PCK Certificate",
    issuer: names.ca,
    point: pck.point,
    ca: false,
    extension: sgxExtension(),
  };
  const signerSpec = { subject: "Fake SGX TCB Signing", issuer: names.root, point: signer.point, ca: false };
  const chain = pem(await make(leaf, ca, 3), caCertificate, rootCertificate);
  const issuers = pem(await make(signerSpec, root, 4), rootCertificate);
  const { tcbInfo, qeIdentity } = documents(now);
  const quote = (reportData: Uint8Array) => makeQuote(reportData, pck, chain);
  return {
    root: toHex(sha256(concat(spkiPrefix, root.point))),
    quote,
    evidence: async (claims) => {
      const bytes = encodeClaims(claims);
      return encodeEvidence({ quote: await quote(certificateReportData(bytes)), claims: bytes });
    },
    collateral: {
      root_ca_crl: toHex(await crl(names.root, root, now)),
      pck_crl: toHex(await crl(names.ca, ca, now)),
      tcb_info: tcbInfo,
      tcb_info_signature: toHex(await signer.sign(utf8(tcbInfo))),
      tcb_info_issuer_chain: issuers,
      qe_identity: qeIdentity,
      qe_identity_signature: toHex(await signer.sign(utf8(qeIdentity))),
      qe_identity_issuer_chain: issuers,
    },
  };
}
