// TT_CHECK: for our own bugs only. It stays on in release: a process that holds secrets must stop when its state is unknown.
#pragma once

namespace teetee {
[[noreturn]] void CheckFailed(const char* expression, const char* file, int line);
}

#define TT_CHECK(condition)                                                      \
  do {                                                                           \
    if (!(condition)) ::teetee::CheckFailed(#condition, __FILE__, __LINE__);     \
  } while (0)
