#include "attest/testing/quote_builder.h"

#ifdef TEETEE_SIMULATED

#include "base/check.h"
#include "crypto/hash.h"

namespace teetee::attest::testing {
namespace {

template <size_t N>
ByteArray<N> Pattern(uint8_t value) {
  ByteArray<N> out;
  out.fill(value);
  return out;
}

Bytes Wrap(Result<Bytes> quote, Bytes claims) {
  TT_CHECK(quote.has_value());
  auto evidence = EncodeEvidence(Evidence{*std::move(quote), std::move(claims)});
  TT_CHECK(evidence.has_value());
  return *std::move(evidence);
}

}  // namespace

FakeProvider::FakeProvider(simulated::Platform platform)
    : platform_(std::move(platform)),
      honest_mrtd_(crypto::Sha384(AsBytes("test executable"))),
      spec_(simulated::HonestQuote(honest_mrtd_)) {}

Result<Bytes> FakeProvider::Quote(const ReportData& report_data) {
  simulated::QuoteSpec spec = spec_;
  spec.td.report_data = report_data;
  return simulated::BuildQuote(spec, platform_.pck_key, platform_.pck_chain);
}

Claims FakeClaims(const Hash32& tls_spki_hash, const TrustFile& trust, int64_t now) {
  Claims c;
  c.tls_key_hash = tls_spki_hash;
  c.hpke_key = Pattern<32>(0x11);
  c.signing_address = Pattern<20>(0x22);
  c.model = Pattern<32>(0x33);
  c.slot = 1;
  c.weights_root = Pattern<32>(0x44);
  c.chain_id = trust.chain_id();
  c.registry = trust.registry();
  c.host = Pattern<20>(0x55);
  c.boot_id = Pattern<16>(0x66);
  c.policy_hash = trust.PolicyHash();
  c.block_number = 1000;
  c.block_hash = Pattern<32>(0x77);
  c.block_time = static_cast<uint64_t>(now - 60);
  return c;
}

Bytes CertificateEvidence(EvidenceProvider& provider, const Claims& claims) {
  Bytes encoded = EncodeClaims(claims);
  return Wrap(provider.Quote(CertificateReportData(encoded)), encoded);
}

Bytes ChannelEvidence(EvidenceProvider& provider, const Claims& claims,
                      const ChannelBinding& binding) {
  Bytes encoded = EncodeClaims(claims);
  return Wrap(provider.Quote(ChannelReportData(binding, encoded)), encoded);
}

}  // namespace teetee::attest::testing

#endif  // TEETEE_SIMULATED
