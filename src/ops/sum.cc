#include "ops/sum.h"

#include <bit>
#include <cstdint>

#include "ops/cpu/kernels.h"

namespace teetee::ops {
namespace {

// The same answer from every instruction set: the fastest one gives it.
bool AllBelow(const float* x, size_t n, uint32_t limit_bits) {
  return cpu::KernelsFor(BestIsa()).all_below(x, n, limit_bits);
}

}  // namespace

float Sum16(const float* x, size_t n) {
  float lane[16] = {};
  for (size_t i = 0; i < n; ++i) lane[i % 16] = lane[i % 16] + x[i];
  for (int h = 8; h > 0; h /= 2) {
    for (int l = 0; l < h; ++l) lane[l] = lane[l] + lane[l + h];
  }
  return lane[0];
}

bool AllFinite(const float* x, size_t n) { return AllBelow(x, n, 0x7f800000u); }

bool AllBelow2Pow100(const float* x, size_t n) { return AllBelow(x, n, std::bit_cast<uint32_t>(0x1p100f)); }

}  // namespace teetee::ops
