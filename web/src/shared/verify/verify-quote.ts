// Is a quote genuine? The order of docs/formats/evidence.md section 4.2, steps 1 to 15: certificates before documents,
// documents before the quote that they judge. Genuine is not yet wanted: appraise.ts decides that.

import { concat, equalBytes } from "./bytes";
import {
  type ChainContext,
  checkDocument,
  checkPckChain,
  checkRevocation,
  type PckChain,
  WindowMeter,
} from "./chain";
import type { CheckId } from "./checks";
import {
  type Collateral,
  parseCollateral,
  parseQeIdentity,
  parseTcbInfo,
  type QeIdentity,
  type TcbInfo,
} from "./collateral";
import { sha256 } from "./hashes";
import type { Json } from "./json";
import { verifyP256 } from "./p256";
import { parseQuote, type Quote } from "./quote";
import { Malformed, Refused, type Result, settleAsync, under } from "./refusal";
import { parseSgxExtension, type SgxExtension, sgxExtensionOid } from "./sgx-extension";
import { judgeTcb, matchQe } from "./tcb";
import type { TcbStatus } from "./tcb-status";
import type { Certificate, Validity } from "./x509";

export interface VerifiedQuote {
  readonly quote: Quote;
  /** hex of SHA-256 over the SubjectPublicKeyInfo of the root that vouches */
  readonly root: string;
  readonly rootName: string;
  /** converged */
  readonly status: TcbStatus;
  readonly platformStatus: TcbStatus;
  /** none for SGX and module version 0 */
  readonly moduleStatus: TcbStatus | undefined;
  readonly qeStatus: TcbStatus;
  readonly advisories: readonly string[];
  /** while every part is current: newest issue date to earliest expiry */
  readonly window: Validity;
  /** platform model */
  readonly fmspc: Uint8Array;
  /** the one machine, from the verified PCK leaf */
  readonly ppid: Uint8Array;
  /** tcbEvaluationDataNumber of the TCB info */
  readonly tcbEvaluation: bigint;
}

function checkDates(dates: Validity, context: ChainContext, check: CheckId): void {
  if (context.now < dates.notBefore) throw new Refused(check, "issued in the future");
  if (context.now > dates.notAfter) throw new Refused(check, "expired");
  context.window.addDocument(dates);
}

function readPckExtension(leaf: Certificate): SgxExtension {
  const value = leaf.extensions.get(sgxExtensionOid);
  if (value === undefined) throw new Malformed("the certificate has no SGX extension");
  return parseSgxExtension(value);
}

interface Documents {
  readonly tcbInfo: TcbInfo;
  readonly qeIdentity: QeIdentity;
}

// Steps 4 and 5.
async function checkDocuments(
  collateral: Collateral,
  chain: PckChain,
  context: ChainContext,
): Promise<Documents> {
  const { rootCrl } = collateral;
  const tcbChecks = { signer: "tcb.signer", signature: "tcb.signature" } as const;
  await checkDocument(collateral.tcbInfo, chain.root, rootCrl, context, tcbChecks);
  const tcbInfo = under("tcb.info", () => parseTcbInfo(collateral.tcbInfo.text));
  checkDates(tcbInfo.dates, context, "tcb.dates");
  const qeChecks = { signer: "qe.signer", signature: "qe.signature" } as const;
  await checkDocument(collateral.qeIdentity, chain.root, rootCrl, context, qeChecks);
  const qeIdentity = under("qe.identity", () => parseQeIdentity(collateral.qeIdentity.text));
  checkDates(qeIdentity.dates, context, "qe.dates");
  return { tcbInfo, qeIdentity };
}

// Steps 6 and 7.
function checkBinding(quote: Quote, pck: SgxExtension, { tcbInfo, qeIdentity }: Documents): void {
  const tdx = quote.report.kind === "tdx";
  if (tcbInfo.id !== (tdx ? "TDX" : "SGX")) {
    throw new Refused("tee.binding", "the TCB info is for another kind of TEE");
  }
  if (qeIdentity.id !== (tdx ? "TD_QE" : "QE")) {
    throw new Refused("tee.binding", "the QE identity is for another kind of TEE");
  }
  if (!equalBytes(tcbInfo.fmspc, pck.fmspc)) {
    throw new Refused("tcb.fmspc", "the TCB info is for another platform model");
  }
  if (!equalBytes(tcbInfo.pceId, pck.pceId))
    throw new Refused("tcb.pceid", "the TCB info is for another PCE");
}

async function checkSignature(check: CheckId, work: Promise<void>): Promise<void> {
  try {
    await work;
  } catch (error) {
    if (error instanceof Malformed) throw new Refused(check, error.message);
    throw error;
  }
}

// Steps 8 and 9.
async function checkQeReport(quote: Quote, pck: Certificate): Promise<void> {
  const verified = verifyP256(pck.publicKey, quote.qeReportBytes, quote.qeReportSignature);
  await checkSignature("qe.report_signature", verified);
  const bound = sha256(concat(quote.attestationKey, quote.qeAuthData));
  if (!equalBytes(quote.qeReport.reportData, concat(bound, new Uint8Array(32)))) {
    throw new Refused("qe.report_data", "the QE report is for another attestation key");
  }
}

async function run(
  bytes: Uint8Array,
  collateralInput: Uint8Array | Json,
  context: ChainContext,
): Promise<VerifiedQuote> {
  // Comparisons with what is no number are all false, so such a clock would find nothing expired.
  if (!Number.isFinite(context.now)) throw new Refused("pck.validity", "the time is not known");
  const quote = under("quote.structure", () => parseQuote(bytes));
  const chain = await checkPckChain(quote.pckChain, context);
  const pck = under("pck.extension", () => readPckExtension(chain.leaf));
  const collateral = parseCollateral(collateralInput);
  await checkRevocation(chain, collateral, context);
  const documents = await checkDocuments(collateral, chain, context);
  checkBinding(quote, pck, documents);
  await checkQeReport(quote, chain.leaf);
  const qe = matchQe(quote.qeReport, documents.qeIdentity);
  await checkSignature(
    "quote.signature",
    verifyP256(quote.attestationKey, quote.signedBytes, quote.signature),
  );
  const verdict = judgeTcb(quote.report, pck, documents.tcbInfo, qe);
  return {
    quote,
    root: chain.root.spkiHash,
    rootName: chain.root.subjectName,
    status: verdict.status,
    platformStatus: verdict.platform,
    moduleStatus: verdict.module,
    qeStatus: qe.status,
    advisories: verdict.advisories,
    window: context.window.window,
    fmspc: pck.fmspc,
    ppid: pck.ppid,
    tcbEvaluation: documents.tcbInfo.evaluation,
  };
}

/** The first check that fails is the answer. `roots`: hex of SPKI hashes; `now`: Unix seconds. */
export function verifyQuote(
  quote: Uint8Array,
  collateral: Uint8Array | Json,
  roots: readonly string[],
  now: number,
): Promise<Result<VerifiedQuote>> {
  // A copy: nobody changes the bytes between a check and their use.
  const bytes = concat(quote);
  return settleAsync("quote.structure", () =>
    run(bytes, collateral, { roots, now, window: new WindowMeter() }),
  );
}
