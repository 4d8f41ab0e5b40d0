// What this machine can do at most, measured now: speeds move within minutes (neighbours, clocks,
// memory modes), so a figure means something only beside a limit of the same moment. How each limit
// is found, and why: docs/design/0007-bench.md.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "base/result.h"
#include "ops/isa.h"

namespace teetee::bench {

// Of some threads together. A multiply-add counts as two operations; GB are 10^9 bytes.
struct MachineLimits {
  double read_gb_s = 0;   // from memory; the best of several access patterns
  double int8_gops = 0;   // dot products of any 8-bit operands into 32-bit sums
  double int4_gops = 0;   // the same where one operand has 4 bits; equal on AVX-512
  double f32_gflops = 0;  // fused multiply-adds
};

// Measures in threads of its own and only while Measure runs (about 0.4 s); the clock is read in
// those threads. Holds 512 MB for as long as it lives. Thread-compatible.
class Prober {
 public:
  static constexpr size_t kBufferBytes = size_t{512} << 20;  // far beyond a guest's caches

  static constexpr size_t kMaxThreads = 1024;

  // kFailedPrecondition: this machine lacks isa. kResourceExhausted: no memory for the buffer.
  // Tests take a smaller one, at least 1 MiB.
  static Result<std::unique_ptr<Prober>> Make(ops::Isa isa, size_t buffer_bytes = kBufferBytes);
  ~Prober();
  // REQUIRES: 1 <= threads <= kMaxThreads.
  MachineLimits Measure(size_t threads);

 private:
  Prober(ops::Isa isa, size_t buffer_bytes);
  double ReadGbS(size_t threads) const;

  const ops::Isa isa_;
  const size_t bytes_;
  uint8_t* data_ = nullptr;
};

// The processor's own name for itself, or "unknown".
std::string CpuName();

}  // namespace teetee::bench
