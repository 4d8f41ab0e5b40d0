// The certificate extension, the claims inside it, and certificates themselves. What decodes must
// encode to the same bytes.
#include <algorithm>

#include "attest/format/claims.h"
#include "attest/format/evidence.h"
#include "base/check.h"
#include "crypto/x509.h"

namespace {

using namespace teetee;

void CheckClaims(ByteView bytes) {
  auto claims = attest::DecodeClaims(bytes);
  if (!claims) return;
  Bytes again = attest::EncodeClaims(*claims);
  TT_CHECK(std::equal(again.begin(), again.end(), bytes.begin(), bytes.end()));
}

void CheckCertificate(ByteView bytes) {
  auto certificate = crypto::Certificate::FromDer(bytes);
  if (!certificate) return;
  (void)certificate->CheckSignedBy(*certificate);
  auto again = crypto::Certificate::FromPem(certificate->ToPem());
  TT_CHECK(again && again->der() == certificate->der());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  ByteView bytes(data, size);
  CheckClaims(bytes);
  CheckCertificate(bytes);
  if (auto evidence = attest::DecodeEvidence(bytes)) {
    auto again = attest::EncodeEvidence(*evidence);
    TT_CHECK(again && std::equal(again->begin(), again->end(), bytes.begin(), bytes.end()));
    CheckClaims(evidence->claims);
  }
  return 0;
}
