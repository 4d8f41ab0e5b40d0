#include "ops/sum.h"

#include <bit>
#include <cstdint>

namespace teetee::ops {
namespace {

uint32_t MaxMagnitudeBits(const float* x, size_t n) {
  uint32_t max = 0;
  for (size_t i = 0; i < n; ++i) {
    uint32_t bits = std::bit_cast<uint32_t>(x[i]) & 0x7fffffffu;
    max = bits > max ? bits : max;
  }
  return max;
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

bool AllFinite(const float* x, size_t n) { return MaxMagnitudeBits(x, n) < 0x7f800000u; }

bool AllBelow2Pow100(const float* x, size_t n) {
  return MaxMagnitudeBits(x, n) < std::bit_cast<uint32_t>(0x1p100f);
}

}  // namespace teetee::ops
