// Intel DCAP quotes: TDX versions 4 and 5, SGX version 3. Bytes to fields with strict lengths, no trust. Layout:
// docs/formats/evidence.md section 4.1.
import { ByteReader, equalBytes, fromHex } from "./bytes";
import { Malformed } from "./refusal";

export const maxQuote = 16 << 10;
const enclaveReportSize = 384;
const intelQeVendor = fromHex("939a7233f79c4ca9940a0db3957f0607");

export interface EnclaveReport {
  readonly cpuSvn: Uint8Array;
  /** memory order */
  readonly miscSelect: Uint8Array;
  /** flags u64, xfrm u64; flag bit 1 is DEBUG */
  readonly attributes: Uint8Array;
  readonly mrEnclave: Uint8Array;
  readonly mrSigner: Uint8Array;
  readonly isvProdId: number;
  readonly isvSvn: number;
  readonly reportData: Uint8Array;
}

export interface TdReport {
  /** at launch: [0] module SVN, [1] module version, [2] SEAM loader */
  readonly teeTcbSvn: Uint8Array;
  readonly mrSeam: Uint8Array;
  readonly mrSignerSeam: Uint8Array;
  readonly seamAttributes: Uint8Array;
  readonly tdAttributes: bigint;
  readonly xfam: bigint;
  readonly mrtd: Uint8Array;
  readonly mrConfigId: Uint8Array;
  readonly mrOwner: Uint8Array;
  readonly mrOwnerConfig: Uint8Array;
  readonly rtmr: readonly [Uint8Array, Uint8Array, Uint8Array, Uint8Array];
  readonly reportData: Uint8Array;
  /** TD 1.5 only: of the module that runs now, and the service TD bound */
  readonly td15: { readonly teeTcbSvn2: Uint8Array; readonly mrServiceTd: Uint8Array } | undefined;
}

export type TeeReport =
  | { readonly kind: "tdx"; readonly td: TdReport }
  | { readonly kind: "sgx"; readonly enclave: EnclaveReport };

export interface Quote {
  readonly version: number;
  readonly userData: Uint8Array;
  readonly report: TeeReport;
  /** header, descriptor if version 5, body */
  readonly signedBytes: Uint8Array;
  readonly signature: Uint8Array;
  readonly attestationKey: Uint8Array;
  /** 384 bytes, as signed by the PCK key */
  readonly qeReportBytes: Uint8Array;
  readonly qeReport: EnclaveReport;
  readonly qeReportSignature: Uint8Array;
  readonly qeAuthData: Uint8Array;
  /** PEM: leaf, CA, root */
  readonly pckChain: string;
  /** bytes used; what follows in a buffer is not signed and is ignored */
  readonly size: number;
}

export function quoteReportData(quote: Quote): Uint8Array {
  return quote.report.kind === "tdx" ? quote.report.td.reportData : quote.report.enclave.reportData;
}

function readEnclaveReport(bytes: Uint8Array): EnclaveReport {
  return {
    cpuSvn: bytes.subarray(0, 16),
    miscSelect: bytes.subarray(16, 20),
    attributes: bytes.subarray(48, 64),
    mrEnclave: bytes.subarray(64, 96),
    mrSigner: bytes.subarray(128, 160),
    isvProdId: new ByteReader(bytes.subarray(256, 258)).u16le(),
    isvSvn: new ByteReader(bytes.subarray(258, 260)).u16le(),
    reportData: bytes.subarray(320, enclaveReportSize),
  };
}

function readTdReport(bytes: Uint8Array, is15: boolean): TdReport {
  const at = (offset: number, size: number) => bytes.subarray(offset, offset + size);
  return {
    teeTcbSvn: at(0, 16),
    mrSeam: at(16, 48),
    mrSignerSeam: at(64, 48),
    seamAttributes: at(112, 8),
    tdAttributes: new ByteReader(at(120, 8)).u64le(),
    xfam: new ByteReader(at(128, 8)).u64le(),
    mrtd: at(136, 48),
    mrConfigId: at(184, 48),
    mrOwner: at(232, 48),
    mrOwnerConfig: at(280, 48),
    rtmr: [at(328, 48), at(376, 48), at(424, 48), at(472, 48)],
    reportData: at(520, 64),
    td15: is15 ? { teeTcbSvn2: at(584, 16), mrServiceTd: at(600, 48) } : undefined,
  };
}

function readHeader(input: ByteReader): { version: number; sgx: boolean; userData: Uint8Array } {
  const version = input.u16le();
  if (input.u16le() !== 2) throw new Malformed("attestation key type is not ECDSA P-256");
  const tee = input.u32le();
  const sgx = tee === 0 && version === 3;
  const tdx = tee === 0x81 && (version === 4 || version === 5);
  if (!sgx && !tdx) throw new Malformed("version and TEE type are no known pair");
  input.skip(4);
  if (!equalBytes(input.view(16), intelQeVendor)) throw new Malformed("QE vendor is not Intel");
  return { version, sgx, userData: input.view(20) };
}

const tdReportSizes: Readonly<Record<number, number>> = { 2: 584, 3: 648 };

function readBody(input: ByteReader, version: number, sgx: boolean): TeeReport {
  if (sgx) return { kind: "sgx", enclave: readEnclaveReport(input.view(enclaveReportSize)) };
  let type = 2;
  if (version === 5) {
    type = input.u16le();
    if (tdReportSizes[type] === undefined) throw new Malformed("body type does not fit a trust domain");
    if (input.u32le() !== tdReportSizes[type]) throw new Malformed("body size does not fit its type");
  }
  return { kind: "tdx", td: readTdReport(input.view(tdReportSizes[type] as number), type === 3) };
}

// At most one zero byte after the PEM text; whatever else is no PEM is the chain check's to refuse.
function readChain(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes.at(-1) === 0 ? bytes.subarray(0, -1) : bytes) text += String.fromCharCode(byte);
  return text;
}

type SignatureData = Omit<Quote, "version" | "userData" | "report" | "signedBytes" | "size">;

function readSignatureData(input: ByteReader, version: number): SignatureData {
  const signature = input.view(64);
  const attestationKey = input.view(64);
  if (version !== 3) {
    if (input.u16le() !== 6) throw new Malformed("outer certification data is not of type 6");
    if (input.u32le() !== input.remaining) throw new Malformed("size of the certification data does not fit");
  }
  const qeReportBytes = input.view(enclaveReportSize);
  const qeReportSignature = input.view(64);
  const qeAuthData = input.view(input.u16le());
  if (input.u16le() !== 5) throw new Malformed("certification data is no PCK chain (type 5)");
  if (input.u32le() !== input.remaining) throw new Malformed("size of the PCK chain does not fit");
  const pckChain = readChain(input.view(input.remaining));
  const qeReport = readEnclaveReport(qeReportBytes);
  return { signature, attestationKey, qeReportBytes, qeReport, qeReportSignature, qeAuthData, pckChain };
}

/** Throws Malformed: check quote.structure. */
export function parseQuote(bytes: Uint8Array): Quote {
  if (bytes.length > maxQuote) throw new Malformed("the quote is too long");
  const input = new ByteReader(bytes);
  const { version, sgx, userData } = readHeader(input);
  const report = readBody(input, version, sgx);
  const signedBytes = bytes.subarray(0, input.position);
  const data = new ByteReader(input.view(input.u32le()));
  const signatureData = readSignatureData(data, version);
  return { version, userData, report, signedBytes, ...signatureData, size: input.position };
}
