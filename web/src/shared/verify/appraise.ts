// Is a genuine quote one that we want? Apart from verify-quote.ts: that asks the vendor, this asks the trust file.
// docs/formats/evidence.md section 4.2, step 16. Pure. Throws Refused.
import { equalBytes, isZero, toHex } from "./bytes";
import type { TdReport } from "./quote";
import { Refused } from "./refusal";
import type { TcbStatus } from "./tcb-status";
import { intelRootSpkiHash, type Measurement, type TrustFile } from "./trust-file";
import type { VerifiedQuote } from "./verify-quote";

export const tdAttribute = {
  debug: 1n << 0n,
  septVeDisable: 1n << 28n,
  migratable: 1n << 29n,
  pks: 1n << 30n,
  keyLocker: 1n << 31n,
  perfmon: 1n << 63n,
} as const;

const sgxDebug = 0x02;
// Attributes that a trust domain may set: none of them lets anyone else in.
const knownAttributes =
  tdAttribute.septVeDisable | tdAttribute.pks | tdAttribute.keyLocker | tdAttribute.perfmon;
// XFAM bits that may be set and those that must be (x87, SSE).
const xfamAllowed = 0x6dbe7n;
const xfamRequired = 0x3n;

function appraiseTd(td: TdReport): void {
  const has = (bit: bigint) => (td.tdAttributes & bit) !== 0n;
  const refuse = (found: string) => new Refused("tdx.attributes", found);
  if (has(tdAttribute.debug)) throw new Refused("tdx.debug", "the debug attribute is set");
  if (!has(tdAttribute.septVeDisable)) throw refuse("SEPT_VE_DISABLE is not set");
  if (has(tdAttribute.migratable)) throw refuse("the trust domain can be migrated");
  if (has(~knownAttributes)) throw refuse("a reserved attribute is set");
  if ((td.xfam & ~xfamAllowed) !== 0n || (td.xfam & xfamRequired) !== xfamRequired) {
    throw new Refused("tdx.xfam", "XFAM enables unknown CPU features");
  }
  if (td.td15 !== undefined && !isZero(td.td15.mrServiceTd)) {
    throw new Refused("tdx.service_td", "a service TD is bound to the trust domain");
  }
}

/** The rules for every trust domain, whatever it runs; for an SGX quote the debug attribute. */
export function appraiseAttributes({ quote }: VerifiedQuote): void {
  if (quote.report.kind === "tdx") {
    appraiseTd(quote.report.td);
  } else if (((quote.report.enclave.attributes[0] as number) & sgxDebug) !== 0) {
    throw new Refused("tdx.debug", "the debug attribute is set");
  }
}

export function appraiseTcb(
  quote: VerifiedQuote,
  accepted: readonly TcbStatus[],
  minEvaluation: bigint,
): void {
  if (!accepted.includes(quote.status) || quote.status === "Revoked") {
    throw new Refused("tcb.status", `the TCB status is ${quote.status}`);
  }
  if (quote.tcbEvaluation < minEvaluation) {
    const found = `the TCB evaluation number is ${quote.tcbEvaluation}, the least accepted is ${minEvaluation}`;
    throw new Refused("tcb.evaluation", found);
  }
}

function appraiseClass(quote: VerifiedQuote, trust: TrustFile): void {
  const vendor = quote.root === intelRootSpkiHash;
  if (!trust.roots.includes(quote.root) || vendor !== (trust.evidenceClass === "production")) {
    throw new Refused("evidence.class", "the evidence is not of the trust file's class");
  }
}

function matches(measurement: Measurement, td: TdReport): boolean {
  const registersMatch = td.rtmr.every((value, i) => {
    const wanted = measurement.rtmr[i];
    return wanted === undefined || equalBytes(wanted, value);
  });
  return equalBytes(measurement.mrtd, td.mrtd) && registersMatch;
}

/** Everything: class, kind of TEE, attributes, TCB, measurement. Returns the name of the release. */
export function appraise(quote: VerifiedQuote, trust: TrustFile): string {
  appraiseClass(quote, trust);
  const { report } = quote.quote;
  if (report.kind !== "tdx") throw new Refused("tee.kind", "the quote is not of a trust domain");
  appraiseAttributes(quote);
  appraiseTcb(quote, trust.acceptedTcb, trust.minTcbEvaluation);
  const release = trust.measurements.find((measurement) => matches(measurement, report.td));
  if (release === undefined) {
    const found = `MRTD ${toHex(report.td.mrtd)} and its RTMRs are of no release that the trust file lists`;
    throw new Refused("measurement", found);
  }
  return release.name;
}
