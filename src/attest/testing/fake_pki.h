// For tests: a platform at a fixed date that may lie about every field of its certificates, CRLs
// and documents.
#pragma once

#ifdef TEETEE_SIMULATED

#include <functional>

#include "attest/policy/trust_file.h"
#include "attest/provider/sim_platform.h"

namespace teetee::attest::testing {

inline constexpr int64_t kFakeNow = 1'780'000'000;  // 2026-05-28

// Honest but for what `lie` changes. Everything is valid from a day before `now` to 30 days after
// it.
simulated::Platform FakePlatform(
    const std::function<void(simulated::PlatformSpec&)>& lie = [](auto&) {},
    int64_t now = kFakeNow);

// An honest trust file's JSON: class simulated, chain 31337, this root, this measurement under the
// name "test".
Json FakeTrustJson(const Hash32& root, const Hash48& mrtd);
TrustFile FakeTrust(const Hash32& root, const Hash48& mrtd);

}  // namespace teetee::attest::testing

#endif  // TEETEE_SIMULATED
