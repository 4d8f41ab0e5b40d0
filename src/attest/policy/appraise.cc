#include "attest/policy/appraise.h"

#include <algorithm>

#include "attest/check.h"

namespace teetee::attest {
namespace {

constexpr uint8_t kSgxDebug = 0x02;  // byte 0 of ATTRIBUTES
// Attributes that a trust domain may set: none of them lets anyone else in.
constexpr uint64_t kKnownAttributes = kTdSeptVeDisable | kTdPks | kTdKeyLocker | kTdPerfmon;
// Intel's TDX module: XFAM bits that may be set and those that must be (x87, SSE).
constexpr uint64_t kXfamAllowed = 0x6dbe7;
constexpr uint64_t kXfamRequired = 0x3;

Status AppraiseTd(const TdReport& td) {
  if ((td.td_attributes & kTdDebug) != 0)
    return Refuse(check::kTdxDebug, "the debug attribute is set");
  if ((td.td_attributes & kTdSeptVeDisable) == 0) {
    return Refuse(check::kTdxAttributes, "SEPT_VE_DISABLE is not set");
  }
  if ((td.td_attributes & kTdMigratable) != 0) {
    return Refuse(check::kTdxAttributes, "the trust domain can be migrated");
  }
  if ((td.td_attributes & ~kKnownAttributes) != 0) {
    return Refuse(check::kTdxAttributes, "a reserved attribute is set");
  }
  if ((td.xfam & ~kXfamAllowed) != 0 || (td.xfam & kXfamRequired) != kXfamRequired) {
    return Refuse(check::kTdxXfam, "XFAM enables unknown CPU features");
  }
  if (td.is_15 && td.mr_service_td != Hash48{}) {
    return Refuse(check::kTdxServiceTd, "a service TD is bound to the trust domain");
  }
  return Ok{};
}

Status AppraiseClass(const VerifiedQuote& quote, const TrustFile& trust) {
  bool vendor = quote.root() == kIntelRootSpkiHash;
  bool listed =
      std::find(trust.roots().begin(), trust.roots().end(), quote.root()) != trust.roots().end();
  if (!listed || vendor != (trust.evidence_class() == EvidenceClass::kProduction)) {
    return Refuse(check::kEvidenceClass, "the evidence is not of the trust file's class");
  }
  return Ok{};
}

bool Matches(const Measurement& m, const TdReport& td) {
  if (m.mrtd != td.mrtd) return false;
  for (size_t i = 0; i < 4; ++i) {
    if (m.rtmr[i] && *m.rtmr[i] != td.rtmr[i]) return false;
  }
  return true;
}

}  // namespace

Status AppraiseAttributes(const VerifiedQuote& quote) {
  if (quote.quote().td) return AppraiseTd(*quote.quote().td);
  if ((quote.quote().enclave->attributes[0] & kSgxDebug) != 0) {
    return Refuse(check::kTdxDebug, "the debug attribute is set");
  }
  return Ok{};
}

Status AppraiseTcb(const VerifiedQuote& quote, const std::vector<TcbStatus>& accepted,
                   uint64_t min_evaluation) {
  bool wanted = std::find(accepted.begin(), accepted.end(), quote.status()) != accepted.end();
  if (!wanted || quote.status() == TcbStatus::kRevoked) {
    return Refuse(check::kTcbStatus,
                  "the TCB status is " + std::string(TcbStatusName(quote.status())));
  }
  if (quote.tcb_evaluation() < min_evaluation) {
    return Refuse(check::kTcbEvaluation,
                  "the TCB evaluation number is " + std::to_string(quote.tcb_evaluation()) +
                      ", the least accepted is " + std::to_string(min_evaluation));
  }
  return Ok{};
}

Result<std::string> Appraise(const VerifiedQuote& quote, const TrustFile& trust) {
  TT_RETURN_IF_ERROR(AppraiseClass(quote, trust));
  if (!quote.quote().td) return Refuse(check::kTeeKind, "the quote is not of a trust domain");
  TT_RETURN_IF_ERROR(AppraiseAttributes(quote));
  TT_RETURN_IF_ERROR(AppraiseTcb(quote, trust.accepted_tcb(), trust.min_tcb_evaluation()));
  for (const Measurement& m : trust.measurements()) {
    if (Matches(m, *quote.quote().td)) return m.name;
  }
  return Refuse(check::kMeasurement,
                "MRTD " + ToHex(quote.quote().td->mrtd) +
                    " and its RTMRs are of no release that the trust file lists");
}

}  // namespace teetee::attest
