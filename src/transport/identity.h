// Who this node is on channels: the TLS key of this boot, the certificate that carries its
// evidence, its signing key, and the provider that makes fresh evidence. docs/formats/channel.md
// section 2. Threads: one io_context; only quoting leaves it (thread pool).
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>

#include "attest/format/claims.h"
#include "attest/provider/provider.h"
#include "crypto/p256.h"
#include "crypto/secp256k1.h"
#include "crypto/x509.h"
#include "net/async.h"

namespace teetee::transport {

using UnixClock = std::function<int64_t()>;  // seconds
UnixClock SystemClock();

// Of the certificate. Renewed with the evidence, hourly.
inline constexpr int64_t kCertificateLife = 24 * 3600;  // seconds

class NodeIdentity {
 public:
  // Makes a fresh TLS key and evidence of layout (a) over the claims; `claims.tls_key_hash` and
  // `signing_address` are filled in here. Blocks for one quote: for start-up.
  static Result<std::shared_ptr<NodeIdentity>> Create(
      attest::Claims claims, std::shared_ptr<const crypto::SigningKey> signing_key,
      std::shared_ptr<attest::EvidenceProvider> provider, UnixClock clock = SystemClock());

  // New claims (a newer block) and a certificate with fresh evidence; channels that are open go on.
  // Quotes on the pool. On error nothing changes.
  net::Task<Status> Refresh(attest::Claims claims, net::ThreadPool& pool);

  const attest::Claims& claims() const { return claims_; }
  const Bytes& evidence() const { return evidence_; }      // layout (a): what clients are shown
  const Bytes& collateral() const { return collateral_; }  // that came with it
  const crypto::Certificate& certificate() const { return *certificate_; }
  const crypto::P256Key& tls_key() const { return tls_key_; }
  const crypto::SigningKey& signing_key() const { return *signing_key_; }
  const std::shared_ptr<attest::EvidenceProvider>& provider() const { return provider_; }
  int64_t now() const { return clock_(); }

 private:
  struct Made;
  NodeIdentity(std::shared_ptr<const crypto::SigningKey> key,
               std::shared_ptr<attest::EvidenceProvider> provider, UnixClock clock);
  static Result<Made> Make(attest::Claims claims, const crypto::P256Key& key,
                           attest::EvidenceProvider& provider, int64_t now);
  attest::Claims Complete(attest::Claims claims) const;
  void Take(Made made);

  crypto::P256Key tls_key_;
  std::shared_ptr<const crypto::SigningKey> signing_key_;
  std::shared_ptr<attest::EvidenceProvider> provider_;
  UnixClock clock_;
  attest::Claims claims_;
  Bytes evidence_, collateral_;
  std::optional<crypto::Certificate> certificate_;
};

}  // namespace teetee::transport
