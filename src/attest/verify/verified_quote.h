// The proof that a quote is genuine: made by VerifyQuote() alone. Genuine is not yet wanted:
// policy/appraise.h decides that.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "attest/format/tdx_quote.h"
#include "attest/policy/trust_file.h"
#include "crypto/x509.h"

namespace teetee::attest {

class VerifiedQuote {
 public:
  const Quote& quote() const { return quote_; }
  const Hash32& root() const { return root_; }  // SPKI hash of the root that vouches
  TcbStatus status() const { return status_; }  // converged
  TcbStatus platform_status() const { return platform_; }
  // none for SGX and module version 0
  std::optional<TcbStatus> module_status() const { return module_; }
  TcbStatus qe_status() const { return qe_; }
  const std::vector<std::string>& advisories() const { return advisories_; }  // sorted, unique
  // While every part is current: newest issue date to earliest expiry.
  const crypto::Validity& window() const { return window_; }
  const ByteArray<6>& fmspc() const { return fmspc_; }  // platform model
  // the one machine, from the verified PCK leaf
  const ByteArray<16>& ppid() const { return ppid_; }
  // tcbEvaluationDataNumber of the TCB info
  uint64_t tcb_evaluation() const { return tcb_evaluation_; }

 private:
  friend class QuoteVerifier;
  VerifiedQuote() = default;

  Quote quote_;
  Hash32 root_{};
  TcbStatus status_ = TcbStatus::kRevoked;
  TcbStatus platform_ = TcbStatus::kRevoked;
  std::optional<TcbStatus> module_;
  TcbStatus qe_ = TcbStatus::kRevoked;
  std::vector<std::string> advisories_;
  crypto::Validity window_;
  ByteArray<6> fmspc_{};
  ByteArray<16> ppid_{};
  uint64_t tcb_evaluation_ = 0;
};

// Steps 1 to 15 (docs/formats/evidence.md section 4): the first check that fails is the error.
// `roots` are SPKI hashes; `now` is Unix seconds; `collateral` is the JSON container.
Result<VerifiedQuote> VerifyQuote(ByteView quote, ByteView collateral,
                                  std::span<const Hash32> roots, int64_t now);

}  // namespace teetee::attest
