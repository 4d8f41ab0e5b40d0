// The floating-point state that the numbers depend on: round to nearest even, subnormals kept, no traps.
// Source: docs/formats/numerics.md section 0.
#pragma once

#include <cstdint>

namespace teetee::ops {

// MXCSR (x86) or FPCR (ARM) of the calling thread.
uint32_t ReadFpState();
bool FpStateIsDefault();

// Sets the state on construction and restores the old one on destruction. Every thread that calls a function of ops holds
// one; ThreadPool does so for its workers and, during ParallelFor, for the caller.
class ScopedFpState {
 public:
  ScopedFpState();
  ~ScopedFpState();
  ScopedFpState(const ScopedFpState&) = delete;
  ScopedFpState& operator=(const ScopedFpState&) = delete;

 private:
  uint64_t saved_;
};

}  // namespace teetee::ops
