// The order of docs/formats/evidence.md section 4: certificates before documents, documents before
// the quote that they judge.
#include "attest/check.h"
#include "attest/collateral/collateral.h"
#include "attest/format/sgx_extension.h"
#include "attest/verify/chain.h"
#include "attest/verify/tcb.h"
#include "attest/verify/verified_quote.h"
#include "crypto/hash.h"

namespace teetee::attest {
namespace {

Status CheckDates(const crypto::Validity& dates, const ChainContext& context, const Check& failed) {
  if (context.now < dates.not_before) return Refuse(failed, "issued in the future");
  if (context.now > dates.not_after) return Refuse(failed, "expired");
  context.window.AddDocument(dates);
  return Ok{};
}

Result<SgxExtension> ReadPckExtension(const crypto::Certificate& leaf) {
  auto value = leaf.Extension(kSgxExtensionOid);
  if (!value) return Refuse(check::kPckExtension, value.error());
  auto extension = ParseSgxExtension(*value);
  if (!extension) return Refuse(check::kPckExtension, extension.error());
  return extension;
}

struct Documents {
  TcbInfo tcb_info;
  QeIdentity qe_identity;
};

// Steps 4 and 5.
Result<Documents> CheckDocuments(const Collateral& collateral, const PckChain& chain,
                                 const ChainContext& context) {
  TT_RETURN_IF_ERROR(CheckDocument(collateral.tcb_info, chain, collateral.root_crl, context,
                                   {check::kTcbSigner, check::kTcbSignature}));
  auto tcb_info = ParseTcbInfo(collateral.tcb_info.text);
  if (!tcb_info) return Refuse(check::kTcbInfo, tcb_info.error());
  TT_RETURN_IF_ERROR(CheckDates(tcb_info->dates, context, check::kTcbDates));
  TT_RETURN_IF_ERROR(CheckDocument(collateral.qe_identity, chain, collateral.root_crl, context,
                                   {check::kQeSigner, check::kQeSignature}));
  auto qe_identity = ParseQeIdentity(collateral.qe_identity.text);
  if (!qe_identity) return Refuse(check::kQeIdentity, qe_identity.error());
  TT_RETURN_IF_ERROR(CheckDates(qe_identity->dates, context, check::kQeDates));
  return Documents{*std::move(tcb_info), *std::move(qe_identity)};
}

// Steps 6 and 7.
Status CheckBinding(const Quote& quote, const SgxExtension& pck, const Documents& documents) {
  bool tdx = quote.tee == TeeType::kTdx;
  if (documents.tcb_info.id != (tdx ? "TDX" : "SGX")) {
    return Refuse(check::kTeeBinding, "the TCB info is for another kind of TEE");
  }
  if (documents.qe_identity.id != (tdx ? "TD_QE" : "QE")) {
    return Refuse(check::kTeeBinding, "the QE identity is for another kind of TEE");
  }
  if (documents.tcb_info.fmspc != pck.fmspc) {
    return Refuse(check::kTcbFmspc, "the TCB info is for another platform model");
  }
  if (documents.tcb_info.pce_id != pck.pce_id) {
    return Refuse(check::kTcbPceId, "the TCB info is for another PCE");
  }
  return Ok{};
}

// Steps 8 and 9.
Status CheckQeReport(const Quote& quote, const crypto::Certificate& pck) {
  auto verified =
      crypto::P256Verify(pck.public_key(), quote.qe_report_bytes, quote.qe_report_signature);
  if (!verified) return Refuse(check::kQeReportSignature, verified.error());
  ByteWriter bound;
  bound.Raw(quote.attestation_key).Raw(quote.qe_auth_data);
  if (quote.qe_report.report_data != JoinReportData(crypto::Sha256(bound.bytes()))) {
    return Refuse(check::kQeReportData, "the QE report is for another attestation key");
  }
  return Ok{};
}

// Step 11.
Status CheckQuoteSignature(const Quote& quote) {
  auto verified = crypto::P256Verify(quote.attestation_key, quote.signed_bytes, quote.signature);
  if (!verified) return Refuse(check::kQuoteSignature, verified.error());
  return Ok{};
}

}  // namespace

// The one maker of VerifiedQuote.
class QuoteVerifier {
 public:
  static Result<VerifiedQuote> Run(ByteView quote_bytes, ByteView collateral_bytes,
                                   std::span<const Hash32> roots, int64_t now) {
    WindowMeter window;
    ChainContext context{roots, now, window};
    VerifiedQuote out;
    out.quote_ = TT_TRY(ParseQuote(quote_bytes));
    PckChain chain = TT_TRY(CheckPckChain(out.quote_.pck_chain, context));
    SgxExtension pck = TT_TRY(ReadPckExtension(chain.leaf));
    Collateral collateral = TT_TRY(ParseCollateral(collateral_bytes));
    TT_RETURN_IF_ERROR(CheckRevocation(chain, collateral, context));
    Documents documents = TT_TRY(CheckDocuments(collateral, chain, context));
    TT_RETURN_IF_ERROR(CheckBinding(out.quote_, pck, documents));
    TT_RETURN_IF_ERROR(CheckQeReport(out.quote_, chain.leaf));
    TcbLevel qe = TT_TRY(MatchQe(out.quote_.qe_report, documents.qe_identity));
    TT_RETURN_IF_ERROR(CheckQuoteSignature(out.quote_));
    TcbVerdict verdict = TT_TRY(JudgeTcb(out.quote_, pck, documents.tcb_info, qe));
    out.status_ = verdict.status;
    out.platform_ = verdict.platform;
    out.module_ = verdict.module;
    out.qe_ = qe.status;
    out.advisories_ = std::move(verdict.advisories);
    out.root_ = chain.root.spki_hash();
    out.window_ = window.window();
    out.fmspc_ = pck.fmspc;
    out.ppid_ = pck.ppid;
    out.tcb_evaluation_ = documents.tcb_info.evaluation;
    return out;
  }
};

Result<VerifiedQuote> VerifyQuote(ByteView quote, ByteView collateral,
                                  std::span<const Hash32> roots, int64_t now) {
  return QuoteVerifier::Run(quote, collateral, roots, now);
}

}  // namespace teetee::attest
