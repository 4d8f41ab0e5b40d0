// The measurement of a program in simulated evidence: it stands where a trust domain has its MRTD.
#pragma once

#include <string>

#include "base/bytes.h"

namespace teetee::attest {

// SHA-384 of the file. `path` may be /proc/self/exe.
Result<Hash48> MeasureExecutable(const std::string& path);

}  // namespace teetee::attest
