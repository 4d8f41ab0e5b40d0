// The checks of the verifier: each has a stable id that refusals, clients, receipts and
// docs/formats/evidence.md share. A refusal reads "check ID: what was found".
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "base/result.h"

namespace teetee::attest {

struct Check {
  std::string_view id;       // "tdx.debug"
  std::string_view meaning;  // what holds once the check has passed
  Code code;                 // of a refusal: malformed, not genuine, or not wanted
};

namespace check {
#define TT_ATTEST_CHECK(name, id, code, meaning) \
  inline constexpr Check name { id, meaning, code }
// Bytes to fields.
TT_ATTEST_CHECK(kQuoteStructure, "quote.structure", Code::kInvalidArgument,
                "the quote has a known layout and every length fits its container exactly");
TT_ATTEST_CHECK(kEvidenceStructure, "evidence.structure", Code::kInvalidArgument,
                "the certificate extension is tag 60000 of [quote, claims] in deterministic CBOR");
TT_ATTEST_CHECK(kClaimsStructure, "claims.structure", Code::kInvalidArgument,
                "the claims are one canonical CBOR map with every field and no other");
TT_ATTEST_CHECK(kCollateralStructure, "collateral.structure", Code::kInvalidArgument,
                "the collateral holds every part in its documented form");
// The vendor's chain, steps 2 to 5.
TT_ATTEST_CHECK(kPckChain, "pck.chain", Code::kUnauthenticated,
                "PCK leaf, PCK CA and root: three certificates with the right names, roles, links "
                "and signatures");
TT_ATTEST_CHECK(kPckRoot, "pck.root", Code::kUnauthenticated,
                "the PCK chain ends in a root that the trust file lists");
TT_ATTEST_CHECK(kPckValidity, "pck.validity", Code::kUnauthenticated,
                "each certificate of the PCK chain is valid now");
TT_ATTEST_CHECK(kPckExtension, "pck.extension", Code::kUnauthenticated,
                "the PCK leaf carries a complete SGX extension");
TT_ATTEST_CHECK(kRootCrl, "crl.root", Code::kUnauthenticated,
                "the root CRL is the root's own, signed, and current");
TT_ATTEST_CHECK(kPckCrl, "crl.pck", Code::kUnauthenticated,
                "the PCK CRL is that of the PCK leaf's issuer, signed, and current");
TT_ATTEST_CHECK(kPckRevoked, "pck.revoked", Code::kUnauthenticated,
                "neither the PCK leaf nor its CA is revoked");
TT_ATTEST_CHECK(
    kTcbSigner, "tcb.signer", Code::kUnauthenticated,
    "TCB info is signed by a TCB signing certificate of the same root, valid and not revoked");
TT_ATTEST_CHECK(kTcbSignature, "tcb.signature", Code::kUnauthenticated,
                "the signature covers the TCB info byte for byte");
TT_ATTEST_CHECK(kTcbInfo, "tcb.info", Code::kUnauthenticated,
                "the signed TCB info is well formed and of a known version");
TT_ATTEST_CHECK(kTcbDates, "tcb.dates", Code::kUnauthenticated,
                "the TCB info was issued and has not expired");
TT_ATTEST_CHECK(kQeSigner, "qe.signer", Code::kUnauthenticated,
                "the QE identity is signed by a TCB signing certificate of the same root, valid "
                "and not revoked");
TT_ATTEST_CHECK(kQeSignature, "qe.signature", Code::kUnauthenticated,
                "the signature covers the QE identity byte for byte");
TT_ATTEST_CHECK(kQeIdentity, "qe.identity", Code::kUnauthenticated,
                "the signed QE identity is well formed and of a known version");
TT_ATTEST_CHECK(kQeDates, "qe.dates", Code::kUnauthenticated,
                "the QE identity was issued and has not expired");
// Quote against collateral, steps 6 to 13.
TT_ATTEST_CHECK(kTeeBinding, "tee.binding", Code::kUnauthenticated,
                "TCB info and QE identity are for the quote's kind of TEE");
TT_ATTEST_CHECK(kTcbFmspc, "tcb.fmspc", Code::kUnauthenticated,
                "the TCB info is for the platform model (FMSPC) of the PCK leaf");
TT_ATTEST_CHECK(kTcbPceId, "tcb.pceid", Code::kUnauthenticated,
                "the TCB info is for the PCE of the PCK leaf");
TT_ATTEST_CHECK(kQeReportSignature, "qe.report_signature", Code::kUnauthenticated,
                "the PCK key signed the report of the quoting enclave");
TT_ATTEST_CHECK(kQeReportData, "qe.report_data", Code::kUnauthenticated,
                "the quoting enclave's report binds the attestation key");
TT_ATTEST_CHECK(kQePolicy, "qe.policy", Code::kUnauthenticated,
                "the quoting enclave is Intel's, of the right product, not in debug mode");
TT_ATTEST_CHECK(kQeLevel, "qe.level", Code::kUnauthenticated,
                "a TCB level of the QE identity matches");
TT_ATTEST_CHECK(kQuoteSignature, "quote.signature", Code::kUnauthenticated,
                "the attestation key signed header and body");
TT_ATTEST_CHECK(kModuleIdentity, "module.identity", Code::kUnauthenticated,
                "the TDX module is one that the TCB info names");
TT_ATTEST_CHECK(kModuleLevel, "module.level", Code::kUnauthenticated,
                "a TCB level of the TDX module matches");
TT_ATTEST_CHECK(kTcbLevel, "tcb.level", Code::kUnauthenticated,
                "a TCB level of the platform matches");
// What the trust file asks for, step 16.
TT_ATTEST_CHECK(
    kEvidenceClass, "evidence.class", Code::kPermissionDenied,
    "the evidence is of the trust file's class: simulated is never taken for production");
TT_ATTEST_CHECK(kTeeKind, "tee.kind", Code::kPermissionDenied,
                "the quote is of a trust domain (TDX)");
TT_ATTEST_CHECK(kTcbStatus, "tcb.status", Code::kPermissionDenied,
                "the TCB status is one that the trust file accepts");
TT_ATTEST_CHECK(kTcbEvaluation, "tcb.evaluation", Code::kPermissionDenied,
                "the TCB evaluation data number is not below the trust file's minimum");
TT_ATTEST_CHECK(kTdxDebug, "tdx.debug", Code::kPermissionDenied, "the debug attribute is clear");
TT_ATTEST_CHECK(kTdxAttributes, "tdx.attributes", Code::kPermissionDenied,
                "SEPT_VE_DISABLE is set; MIGRATABLE and reserved attributes are clear");
TT_ATTEST_CHECK(kTdxXfam, "tdx.xfam", Code::kPermissionDenied,
                "only known CPU features are enabled");
TT_ATTEST_CHECK(kTdxServiceTd, "tdx.service_td", Code::kPermissionDenied, "no service TD is bound");
TT_ATTEST_CHECK(kMeasurement, "measurement", Code::kPermissionDenied,
                "MRTD and RTMRs are of a release that the trust file lists");
// The peer behind the evidence.
TT_ATTEST_CHECK(kReportData, "report_data", Code::kUnauthenticated,
                "the report data binds these claims, and for a channel this very channel");
TT_ATTEST_CHECK(kTlsKey, "claims.tls_key", Code::kUnauthenticated,
                "the TLS key of the claims is the one that the peer uses");
TT_ATTEST_CHECK(kClaimsChain, "claims.chain", Code::kPermissionDenied,
                "chain id and registry of the claims are the trust file's");
TT_ATTEST_CHECK(kClaimsPolicy, "claims.policy", Code::kPermissionDenied,
                "the peer enforces the same trust policy");
TT_ATTEST_CHECK(kClaimsAge, "claims.age", Code::kPermissionDenied,
                "the block of the claims is recent");
TT_ATTEST_CHECK(kReflection, "channel.reflection", Code::kUnauthenticated,
                "the peer does not show my own key back to me");
#undef TT_ATTEST_CHECK
}  // namespace check

// Every check above, in order.
std::span<const Check> AllChecks();

// "check ID: FOUND", with the check's code. FOUND must never quote foreign text.
Error Refuse(const Check& failed, std::string_view found, const char* file = __builtin_FILE(),
             int line = __builtin_LINE());
// Puts an error met while doing `failed` into that form.
Error Refuse(const Check& failed, const Error& cause);

// The id of the check that an error names, whatever context was put in front; empty if it names
// none.
std::string_view RefusedCheck(const Error& error);

}  // namespace teetee::attest
