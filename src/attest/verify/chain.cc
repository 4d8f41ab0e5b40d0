#include "attest/verify/chain.h"

#include <algorithm>

namespace teetee::attest {
namespace {

constexpr std::string_view kPckLeafName = "SGX PCK Certificate";
constexpr std::string_view kPlatformCaName = "SGX PCK Platform CA";
constexpr std::string_view kProcessorCaName = "SGX PCK Processor CA";
constexpr std::string_view kTcbSignerName = "SGX TCB Signing";

// Names are matched by their end: Intel's begin with "Intel ", simulated ones say so. What counts
// is the pinned root; names keep one leaf of that root (a PCK) from standing in for another (a TCB
// signer).
bool HasName(const crypto::Certificate& c, std::string_view name) {
  return c.subject_common_name().ends_with(name);
}

Status CheckIsCa(const crypto::Certificate& c, int64_t certificates_below, const Check& failed) {
  bool signs = c.key_usage() && c.key_usage()->cert_sign && c.key_usage()->crl_sign;
  if (!c.is_ca() || !signs) return Refuse(failed, "an issuer is no CA");
  if (c.path_length() && *c.path_length() < certificates_below) {
    return Refuse(failed, "a path length is too short");
  }
  return Ok{};
}

Status CheckIsLeaf(const crypto::Certificate& c, const Check& failed) {
  bool signs = c.key_usage() && c.key_usage()->digital_signature && !c.key_usage()->cert_sign;
  if (c.is_ca() || !signs) return Refuse(failed, "the end certificate is a CA or may not sign");
  return Ok{};
}

Status CheckLink(const crypto::Certificate& c, const crypto::Certificate& issuer,
                 const Check& failed) {
  if (auto link = c.CheckSignedBy(issuer); !link) return Refuse(failed, link.error());
  return Ok{};
}

Status CheckPckNames(const PckChain& chain) {
  if (!HasName(chain.leaf, kPckLeafName)) {
    return Refuse(check::kPckChain, "the end certificate is not named as a PCK certificate");
  }
  if (!HasName(chain.ca, kPlatformCaName) && !HasName(chain.ca, kProcessorCaName)) {
    return Refuse(check::kPckChain, "the issuer is not named as a PCK CA");
  }
  return Ok{};
}

Status CheckPckLinks(const PckChain& chain) {
  TT_RETURN_IF_ERROR(CheckIsLeaf(chain.leaf, check::kPckChain));
  TT_RETURN_IF_ERROR(CheckIsCa(chain.ca, 0, check::kPckChain));
  TT_RETURN_IF_ERROR(CheckIsCa(chain.root, 1, check::kPckChain));
  TT_RETURN_IF_ERROR(CheckLink(chain.leaf, chain.ca, check::kPckChain));
  TT_RETURN_IF_ERROR(CheckLink(chain.ca, chain.root, check::kPckChain));
  return CheckLink(chain.root, chain.root, check::kPckChain);
}

Status CheckValid(const crypto::Certificate& c, const ChainContext& context, const Check& failed) {
  if (context.now < c.validity().not_before)
    return Refuse(failed, "a certificate is not valid yet");
  if (context.now > c.validity().not_after) return Refuse(failed, "a certificate has expired");
  context.window.AddCertificate(c);
  return Ok{};
}

Status CheckCrl(const crypto::Crl& crl, const crypto::Certificate& issuer,
                const ChainContext& context, const Check& failed) {
  if (auto link = crl.CheckSignedBy(issuer); !link) return Refuse(failed, link.error());
  if (context.now < crl.this_update()) return Refuse(failed, "the CRL is from the future");
  if (context.now > crl.next_update()) return Refuse(failed, "the CRL has expired");
  context.window.AddDocument(crl.updates());
  return Ok{};
}

}  // namespace

void WindowMeter::AddDocument(const crypto::Validity& dates) {
  window_.not_before = std::max(window_.not_before, dates.not_before);
  window_.not_after = std::min(window_.not_after, dates.not_after);
}

void WindowMeter::AddCertificate(const crypto::Certificate& c) {
  window_.not_after = std::min(window_.not_after, c.validity().not_after);
}

Result<PckChain> CheckPckChain(std::string_view pem, const ChainContext& context) {
  auto certificates = crypto::ParsePemChain(pem, 3);
  if (!certificates) return Refuse(check::kPckChain, certificates.error());
  if (certificates->size() != 3) return Refuse(check::kPckChain, "not three certificates");
  PckChain chain{(*certificates)[0], (*certificates)[1], (*certificates)[2]};
  TT_RETURN_IF_ERROR(CheckPckNames(chain));
  TT_RETURN_IF_ERROR(CheckPckLinks(chain));
  const auto& roots = context.roots;
  if (std::find(roots.begin(), roots.end(), chain.root.spki_hash()) == roots.end()) {
    return Refuse(check::kPckRoot, "the chain ends in a root that is not trusted");
  }
  TT_RETURN_IF_ERROR(CheckValid(chain.leaf, context, check::kPckValidity));
  TT_RETURN_IF_ERROR(CheckValid(chain.ca, context, check::kPckValidity));
  TT_RETURN_IF_ERROR(CheckValid(chain.root, context, check::kPckValidity));
  return chain;
}

Status CheckRevocation(const PckChain& chain, const Collateral& collateral,
                       const ChainContext& context) {
  TT_RETURN_IF_ERROR(CheckCrl(collateral.root_crl, chain.root, context, check::kRootCrl));
  TT_RETURN_IF_ERROR(CheckCrl(collateral.pck_crl, chain.ca, context, check::kPckCrl));
  if (collateral.root_crl.IsRevoked(chain.ca))
    return Refuse(check::kPckRevoked, "the PCK CA is revoked");
  if (collateral.pck_crl.IsRevoked(chain.leaf)) {
    return Refuse(check::kPckRevoked, "the PCK certificate is revoked");
  }
  return Ok{};
}

Status CheckDocument(const SignedDocument& document, const PckChain& chain,
                     const crypto::Crl& root_crl, const ChainContext& context,
                     const DocumentChecks& checks) {
  if (document.chain.size() != 2) return Refuse(checks.signer, "not two certificates");
  const crypto::Certificate& signer = document.chain[0];
  if (document.chain[1].spki_hash() != chain.root.spki_hash()) {
    return Refuse(checks.signer, "the signer's chain ends in another root");
  }
  if (!HasName(signer, kTcbSignerName)) {
    return Refuse(checks.signer, "the signer is not named as a TCB signing certificate");
  }
  TT_RETURN_IF_ERROR(CheckIsLeaf(signer, checks.signer));
  TT_RETURN_IF_ERROR(CheckLink(signer, chain.root, checks.signer));
  TT_RETURN_IF_ERROR(CheckValid(signer, context, checks.signer));
  if (root_crl.IsRevoked(signer)) return Refuse(checks.signer, "the signer is revoked");
  auto verified =
      crypto::P256Verify(signer.public_key(), AsBytes(document.text), document.signature);
  if (!verified) return Refuse(checks.signature, verified.error());
  return Ok{};
}

}  // namespace teetee::attest
