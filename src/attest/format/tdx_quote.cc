#include "attest/format/tdx_quote.h"

#include "attest/check.h"
#include "attest/format/evidence.h"

namespace teetee::attest {
namespace {

constexpr uint16_t kEcdsaP256 = 2;     // attestation key type
constexpr uint16_t kCertPckChain = 5;  // certification data: PEM chain of the PCK
constexpr uint16_t kCertQeReport = 6;  // certification data: QE report and what certifies it
enum BodyType : uint16_t { kBodySgx = 1, kBodyTd10 = 2, kBodyTd15 = 3 };

Error Bad(std::string_view what, const char* file = __builtin_FILE(), int line = __builtin_LINE()) {
  return Error(Code::kInvalidArgument, std::string(what), file, line);
}

size_t BodySize(uint16_t type) {
  switch (type) {
    case kBodySgx:
      return kEnclaveReportSize;
    case kBodyTd10:
      return kTdReport10Size;
    case kBodyTd15:
      return kTdReport15Size;
    default:
      return 0;
  }
}

Result<EnclaveReport> ReadEnclaveReport(ByteView bytes) {
  ByteReader in(bytes);
  EnclaveReport r;
  r.cpu_svn = TT_TRY(in.Array<16>());
  r.misc_select = TT_TRY(in.Array<4>());
  TT_RETURN_IF_ERROR(in.Skip(28));
  r.attributes = TT_TRY(in.Array<16>());
  r.mr_enclave = TT_TRY(in.Array<32>());
  TT_RETURN_IF_ERROR(in.Skip(32));
  r.mr_signer = TT_TRY(in.Array<32>());
  TT_RETURN_IF_ERROR(in.Skip(96));
  r.isv_prod_id = TT_TRY(in.U16Le());
  r.isv_svn = TT_TRY(in.U16Le());
  TT_RETURN_IF_ERROR(in.Skip(60));
  r.report_data = TT_TRY(in.Array<64>());
  TT_RETURN_IF_ERROR(in.ExpectDone("enclave report"));
  return r;
}

Result<TdReport> ReadTdReport(ByteView bytes, bool is_15) {
  ByteReader in(bytes);
  TdReport r;
  r.tee_tcb_svn = TT_TRY(in.Array<16>());
  r.mr_seam = TT_TRY(in.Array<48>());
  r.mr_signer_seam = TT_TRY(in.Array<48>());
  r.seam_attributes = TT_TRY(in.Array<8>());
  r.td_attributes = TT_TRY(in.U64Le());
  r.xfam = TT_TRY(in.U64Le());
  r.mrtd = TT_TRY(in.Array<48>());
  r.mr_config_id = TT_TRY(in.Array<48>());
  r.mr_owner = TT_TRY(in.Array<48>());
  r.mr_owner_config = TT_TRY(in.Array<48>());
  for (Hash48& rtmr : r.rtmr) rtmr = TT_TRY(in.Array<48>());
  r.report_data = TT_TRY(in.Array<64>());
  if (is_15) {
    r.is_15 = true;
    r.tee_tcb_svn2 = TT_TRY(in.Array<16>());
    r.mr_service_td = TT_TRY(in.Array<48>());
  }
  TT_RETURN_IF_ERROR(in.ExpectDone("TD report"));
  return r;
}

Status ReadHeader(ByteReader& in, Quote* q) {
  q->version = TT_TRY(in.U16Le());
  if (TT_TRY(in.U16Le()) != kEcdsaP256) return Bad("attestation key type is not ECDSA P-256");
  uint32_t tee = TT_TRY(in.U32Le());
  bool sgx = tee == static_cast<uint32_t>(TeeType::kSgx) && q->version == 3;
  bool tdx = tee == static_cast<uint32_t>(TeeType::kTdx) && (q->version == 4 || q->version == 5);
  if (!sgx && !tdx) return Bad("version and TEE type are no known pair");
  q->tee = sgx ? TeeType::kSgx : TeeType::kTdx;
  TT_RETURN_IF_ERROR(in.Skip(4));
  if (TT_TRY(in.Array<16>()) != kIntelQeVendor) return Bad("QE vendor is not Intel");
  q->user_data = TT_TRY(in.Array<20>());
  return Ok{};
}

Status ReadBody(ByteReader& in, Quote* q) {
  uint16_t type = q->tee == TeeType::kSgx ? kBodySgx : kBodyTd10;
  if (q->version == 5) {
    type = TT_TRY(in.U16Le());
    if (type != kBodyTd10 && type != kBodyTd15) return Bad("body type does not fit a trust domain");
    if (TT_TRY(in.U32Le()) != BodySize(type)) return Bad("body size does not fit its type");
  }
  ByteView body = TT_TRY(in.View(BodySize(type)));
  if (type == kBodySgx) {
    q->enclave = TT_TRY(ReadEnclaveReport(body));
  } else {
    q->td = TT_TRY(ReadTdReport(body, type == kBodyTd15));
  }
  return Ok{};
}

// QE report, its signature, authentication data and the PCK chain: the last fills `in` to its end.
Status ReadCertification(ByteReader& in, Quote* q) {
  q->qe_report_bytes = ToBytes(TT_TRY(in.View(kEnclaveReportSize)));
  q->qe_report = TT_TRY(ReadEnclaveReport(q->qe_report_bytes));
  q->qe_report_signature = TT_TRY(in.Array<64>());
  uint16_t auth_size = TT_TRY(in.U16Le());
  q->qe_auth_data = ToBytes(TT_TRY(in.View(auth_size)));
  if (TT_TRY(in.U16Le()) != kCertPckChain)
    return Bad("certification data is no PCK chain (type 5)");
  if (TT_TRY(in.U32Le()) != in.remaining()) return Bad("size of the PCK chain does not fit");
  std::string_view chain = AsText(TT_TRY(in.View(in.remaining())));
  if (chain.ends_with('\0')) chain.remove_suffix(1);
  q->pck_chain = std::string(chain);
  return Ok{};
}

Status ReadSignatureData(ByteReader& in, Quote* q) {
  q->signature = TT_TRY(in.Array<64>());
  q->attestation_key = TT_TRY(in.Array<64>());
  if (q->version == 3) return ReadCertification(in, q);
  if (TT_TRY(in.U16Le()) != kCertQeReport) return Bad("outer certification data is not of type 6");
  if (TT_TRY(in.U32Le()) != in.remaining())
    return Bad("size of the certification data does not fit");
  return ReadCertification(in, q);
}

Status ReadQuote(ByteView bytes, Quote* q) {
  ByteReader in(bytes);
  TT_RETURN_IF_ERROR(ReadHeader(in, q));
  TT_RETURN_IF_ERROR(ReadBody(in, q));
  q->signed_bytes = ToBytes(bytes.first(in.position()));
  uint32_t size = TT_TRY(in.U32Le());
  ByteReader data(TT_TRY(in.View(size)));
  TT_RETURN_IF_ERROR(ReadSignatureData(data, q));
  TT_RETURN_IF_ERROR(data.ExpectDone("signature data"));
  q->size = in.position();
  return Ok{};
}

}  // namespace

Result<Quote> ParseQuote(ByteView bytes) {
  if (bytes.size() > kMaxQuote) return Refuse(check::kQuoteStructure, "the quote is too long");
  Quote quote;
  if (auto status = ReadQuote(bytes, &quote); !status) {
    return Refuse(check::kQuoteStructure, status.error());
  }
  return quote;
}

}  // namespace teetee::attest
