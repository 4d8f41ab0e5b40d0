#include "transport/identity.h"

#include <chrono>

#include "attest/format/evidence.h"
#include "attest/format/report_data.h"
#include "base/check.h"

namespace teetee::transport {

UnixClock SystemClock() {
  return [] {
    auto now = std::chrono::system_clock::now().time_since_epoch();
    return static_cast<int64_t>(std::chrono::duration_cast<std::chrono::seconds>(now).count());
  };
}

struct NodeIdentity::Made {
  attest::Claims claims;
  Bytes evidence, collateral;
  crypto::Certificate certificate;
};

NodeIdentity::NodeIdentity(std::shared_ptr<const crypto::SigningKey> key,
                           std::shared_ptr<attest::EvidenceProvider> provider, UnixClock clock)
    : tls_key_(crypto::P256Key::Generate()),
      signing_key_(std::move(key)),
      provider_(std::move(provider)),
      clock_(std::move(clock)) {}

Result<NodeIdentity::Made> NodeIdentity::Make(attest::Claims claims, const crypto::P256Key& key,
                                              attest::EvidenceProvider& provider, int64_t now) {
  attest::Evidence evidence;
  evidence.claims = attest::EncodeClaims(claims);
  evidence.quote = TT_TRY(provider.Quote(attest::CertificateReportData(evidence.claims)));
  Bytes extension = TT_TRY(attest::EncodeEvidence(evidence));
  Bytes collateral = TT_TRY(provider.Collateral());
  crypto::CertificateSpec spec;
  spec.common_name = "teetee node";
  spec.validity = {now - 300, now - 300 + kCertificateLife};
  spec.key_usage.digital_signature = true;
  spec.extensions.push_back({std::string(attest::kEvidenceOid), extension, false});
  crypto::Certificate certificate = TT_TRY(crypto::BuildSelfSigned(spec, key));
  return Made{claims, std::move(extension), std::move(collateral), std::move(certificate)};
}

attest::Claims NodeIdentity::Complete(attest::Claims claims) const {
  claims.tls_key_hash = tls_key_.SpkiHash();
  claims.signing_address = signing_key_->address();
  return claims;
}

void NodeIdentity::Take(Made made) {
  claims_ = made.claims;
  evidence_ = std::move(made.evidence);
  collateral_ = std::move(made.collateral);
  certificate_ = std::move(made.certificate);
}

Result<std::shared_ptr<NodeIdentity>> NodeIdentity::Create(
    attest::Claims claims, std::shared_ptr<const crypto::SigningKey> signing_key,
    std::shared_ptr<attest::EvidenceProvider> provider, UnixClock clock) {
  TT_CHECK(signing_key && provider && clock);
  std::shared_ptr<NodeIdentity> out(
      new NodeIdentity(std::move(signing_key), std::move(provider), std::move(clock)));
  out->Take(TT_TRY(Make(out->Complete(claims), out->tls_key_, *out->provider_, out->now())));
  return out;
}

net::Task<Status> NodeIdentity::Refresh(attest::Claims claims, net::ThreadPool& pool) {
  auto make = [claims = Complete(claims), key = tls_key_, provider = provider_, now = now()] {
    return Make(claims, key, *provider, now);
  };
  auto made = co_await net::OnThread(pool, std::move(make));
  TT_CO_CHECK(made);
  Take(*std::move(made));
  co_return Ok{};
}

}  // namespace teetee::transport
