#include "attest/provider/dev_pki.h"

#ifdef TEETEE_SIMULATED

#include "attest/collateral/collateral.h"
#include "base/file.h"
#include "base/secret.h"

namespace teetee::attest {
namespace {

constexpr int64_t kHour = 3600;
constexpr int64_t kTenYears = int64_t{3652} * 24 * kHour;

struct Paths {
  explicit Paths(const std::string& folder)
      : root(folder + "/root.pem"),
        chain(folder + "/pck-chain.pem"),
        collateral(folder + "/collateral.json"),
        key(folder + "/pck.key") {}
  std::string root, chain, collateral, key;
};

}  // namespace

Result<DevPki> DevPki::Create(const std::string& folder, int64_t now) {
  Paths paths(folder);
  if (FileExists(paths.root)) {
    return Error(Code::kFailedPrecondition, folder + " already holds a development PKI");
  }
  TT_RETURN_IF_ERROR(MakeDirectories(folder));
  simulated::PlatformSpec spec = simulated::HonestPlatform({now - kHour, now + kTenYears});
  simulated::Platform platform = TT_TRY(simulated::IssuePlatform(spec));
  TT_RETURN_IF_ERROR(WriteFileAtomic(paths.key, AsBytes(platform.pck_key.ToPem()), 0600));
  TT_RETURN_IF_ERROR(WriteFileAtomic(paths.chain, AsBytes(platform.pck_chain), 0644));
  TT_RETURN_IF_ERROR(WriteFileAtomic(paths.collateral, platform.collateral, 0644));
  // Last: a folder without it is incomplete and is written anew.
  TT_RETURN_IF_ERROR(WriteFileAtomic(paths.root, AsBytes(platform.root.ToPem()), 0644));
  return DevPki(std::move(platform));
}

Result<DevPki> DevPki::Load(const std::string& folder) {
  Paths paths(folder);
  Bytes root_pem = TT_TRY(ReadFile(paths.root, crypto::kMaxCertificate * 2));
  Bytes key_pem = TT_TRY(ReadFile(paths.key, 4096));
  Bytes chain = TT_TRY(ReadFile(paths.chain, crypto::kMaxCertificate));
  Bytes collateral = TT_TRY(ReadFile(paths.collateral, kMaxCollateral));
  crypto::Certificate root = TT_TRY(crypto::Certificate::FromPem(AsText(root_pem)));
  crypto::P256Key key = TT_TRY(crypto::P256Key::FromPem(AsText(key_pem)));
  SecureZero(key_pem.data(), key_pem.size());
  return DevPki(simulated::Platform{std::move(root), std::move(key), std::string(AsText(chain)),
                                    std::move(collateral)});
}

}  // namespace teetee::attest

#endif  // TEETEE_SIMULATED
