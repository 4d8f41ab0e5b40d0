#include "transport/attestation.h"

#include "attest/collateral/collateral.h"
#include "attest/format/evidence.h"
#include "attest/format/tdx_quote.h"
#include "crypto/hash.h"
#include "transport/check.h"

namespace teetee::transport {
namespace {

constexpr std::string_view kKeyLabel = "teetee-channel-key-v1";

// The quote's signature is checked later; what it says must fit this certificate already now.
Status CheckCertificateEvidence(ByteView extension, const Hash32& spki_hash) {
  attest::Evidence evidence = TT_TRY(attest::DecodeEvidence(extension));
  attest::Claims claims = TT_TRY(attest::DecodeClaims(evidence.claims));
  if (claims.tls_key_hash != spki_hash) {
    return attest::Refuse(attest::check::kTlsKey, "the claims name another TLS key");
  }
  attest::Quote quote = TT_TRY(attest::ParseQuote(evidence.quote));
  if (!ConstantTimeEqual(quote.report_data(), attest::CertificateReportData(evidence.claims))) {
    return attest::Refuse(attest::check::kReportData,
                          "the report data of the certificate is for other claims");
  }
  return Ok{};
}

}  // namespace

Status CheckCertificate(const crypto::Certificate& peer, const Hash32& own_spki_hash, int64_t now) {
  TT_RETURN_IF_ERROR(attest::CheckNotReflected(own_spki_hash, peer.spki_hash()));
  if (!peer.validity().Contains(now)) return attest::Refuse(check::kCertificate, "not valid now");
  if (!peer.CheckSignedBy(peer))
    return attest::Refuse(check::kCertificate, "not signed by its own key");
  auto extension = peer.Extension(attest::kEvidenceOid);
  if (!extension) return attest::Refuse(check::kCertificate, "carries no evidence");
  return CheckCertificateEvidence(*extension, peer.spki_hash());
}

Hash32 ChannelKeyDigest(attest::ChannelRole role, const ByteArray<32>& exporter, ByteView claims) {
  ByteWriter w;
  w.Raw(kKeyLabel).U8(static_cast<uint8_t>(role)).Raw(exporter).Raw(crypto::Sha256(claims));
  return crypto::Sha256(w.bytes());
}

Result<AttestMessage> MakeAttest(const attest::ChannelBinding& binding,
                                 const attest::Claims& claims, const crypto::SigningKey& key,
                                 attest::EvidenceProvider& provider) {
  attest::Evidence evidence;
  evidence.claims = attest::EncodeClaims(claims);
  evidence.quote = TT_TRY(provider.Quote(attest::ChannelReportData(binding, evidence.claims)));
  AttestMessage out;
  out.evidence = TT_TRY(attest::EncodeEvidence(evidence));
  out.collateral = TT_TRY(provider.Collateral());
  if (out.collateral.size() > attest::kMaxCollateral)
    return Error(Code::kInternal, "our collateral is too large");
  out.signature =
      key.Sign(ChannelKeyDigest(binding.role, binding.exporter, evidence.claims)).bytes();
  return out;
}

Result<attest::VerifiedPeer> VerifyAttest(const AttestMessage& message,
                                          const attest::ChannelBinding& binding,
                                          const attest::TrustFile& trust, int64_t now) {
  attest::VerifiedPeer peer = TT_TRY(
      attest::VerifyChannelEvidence(message.evidence, message.collateral, binding, trust, now));
  Bytes claims =
      attest::EncodeClaims(peer.claims());  // canonical, so these are the bytes that were attested
  auto signer =
      crypto::Recover(ChannelKeyDigest(binding.role, binding.exporter, claims), message.signature);
  if (!signer || *signer != peer.claims().signing_address) {
    return attest::Refuse(check::kSignature, "another key signed the exporter");
  }
  return peer;
}

Status CheckExpected(const attest::Claims& claims, const ExpectedPeer& expected) {
  if (expected.key && claims.signing_address != *expected.key) {
    return attest::Refuse(check::kExpected, "another node answers (signing key)");
  }
  if (expected.slot && claims.slot != *expected.slot) {
    return attest::Refuse(check::kExpected, "the node serves slot " + std::to_string(claims.slot));
  }
  if (expected.model && claims.model != *expected.model) {
    return attest::Refuse(check::kExpected, "the node serves another model");
  }
  if (expected.host && claims.host != *expected.host) {
    return attest::Refuse(check::kExpected, "the node belongs to another host");
  }
  return Ok{};
}

Status CheckSameNode(const attest::Claims& before, const attest::Claims& now) {
  attest::Claims comparable = now;
  comparable.block_number = before.block_number;
  comparable.block_hash = before.block_hash;
  comparable.block_time = before.block_time;
  comparable.hpke_key = before.hpke_key;
  if (comparable != before)
    return attest::Refuse(check::kIdentity, "the claims are of another node or boot");
  return Ok{};
}

}  // namespace teetee::transport
