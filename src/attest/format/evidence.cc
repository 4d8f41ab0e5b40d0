#include "attest/format/evidence.h"

#include "attest/check.h"
#include "attest/format/cbor.h"
#include "attest/format/claims.h"

namespace teetee::attest {
namespace {

constexpr uint64_t kEvidenceTag = 60000;

Status Read(ByteView extension, Evidence* out) {
  CborReader in(extension);
  TT_RETURN_IF_ERROR(in.Expect(CborMajor::kTag, kEvidenceTag));
  TT_RETURN_IF_ERROR(in.Expect(CborMajor::kArray, 2));
  ByteView quote = TT_TRY(in.ByteString());
  ByteView claims = TT_TRY(in.ByteString());
  TT_RETURN_IF_ERROR(in.ExpectDone());
  if (quote.size() > kMaxQuote || claims.size() > kMaxClaims) {
    return Error(Code::kInvalidArgument, "quote or claims are too long");
  }
  *out = Evidence{ToBytes(quote), ToBytes(claims)};
  return Ok{};
}

}  // namespace

Result<Bytes> EncodeEvidence(const Evidence& evidence) {
  if (evidence.quote.size() > kMaxQuote || evidence.claims.size() > kMaxClaims) {
    return Refuse(check::kEvidenceStructure, "quote or claims are too long");
  }
  CborWriter out;
  out.Tag(kEvidenceTag).Array(2).ByteString(evidence.quote).ByteString(evidence.claims);
  return out.Take();
}

Result<Evidence> DecodeEvidence(ByteView extension) {
  if (extension.size() > kMaxEvidence) {
    return Refuse(check::kEvidenceStructure, "the extension is too long");
  }
  Evidence evidence;
  if (auto status = Read(extension, &evidence); !status) {
    return Refuse(check::kEvidenceStructure, status.error());
  }
  return evidence;
}

}  // namespace teetee::attest
