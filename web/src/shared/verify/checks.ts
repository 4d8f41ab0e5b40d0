// Every check of docs/formats/evidence.md section 4.3, in its order: the ids never change their meaning. A test compares
// this table with that page.

const table = [
  ["quote.structure", "the quote has a known layout and every length fits its container exactly"],
  ["evidence.structure", "the certificate extension is tag 60000 of [quote, claims] in deterministic CBOR"],
  ["claims.structure", "the claims are one canonical CBOR map with every field and no other"],
  ["collateral.structure", "the collateral holds every part in its documented form"],
  [
    "pck.chain",
    "PCK leaf, PCK CA and root: three certificates with the right names, roles, links and signatures",
  ],
  ["pck.root", "the PCK chain ends in a root that the trust file lists"],
  ["pck.validity", "each certificate of the PCK chain is valid now"],
  ["pck.extension", "the PCK leaf carries a complete SGX extension"],
  ["crl.root", "the root CRL is the root's own, signed, and current"],
  ["crl.pck", "the PCK CRL is that of the PCK leaf's issuer, signed, and current"],
  ["pck.revoked", "neither the PCK leaf nor its CA is revoked"],
  ["tcb.signer", "TCB info is signed by a TCB signing certificate of the same root, valid and not revoked"],
  ["tcb.signature", "the signature covers the TCB info byte for byte"],
  ["tcb.info", "the signed TCB info is well formed and of a known version"],
  ["tcb.dates", "the TCB info was issued and has not expired"],
  [
    "qe.signer",
    "the QE identity is signed by a TCB signing certificate of the same root, valid and not revoked",
  ],
  ["qe.signature", "the signature covers the QE identity byte for byte"],
  ["qe.identity", "the signed QE identity is well formed and of a known version"],
  ["qe.dates", "the QE identity was issued and has not expired"],
  ["tee.binding", "TCB info and QE identity are for the quote's kind of TEE"],
  ["tcb.fmspc", "the TCB info is for the platform model (FMSPC) of the PCK leaf"],
  ["tcb.pceid", "the TCB info is for the PCE of the PCK leaf"],
  ["qe.report_signature", "the PCK key signed the report of the quoting enclave"],
  ["qe.report_data", "the quoting enclave's report binds the attestation key"],
  ["qe.policy", "the quoting enclave is Intel's, of the right product, not in debug mode"],
  ["qe.level", "a TCB level of the QE identity matches"],
  ["quote.signature", "the attestation key signed header and body"],
  ["module.identity", "the TDX module is one that the TCB info names"],
  ["module.level", "a TCB level of the TDX module matches"],
  ["tcb.level", "a TCB level of the platform matches"],
  ["evidence.class", "the evidence is of the trust file's class: simulated is never taken for production"],
  ["tee.kind", "the quote is of a trust domain (TDX)"],
  ["tcb.status", "the TCB status is one that the trust file accepts"],
  ["tcb.evaluation", "the TCB evaluation data number is not below the trust file's minimum"],
  ["tdx.debug", "the debug attribute is clear"],
  ["tdx.attributes", "SEPT_VE_DISABLE is set; MIGRATABLE and reserved attributes are clear"],
  ["tdx.xfam", "only known CPU features are enabled"],
  ["tdx.service_td", "no service TD is bound"],
  ["measurement", "MRTD and RTMRs are of a release that the trust file lists"],
  ["report_data", "the report data binds these claims, and for a channel this very channel"],
  ["claims.tls_key", "the TLS key of the claims is the one that the peer uses"],
  ["claims.chain", "chain id and registry of the claims are the trust file's"],
  ["claims.policy", "the peer enforces the same trust policy"],
  ["claims.age", "the block of the claims is recent"],
  ["channel.reflection", "the peer does not show my own key back to me"],
] as const;

export type CheckId = (typeof table)[number][0];

export interface Check {
  readonly id: CheckId;
  /** what holds once the check has passed */
  readonly meaning: string;
}

export const allChecks: readonly Check[] = table.map(([id, meaning]) => ({ id, meaning }));

export const checkIds: ReadonlySet<string> = new Set(table.map(([id]) => id));

export function checkMeaning(id: CheckId): string {
  return allChecks.find((check) => check.id === id)?.meaning ?? "";
}
