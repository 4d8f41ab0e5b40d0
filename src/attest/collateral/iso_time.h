// Times as collateral writes them: "2025-06-19T10:16:03Z", UTC, whole seconds. The clock is always
// the caller's.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace teetee::attest {

Result<int64_t> ParseIsoTime(
    std::string_view text);  // Unix seconds; this exact form, years 1970 to 9999
std::string FormatIsoTime(int64_t unix_seconds);  // REQUIRES the same range

}  // namespace teetee::attest
