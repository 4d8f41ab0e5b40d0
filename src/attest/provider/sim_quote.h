// Writes quotes byte for byte in Intel's layout (docs/formats/evidence.md section 4.1), signed by a
// pretended platform. Not in measured images (TEETEE_SIMULATED=OFF).
#pragma once

#ifdef TEETEE_SIMULATED

#include <optional>
#include <string_view>

#include "attest/format/tdx_quote.h"
#include "crypto/p256.h"

namespace teetee::attest::simulated {

struct QuoteSpec {
  uint16_t version = 4;  // 4 or 5
  TdReport td;           // is_15 with version 5 only
  EnclaveReport qe;
  Bytes qe_auth_data = Bytes(32);
  std::optional<ReportData>
      qe_report_data;  // a lie in place of the hash that binds the attestation key
};

// What HonestPlatform's documents call up to date: SEPT_VE_DISABLE set, RTMRs zero, this MRTD.
QuoteSpec HonestQuote(const Hash48& mrtd);

// Signed by a fresh attestation key, which the PCK key vouches for. spec.td.report_data is what the
// quote carries.
Bytes BuildQuote(const QuoteSpec& spec, const crypto::P256Key& pck_key, std::string_view pck_chain);

}  // namespace teetee::attest::simulated

#endif  // TEETEE_SIMULATED
