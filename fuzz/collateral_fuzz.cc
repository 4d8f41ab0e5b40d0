// Collateral, the two documents inside it, CRLs, and trust files: all are text or DER from outside.
#include "attest/collateral/collateral.h"
#include "base/check.h"
#include "crypto/x509.h"

namespace {

using namespace teetee;

void CheckDocuments(std::string_view text) {
  if (auto info = attest::ParseTcbInfo(text)) {
    for (size_t i = 1; i < info->levels.size(); ++i) {
      TT_CHECK(info->levels[i - 1].sgx_components >= info->levels[i].sgx_components);
    }
  }
  if (auto identity = attest::ParseQeIdentity(text)) {
    for (size_t i = 1; i < identity->levels.size(); ++i) {
      TT_CHECK(identity->levels[i - 1].isv_svn >= identity->levels[i].isv_svn);
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  ByteView bytes(data, size);
  if (auto collateral = attest::ParseCollateral(bytes)) {
    CheckDocuments(collateral->tcb_info.text);
    CheckDocuments(collateral->qe_identity.text);
  }
  CheckDocuments(AsText(bytes));
  (void)crypto::Crl::FromDer(bytes);
  if (auto trust = attest::TrustFile::Parse(AsText(bytes))) {
    auto again = attest::TrustFile::Parse(trust->ToJson().Dump());
    TT_CHECK(again && again->PolicyHash() == trust->PolicyHash());
  }
  return 0;
}
