// The proof that a peer is a wanted node: genuine evidence, accepted by the trust file, bound to
// this key or channel. A channel cannot be opened without a VerifiedPeer, and only the functions
// below make one. Every refusal reads "check ID: ..." (attest/check.h). Pure functions of their
// arguments; thread-safe.
#pragma once

#include "attest/check.h"
#include "attest/format/claims.h"
#include "attest/format/report_data.h"
#include "attest/policy/trust_file.h"
#include "attest/verify/verified_quote.h"

namespace teetee::attest {

class VerifiedPeer {
 public:
  const Claims& claims() const { return claims_; }
  const VerifiedQuote& quote() const { return quote_; }
  // anyone who shows a verdict shows this too
  EvidenceClass evidence_class() const { return class_; }
  const std::string& release() const { return release_; }  // name of the matching measurement
  // SHA-256 of the extension's value
  const Hash32& evidence_hash() const { return evidence_hash_; }
  // SHA-256 of the collateral: for receipts
  const Hash32& collateral_hash() const { return collateral_hash_; }

 private:
  friend class PeerVerifier;
  VerifiedPeer(VerifiedQuote quote, Claims claims) : quote_(std::move(quote)), claims_(claims) {}

  VerifiedQuote quote_;
  Claims claims_;
  EvidenceClass class_ = EvidenceClass::kSimulated;
  std::string release_;
  Hash32 evidence_hash_{};
  Hash32 collateral_hash_{};
};

// What REPORTDATA must hold, from what the verifier knows itself.
class ExpectedReportData {
 public:
  // (a) from the certificate of a TLS connection: the claims must name the key of that certificate.
  static ExpectedReportData Certificate(const Hash32& tls_spki_hash);
  // (a) for a client that talks through a gateway and seals to the claims' HPKE key: it sees no TLS
  // key of the node.
  static ExpectedReportData ThroughGateway();
  // (b) as the peer must have computed it; the claims must name binding.own_spki_hash.
  static ExpectedReportData Channel(const ChannelBinding& binding);

  ReportData For(ByteView claims) const;
  const std::optional<Hash32>& tls_spki_hash() const { return tls_spki_hash_; }
  const std::optional<ChannelBinding>& channel() const { return channel_; }

 private:
  std::optional<Hash32> tls_spki_hash_;
  std::optional<ChannelBinding> channel_;
};

// `evidence` is the value of the certificate extension (format/evidence.h), `collateral` the JSON
// container, `now` Unix seconds. Also holds the claims to the trust file: chain id, registry and
// policy hash must be its own. Which model, slot, host and block are wanted is the caller's
// question.
Result<VerifiedPeer> VerifyEvidence(ByteView evidence, ByteView collateral,
                                    const ExpectedReportData& expected, const TrustFile& trust,
                                    int64_t now);

// Layout (b); refuses a reflected key first.
Result<VerifiedPeer> VerifyChannelEvidence(ByteView evidence, ByteView collateral,
                                           const ChannelBinding& binding, const TrustFile& trust,
                                           int64_t now);

// For an auditor of a join on chain: a quote of layout (c) under the trust file's policy. `digest`
// is the auditor's own.
Result<VerifiedQuote> VerifyJoinQuote(ByteView quote, ByteView collateral, const Hash32& digest,
                                      const TrustFile& trust, int64_t now);

// check channel.reflection: refuses a peer that shows my own TLS key.
Status CheckNotReflected(const Hash32& own_spki_hash, const Hash32& peer_spki_hash);

inline constexpr int64_t kMaxBlockAge = 2 * 3600;   // seconds, for clients
inline constexpr int64_t kMaxBlockAhead = 15 * 60;  // seconds, clocks and chains drift
// check claims.age.
Status CheckClaimsAge(const Claims& claims, int64_t now, int64_t max_age = kMaxBlockAge);

}  // namespace teetee::attest
