#include "attest/collateral/collateral.h"

#include "attest/check.h"
#include "base/json.h"

namespace teetee::attest {
namespace {

constexpr size_t kMaxChain = 3;

Result<crypto::Crl> ReadCrl(const Json& json, std::string_view key) {
  std::string hex = TT_TRY(json.GetString(key));
  if (hex.size() > 2 * crypto::kMaxCrl) return Error(Code::kInvalidArgument, "CRL is too long");
  Bytes der = TT_TRY(FromHex(hex));
  return crypto::Crl::FromDer(der);
}

Result<SignedDocument> ReadSigned(const Json& json, const std::string& name) {
  SignedDocument out;
  out.text = TT_TRY(json.GetString(name));
  if (out.text.size() > kMaxSignedDocument)
    return Error(Code::kInvalidArgument, name + " is too long");
  std::string signature = TT_TRY(json.GetString(name + "_signature"));
  out.signature = TT_TRY(FromHexFixed<64>(signature));
  std::string chain = TT_TRY(json.GetString(name + "_issuer_chain"));
  out.chain = TT_TRY(crypto::ParsePemChain(chain, kMaxChain));
  return out;
}

}  // namespace

Result<Collateral> ParseCollateral(ByteView bytes) {
  auto json = Json::Parse(AsText(bytes), JsonLimits{kMaxCollateral, 8});
  if (!json) return Refuse(check::kCollateralStructure, json.error());
  if (!json->is_object()) return Refuse(check::kCollateralStructure, "no JSON object");
  auto root_crl = ReadCrl(*json, "root_ca_crl");
  if (!root_crl) return Refuse(check::kRootCrl, root_crl.error());
  auto pck_crl = ReadCrl(*json, "pck_crl");
  if (!pck_crl) return Refuse(check::kPckCrl, pck_crl.error());
  auto tcb_info = ReadSigned(*json, "tcb_info");
  if (!tcb_info) return Refuse(check::kCollateralStructure, tcb_info.error());
  auto qe_identity = ReadSigned(*json, "qe_identity");
  if (!qe_identity) return Refuse(check::kCollateralStructure, qe_identity.error());
  return Collateral{*std::move(root_crl), *std::move(pck_crl), *std::move(tcb_info),
                    *std::move(qe_identity)};
}

}  // namespace teetee::attest
