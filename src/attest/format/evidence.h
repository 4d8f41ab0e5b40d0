// The certificate extension that carries evidence: tag 60000 ([bstr quote, bstr claims]), the
// interoperable RA-TLS form of the TCG DICE tagged-evidence extension. docs/formats/evidence.md
// section 1. No trust.
#pragma once

#include <string_view>

#include "base/bytes.h"

namespace teetee::attest {

inline constexpr std::string_view kEvidenceOid = "2.23.133.5.4.9";
inline constexpr size_t kMaxQuote = 16u << 10;     // bytes
inline constexpr size_t kMaxEvidence = 64u << 10;  // bytes of the extension's value

struct Evidence {
  Bytes quote;
  Bytes claims;  // the very bytes that are hashed into REPORTDATA; DecodeClaims() reads them
  bool operator==(const Evidence&) const = default;
};

// kInvalidArgument if a part is over its bound.
Result<Bytes> EncodeEvidence(const Evidence& evidence);
// Refusals name check evidence.structure.
Result<Evidence> DecodeEvidence(ByteView extension);

}  // namespace teetee::attest
