#include "attest/verify/peer.h"

#include "attest/format/evidence.h"
#include "attest/policy/appraise.h"
#include "crypto/hash.h"
#include "crypto/x509.h"

namespace teetee::attest {
namespace {

// A root that is not listed is refused in any case; this says it in the words of the trust file's
// class where the chain itself admits what it is.
Error ExplainRoot(Error error, ByteView quote_bytes, const TrustFile& trust) {
  if (RefusedCheck(error) != check::kPckRoot.id) return error;
  auto quote = ParseQuote(quote_bytes);
  if (!quote) return error;
  auto chain = crypto::ParsePemChain(quote->pck_chain, 3);
  if (!chain || chain->empty()) return error;
  const crypto::Certificate& root = chain->back();
  bool says_simulated = root.subject_common_name().find("Simulated") != std::string::npos;
  if (trust.evidence_class() == EvidenceClass::kProduction && says_simulated) {
    return Refuse(check::kEvidenceClass, "simulated evidence under a production trust file");
  }
  if (trust.evidence_class() == EvidenceClass::kSimulated &&
      root.spki_hash() == kIntelRootSpkiHash) {
    return Refuse(check::kEvidenceClass, "real evidence under a simulated trust file");
  }
  return error;
}

Result<VerifiedQuote> VerifyAndExplain(ByteView quote, ByteView collateral, const TrustFile& trust,
                                       int64_t now) {
  auto verified = VerifyQuote(quote, collateral, trust.roots(), now);
  if (!verified) return ExplainRoot(std::move(verified).error(), quote, trust);
  return verified;
}

Status CheckReportData(const VerifiedQuote& quote, const ReportData& expected) {
  if (!ConstantTimeEqual(quote.quote().report_data(), expected)) {
    return Refuse(check::kReportData,
                  "the report data is for other claims, another channel or another use");
  }
  return Ok{};
}

Status CheckClaims(const Claims& claims, const ExpectedReportData& expected,
                   const TrustFile& trust) {
  if (expected.tls_spki_hash() && claims.tls_key_hash != *expected.tls_spki_hash()) {
    return Refuse(check::kTlsKey, "the claims name another TLS key");
  }
  if (claims.chain_id != trust.chain_id()) return Refuse(check::kClaimsChain, "another chain");
  if (claims.registry != trust.registry()) return Refuse(check::kClaimsChain, "another registry");
  if (claims.policy_hash != trust.PolicyHash()) {
    return Refuse(check::kClaimsPolicy, "the peer enforces another trust policy");
  }
  return Ok{};
}

}  // namespace

// The one maker of VerifiedPeer.
class PeerVerifier {
 public:
  static Result<VerifiedPeer> Run(ByteView evidence_bytes, ByteView collateral,
                                  const ExpectedReportData& expected, const TrustFile& trust,
                                  int64_t now) {
    if (expected.channel()) {
      TT_RETURN_IF_ERROR(
          CheckNotReflected(expected.channel()->peer_spki_hash, expected.channel()->own_spki_hash));
    }
    Evidence evidence = TT_TRY(DecodeEvidence(evidence_bytes));
    Claims claims = TT_TRY(DecodeClaims(evidence.claims));
    VerifiedQuote quote = TT_TRY(VerifyAndExplain(evidence.quote, collateral, trust, now));
    std::string release = TT_TRY(Appraise(quote, trust));
    TT_RETURN_IF_ERROR(CheckReportData(quote, expected.For(evidence.claims)));
    TT_RETURN_IF_ERROR(CheckClaims(claims, expected, trust));
    VerifiedPeer peer(std::move(quote), claims);
    peer.class_ = trust.evidence_class();
    peer.release_ = std::move(release);
    peer.evidence_hash_ = crypto::Sha256(evidence_bytes);
    peer.collateral_hash_ = crypto::Sha256(collateral);
    return peer;
  }
};

ExpectedReportData ExpectedReportData::Certificate(const Hash32& tls_spki_hash) {
  ExpectedReportData out;
  out.tls_spki_hash_ = tls_spki_hash;
  return out;
}

ExpectedReportData ExpectedReportData::ThroughGateway() { return {}; }

ExpectedReportData ExpectedReportData::Channel(const ChannelBinding& binding) {
  ExpectedReportData out;
  out.tls_spki_hash_ = binding.own_spki_hash;
  out.channel_ = binding;
  return out;
}

ReportData ExpectedReportData::For(ByteView claims) const {
  return channel_ ? ChannelReportData(*channel_, claims) : CertificateReportData(claims);
}

Result<VerifiedPeer> VerifyEvidence(ByteView evidence, ByteView collateral,
                                    const ExpectedReportData& expected, const TrustFile& trust,
                                    int64_t now) {
  return PeerVerifier::Run(evidence, collateral, expected, trust, now);
}

Result<VerifiedPeer> VerifyChannelEvidence(ByteView evidence, ByteView collateral,
                                           const ChannelBinding& binding, const TrustFile& trust,
                                           int64_t now) {
  return PeerVerifier::Run(evidence, collateral, ExpectedReportData::Channel(binding), trust, now);
}

Result<VerifiedQuote> VerifyJoinQuote(ByteView quote, ByteView collateral, const Hash32& digest,
                                      const TrustFile& trust, int64_t now) {
  VerifiedQuote verified = TT_TRY(VerifyAndExplain(quote, collateral, trust, now));
  TT_RETURN_IF_ERROR(Appraise(verified, trust));
  TT_RETURN_IF_ERROR(CheckReportData(verified, JoinReportData(digest)));
  return verified;
}

Status CheckNotReflected(const Hash32& own_spki_hash, const Hash32& peer_spki_hash) {
  if (ConstantTimeEqual(own_spki_hash, peer_spki_hash)) {
    return Refuse(check::kReflection, "the peer shows my own key");
  }
  return Ok{};
}

Status CheckClaimsAge(const Claims& claims, int64_t now, int64_t max_age) {
  if (claims.block_time > static_cast<uint64_t>(INT64_MAX)) {
    return Refuse(check::kClaimsAge, "the block is from the future");
  }
  auto block_time = static_cast<int64_t>(claims.block_time);
  if (block_time < now - max_age) return Refuse(check::kClaimsAge, "the block is too old");
  if (block_time > now + kMaxBlockAhead)
    return Refuse(check::kClaimsAge, "the block is from the future");
  return Ok{};
}

}  // namespace teetee::attest
