// The SGX extension of a PCK certificate (OID 1.2.840.113741.1.13.1): which machine, at which
// security version. No trust.
#pragma once

#include <string_view>

#include "base/bytes.h"

namespace teetee::attest {

inline constexpr std::string_view kSgxExtensionOid = "1.2.840.113741.1.13.1";

struct SgxExtension {
  ByteArray<16> ppid{};            // identifies the processor package
  ByteArray<16> component_svns{};  // .2.1 to .2.16
  uint16_t pce_svn = 0;            // .2.17
  ByteArray<2> pce_id{};
  ByteArray<6> fmspc{};  // platform model
  bool operator==(const SgxExtension&) const = default;
};

// Strict DER; every field above exactly once; fields that we do not use are skipped.
// kInvalidArgument.
Result<SgxExtension> ParseSgxExtension(ByteView der);

}  // namespace teetee::attest
