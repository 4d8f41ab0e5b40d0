// The development PKI: one pretended platform per machine, random, made at set-up and never
// committed. Its root vouches for nothing but "this machine's developer": trust files name it by
// hash, and only class simulated may. Not in measured images (TEETEE_SIMULATED=OFF).
#pragma once

#ifdef TEETEE_SIMULATED

#include <string>

#include "attest/provider/sim_platform.h"

namespace teetee::attest {

class DevPki {
 public:
  // Writes into the folder (made if absent): root.pem, pck-chain.pem, collateral.json (0644) and
  // pck.key (0600). The keys of root, CA and signer are never written. Valid from an hour before
  // `now` (Unix seconds) for ten years. kFailedPrecondition if the folder already holds a root.
  static Result<DevPki> Create(const std::string& folder, int64_t now);
  static Result<DevPki> Load(const std::string& folder);

  const crypto::Certificate& root() const { return platform_.root; }
  Hash32 RootHash() const { return platform_.root.spki_hash(); }  // what trust files list
  const simulated::Platform& platform() const { return platform_; }

 private:
  explicit DevPki(simulated::Platform platform) : platform_(std::move(platform)) {}
  simulated::Platform platform_;
};

}  // namespace teetee::attest

#endif  // TEETEE_SIMULATED
