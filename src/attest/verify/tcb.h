// Which TCB levels match, and what they say together: steps 10 and 12 to 15 of
// docs/formats/evidence.md section 4. Pure. Internal to verify/.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "attest/collateral/collateral.h"
#include "attest/format/sgx_extension.h"
#include "attest/format/tdx_quote.h"

namespace teetee::attest {

// The quoting enclave against its identity: measurements and attributes (check qe.policy), then its
// level (check qe.level).
Result<TcbLevel> MatchQe(const EnclaveReport& report, const QeIdentity& identity);

struct TcbVerdict {
  TcbStatus status;  // converged
  TcbStatus platform;
  std::optional<TcbStatus> module;
  std::vector<std::string> advisories;  // sorted, unique
};

// Platform, TDX module and QE together. REQUIRES: `info` is of the quote's kind of TEE.
Result<TcbVerdict> JudgeTcb(const Quote& quote, const SgxExtension& pck, const TcbInfo& info,
                            const TcbLevel& qe);

}  // namespace teetee::attest
