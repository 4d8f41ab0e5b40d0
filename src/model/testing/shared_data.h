// Where the shared test data lies: $TEETEE_SHARED, else ../shared beside the repository (tests run
// in its root).
#pragma once

#include <cstdlib>
#include <string>

#include "base/file.h"

namespace teetee::model::testing {

inline std::string SharedPath(const std::string& name) {
  const char* root = std::getenv("TEETEE_SHARED");
  return std::string(root ? root : "../shared") + "/" + name;
}

inline bool SharedIsRequired() {
  const char* flag = std::getenv("TEETEE_REQUIRE_SHARED");
  return flag && std::string(flag) == "1";
}

}  // namespace teetee::model::testing

// Skips the test when the file is not there; fails instead where TEETEE_REQUIRE_SHARED=1.
#define TEETEE_NEEDS_SHARED(name)                                                        \
  if (!::teetee::FileExists(::teetee::model::testing::SharedPath(name))) {               \
    ASSERT_FALSE(::teetee::model::testing::SharedIsRequired()) << "missing: " << (name); \
    GTEST_SKIP() << "shared data absent: " << (name);                                    \
  }
