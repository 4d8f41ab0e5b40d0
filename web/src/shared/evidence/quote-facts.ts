// The fields of a quote, in words: for people who look behind a tick. Decoding is no verification; whoever shows these says which it was.
import { toHex } from "../verify/bytes";
import { parseQuote, type Quote, type TdReport } from "../verify/quote";
import type { VerifiedQuote } from "../verify/verify-quote";

export interface QuoteFact {
  readonly label: string;
  readonly value: string;
  readonly hint: string;
  readonly code?: boolean;
}

export interface QuoteFacts {
  readonly title: string;
  readonly facts: readonly QuoteFact[];
}

/** Throws Malformed for what is no quote. */
export function decodeQuote(bytes: Uint8Array): QuoteFacts[] {
  return quoteFacts(parseQuote(bytes));
}

export function quoteFacts(quote: Quote): QuoteFacts[] {
  if (quote.report.kind === "sgx") return [{ title: "Quote", facts: headerFacts(quote) }, sgxFacts(quote)];
  const td = quote.report.td;
  return [
    { title: "Quote", facts: headerFacts(quote) },
    { title: "Code and configuration", facts: measurementFacts(td) },
    { title: "Trust domain", facts: domainFacts(td) },
    {
      title: "What the code said",
      facts: [hex("REPORTDATA", td.reportData, "64 bytes of the code’s own: here they bind its claims")],
    },
  ];
}

export function measurementFacts(td: TdReport): QuoteFact[] {
  return [
    hex("MRTD", td.mrtd, "hash of the memory that the machine was started with"),
    ...td.rtmr.map((value, i) => hex(`RTMR${i}`, value, "extended while it started")),
    hex("MRCONFIGID", td.mrConfigId, composeHint(td.mrConfigId)),
    hex("MROWNER", td.mrOwner, "chosen by who starts it"),
    hex("MROWNERCONFIG", td.mrOwnerConfig, "chosen by who starts it"),
  ];
}

/** What the vendor’s documents say about the machine; only after verification. */
export function platformFacts(quote: VerifiedQuote): QuoteFact[] {
  const day = (seconds: number) => new Date(seconds * 1000).toISOString().slice(0, 16).replace("T", " ");
  return [
    text("TCB status", quote.status, "how the vendor judges this machine’s security version"),
    text("Platform", quote.platformStatus, "microcode and firmware"),
    text(
      "TDX module",
      quote.moduleStatus ?? "not judged on its own",
      "the vendor’s code between machine and guests",
    ),
    text("Quoting enclave", quote.qeStatus, "the vendor’s code that signs quotes"),
    text("Advisories", quote.advisories.join(", ") || "none", "known weaknesses of this security version"),
    text("Evaluation number", String(quote.tcbEvaluation), "which round of the vendor’s updates judged it"),
    text(
      "Valid",
      `${day(quote.window.notBefore)} to ${day(quote.window.notAfter)} UTC`,
      "while every document is current",
    ),
    text("Root", quote.rootName, "who vouches in the end"),
    { ...text("Root key", quote.root, "SHA-256 of its public key"), code: true },
    hex("Platform model (FMSPC)", quote.fmspc, "model of the machine"),
    hex("Machine (PPID)", quote.ppid, "this one processor package"),
  ];
}

function headerFacts(quote: Quote): QuoteFact[] {
  const kind = quote.report.kind === "tdx" ? "Intel TDX (a virtual machine)" : "Intel SGX (an enclave)";
  return [
    text("Version", String(quote.version), "layout of the quote"),
    text("Kind", kind, "what kind of TEE made it"),
    text("Size", `${quote.size} bytes`, "signed part and signature"),
    hex("Attestation key", quote.attestationKey, "signed this quote; the vendor’s enclave vouches for it"),
  ];
}

function domainFacts(td: TdReport): QuoteFact[] {
  return [
    text(
      "Debug",
      (td.tdAttributes & 1n) === 0n ? "off" : "ON: the host can read its memory",
      "attribute bit 0",
    ),
    text(
      "SEPT_VE_DISABLE",
      (td.tdAttributes & (1n << 28n)) === 0n ? "not set" : "set",
      "the host cannot make memory vanish unseen",
    ),
    text("Migratable", (td.tdAttributes & (1n << 29n)) === 0n ? "no" : "yes", "may move to another machine"),
    { ...text("TDATTRIBUTES", `0x${td.tdAttributes.toString(16)}`, "all attributes"), code: true },
    { ...text("XFAM", `0x${td.xfam.toString(16)}`, "CPU features that are enabled"), code: true },
    hex("TEE_TCB_SVN", td.teeTcbSvn, "security versions at launch: module, its version, loader"),
    hex("MRSEAM", td.mrSeam, "hash of the TDX module"),
    ...(td.td15 === undefined
      ? []
      : [hex("MRSERVICETD", td.td15.mrServiceTd, "service guest bound to it; zero: none")]),
  ];
}

function sgxFacts(quote: Quote): QuoteFacts {
  if (quote.report.kind !== "sgx") return { title: "Enclave", facts: [] };
  const report = quote.report.enclave;
  const facts = [
    hex("MRENCLAVE", report.mrEnclave, "hash of the enclave"),
    hex("MRSIGNER", report.mrSigner, "hash of its author’s key"),
    hex("REPORTDATA", report.reportData, "64 bytes of the code’s own"),
  ];
  return { title: "Enclave", facts };
}

function composeHint(mrConfigId: Uint8Array): string {
  if (mrConfigId.every((byte) => byte === 0)) return "zero: no compose file was measured";
  return mrConfigId[0] === 1 ? "01 and the compose hash (dstack)" : "configuration of another form";
}

function hex(label: string, bytes: Uint8Array, hint: string): QuoteFact {
  return { label, value: toHex(bytes), hint, code: true };
}

function text(label: string, value: string, hint: string): QuoteFact {
  return { label, value, hint };
}
