#include "base/version.h"

#ifndef TEETEE_COMMIT
#define TEETEE_COMMIT ""
#endif

namespace teetee {

std::string_view Commit() {
  constexpr std::string_view commit = TEETEE_COMMIT;
  return commit.empty() ? "unknown" : commit;
}

std::string VersionLine(std::string_view program) {
  return std::string(program) + " " + std::string(kVersion) + " (" + std::string(Commit()) + ")";
}

}  // namespace teetee
