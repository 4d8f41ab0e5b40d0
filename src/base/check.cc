#include "base/check.h"

#include <cstdio>
#include <cstdlib>

namespace teetee {

void CheckFailed(const char* expression, const char* file, int line) {
  std::fprintf(stderr, "bug: %s does not hold (%s:%d)\n", expression, file, line);
  std::abort();
}

}  // namespace teetee
