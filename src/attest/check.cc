#include "attest/check.h"

namespace teetee::attest {
namespace {

using namespace check;

constexpr Check kAll[] = {kQuoteStructure,
                          kEvidenceStructure,
                          kClaimsStructure,
                          kCollateralStructure,
                          kPckChain,
                          kPckRoot,
                          kPckValidity,
                          kPckExtension,
                          kRootCrl,
                          kPckCrl,
                          kPckRevoked,
                          kTcbSigner,
                          kTcbSignature,
                          kTcbInfo,
                          kTcbDates,
                          kQeSigner,
                          kQeSignature,
                          kQeIdentity,
                          kQeDates,
                          kTeeBinding,
                          kTcbFmspc,
                          kTcbPceId,
                          kQeReportSignature,
                          kQeReportData,
                          kQePolicy,
                          kQeLevel,
                          kQuoteSignature,
                          kModuleIdentity,
                          kModuleLevel,
                          kTcbLevel,
                          kEvidenceClass,
                          kTeeKind,
                          kTcbStatus,
                          kTcbEvaluation,
                          kTdxDebug,
                          kTdxAttributes,
                          kTdxXfam,
                          kTdxServiceTd,
                          kMeasurement,
                          kReportData,
                          kTlsKey,
                          kClaimsChain,
                          kClaimsPolicy,
                          kClaimsAge,
                          kReflection};

}  // namespace

std::span<const Check> AllChecks() { return kAll; }

Error Refuse(const Check& failed, std::string_view found, const char* file, int line) {
  return Error(failed.code, "check " + std::string(failed.id) + ": " + std::string(found), file,
               line);
}

Error Refuse(const Check& failed, const Error& cause) {
  return Refuse(failed, cause.message(), cause.file(), cause.line());
}

std::string_view RefusedCheck(const Error& error) {
  std::string_view text = error.message();
  for (const Check& check : kAll) {
    std::string mark = "check " + std::string(check.id) + ": ";
    size_t at = text.find(mark);
    if (at == 0 || (at != std::string_view::npos && text[at - 1] == ' ')) return check.id;
  }
  return {};
}

}  // namespace teetee::attest
