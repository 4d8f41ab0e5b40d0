// A whole pretended platform: certificates, CRLs, TCB info and QE identity under a root of its own.
// Every field is open, so that tests can lie with it; DevPki makes the honest one. Not in measured
// images (TEETEE_SIMULATED=OFF).
#pragma once

#ifdef TEETEE_SIMULATED

#include <string>

#include "attest/format/sgx_extension.h"
#include "base/json.h"
#include "crypto/p256.h"
#include "crypto/x509.h"

namespace teetee::attest::simulated {

// "TEETEE" in ASCII: no real platform model.
inline constexpr ByteArray<6> kFmspc = {0x54, 0x45, 0x45, 0x54, 0x45, 0x45};
inline constexpr std::string_view kRootName = "TeeTee Simulated Root CA";

struct PlatformSpec {
  std::string root_name{kRootName};
  std::string ca_name = "TeeTee Simulated SGX PCK Platform CA";
  std::string pck_name = "TeeTee Simulated SGX PCK Certificate";
  std::string signer_name = "TeeTee Simulated SGX TCB Signing";
  crypto::Validity root_dates, ca_dates, pck_dates, signer_dates, root_crl_dates, pck_crl_dates;
  bool revoke_pck = false;
  bool revoke_ca = false;
  bool revoke_signer = false;
  bool sign_documents_with_pck = false;  // in place of the TCB signer
  SgxExtension pck;
  Json tcb_info;  // signed as Dump() writes it
  Json qe_identity;
};

// Honest, up to date, with a random machine id (PPID); every date is `dates`.
PlatformSpec HonestPlatform(const crypto::Validity& dates);

struct Platform {
  crypto::Certificate root;
  crypto::P256Key pck_key;
  std::string pck_chain;  // PEM: PCK, CA, root
  Bytes collateral;       // the JSON container
};

// Fresh keys for everything; those of root, CA and signer are forgotten on return. kInvalidArgument
// for a spec that X.509 cannot express.
Result<Platform> IssuePlatform(const PlatformSpec& spec);

}  // namespace teetee::attest::simulated

#endif  // TEETEE_SIMULATED
