#include "attest/testing/fake_pki.h"

#ifdef TEETEE_SIMULATED

#include "base/check.h"

namespace teetee::attest::testing {

simulated::Platform FakePlatform(const std::function<void(simulated::PlatformSpec&)>& lie,
                                 int64_t now) {
  constexpr int64_t kDay = 24 * 3600;
  simulated::PlatformSpec spec = simulated::HonestPlatform({now - kDay, now + 30 * kDay});
  lie(spec);
  auto platform = simulated::IssuePlatform(spec);
  TT_CHECK(platform.has_value());
  return *std::move(platform);
}

Json FakeTrustJson(const Hash32& root, const Hash48& mrtd) {
  return Json::MakeObject({{"class", "simulated"},
                           {"chain_id", 31337},
                           {"registry", "0x00000000000000000000000000000000000000a1"},
                           {"ledger", "0x00000000000000000000000000000000000000a2"},
                           {"roots", Json::MakeArray().Push(ToHex(root))},
                           {"measurements", Json::MakeArray().Push(Json::MakeObject(
                                                {{"name", "test"}, {"mrtd", ToHex(mrtd)}}))},
                           {"models", Json::MakeObject({{"tiny", "0x" + std::string(64, '1')}})}});
}

TrustFile FakeTrust(const Hash32& root, const Hash48& mrtd) {
  auto trust = TrustFile::Parse(FakeTrustJson(root, mrtd).Dump());
  TT_CHECK(trust.has_value());
  return *std::move(trust);
}

}  // namespace teetee::attest::testing

#endif  // TEETEE_SIMULATED
