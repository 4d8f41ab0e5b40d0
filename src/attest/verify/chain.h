// Certificates and CRLs of a quote: steps 2 to 5 of docs/formats/evidence.md section 4. Internal to
// verify/.
#pragma once

#include <span>
#include <string_view>

#include "attest/check.h"
#include "attest/collateral/collateral.h"
#include "crypto/x509.h"

namespace teetee::attest {

// The time during which every part that was looked at is current.
class WindowMeter {
 public:
  void AddDocument(const crypto::Validity& dates);    // both ends count
  void AddCertificate(const crypto::Certificate& c);  // its expiry counts
  const crypto::Validity& window() const { return window_; }

 private:
  crypto::Validity window_{INT64_MIN, INT64_MAX};
};

struct PckChain {
  crypto::Certificate leaf;
  crypto::Certificate ca;
  crypto::Certificate root;
};

struct ChainContext {
  std::span<const Hash32> roots;  // accepted, by SPKI hash
  int64_t now;
  WindowMeter& window;
};

// Step 2: names, roles, links, signatures, pinned root, dates.
Result<PckChain> CheckPckChain(std::string_view pem, const ChainContext& context);
// Step 3: both CRLs are the right ones, and name neither the PCK leaf nor its CA.
Status CheckRevocation(const PckChain& chain, const Collateral& collateral,
                       const ChainContext& context);

// Which checks to name for one signed document.
struct DocumentChecks {
  const Check& signer;
  const Check& signature;
};
// Steps 4 and 5 up to the signature: signer is a TCB signing certificate under the same root, not
// revoked, valid.
Status CheckDocument(const SignedDocument& document, const PckChain& chain,
                     const crypto::Crl& root_crl, const ChainContext& context,
                     const DocumentChecks& checks);

}  // namespace teetee::attest
