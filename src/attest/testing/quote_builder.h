// For tests: makes evidence that may lie about every field of the quote.
#pragma once

#ifdef TEETEE_SIMULATED

#include "attest/format/claims.h"
#include "attest/format/evidence.h"
#include "attest/provider/provider.h"
#include "attest/provider/sim_quote.h"
#include "attest/testing/fake_pki.h"

namespace teetee::attest::testing {

// An EvidenceProvider over a fake platform. Change spec() to lie; honest until then. Not
// thread-safe while spec() changes.
class FakeProvider : public EvidenceProvider {
 public:
  explicit FakeProvider(simulated::Platform platform = FakePlatform());

  Result<Bytes> Quote(const ReportData& report_data) override;
  Result<Bytes> Collateral() override { return platform_.collateral; }
  std::string_view kind() const override { return "simulated"; }

  simulated::QuoteSpec& spec() { return spec_; }
  simulated::Platform& platform() { return platform_; }
  // Accepts what this provider makes while it is honest.
  TrustFile Trust() const { return FakeTrust(platform_.root.spki_hash(), honest_mrtd_); }

 private:
  simulated::Platform platform_;
  Hash48 honest_mrtd_;
  simulated::QuoteSpec spec_;
};

// Claims that `trust` accepts, for a node with this TLS key; every other field is a fixed pattern.
Claims FakeClaims(const Hash32& tls_spki_hash, const TrustFile& trust, int64_t now = kFakeNow);

// Layouts (a) and (b), as certificate extension values.
Bytes CertificateEvidence(EvidenceProvider& provider, const Claims& claims);
Bytes ChannelEvidence(EvidenceProvider& provider, const Claims& claims,
                      const ChannelBinding& binding);

}  // namespace teetee::attest::testing

#endif  // TEETEE_SIMULATED
