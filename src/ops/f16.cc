#include "ops/f16.h"

#include <bit>

namespace teetee::ops {

float F16ToF32(uint16_t h) {
  uint32_t sign = (h & 0x8000u) << 16;
  uint32_t exponent = (h >> 10) & 31;
  uint32_t mantissa = h & 1023;
  if (exponent == 31) return std::bit_cast<float>(sign | 0x7f800000u | (mantissa << 13));
  if (exponent != 0) return std::bit_cast<float>(sign | ((exponent + 112) << 23) | (mantissa << 13));
  float magnitude = static_cast<float>(mantissa) * 0x1p-24f;  // exact
  return std::bit_cast<float>(std::bit_cast<uint32_t>(magnitude) | sign);
}

float Bf16ToF32(uint16_t h) { return std::bit_cast<float>(uint32_t{h} << 16); }

uint16_t F32ToF16(float x) {
  constexpr uint32_t kMaxHalf = 0x477fe000;  // 65504
  uint32_t bits = std::bit_cast<uint32_t>(x);
  uint32_t sign = (bits >> 16) & 0x8000u;
  uint32_t magnitude = bits & 0x7fffffffu;
  if (magnitude > kMaxHalf) magnitude = kMaxHalf;
  if (magnitude >> 23 == 0) return static_cast<uint16_t>(sign);  // below 2^-126
  int exponent = static_cast<int>(magnitude >> 23) - 127;
  uint64_t mantissa = (magnitude & 0x7fffffu) | 0x800000u;
  int dropped = exponent >= -14 ? 13 : 13 + (-14 - exponent);  // bits that a half cannot hold
  if (dropped > 40) return static_cast<uint16_t>(sign);
  uint64_t kept = mantissa >> dropped;
  uint64_t rest = mantissa & ((uint64_t{1} << dropped) - 1);
  uint64_t half = uint64_t{1} << (dropped - 1);
  if (rest > half || (rest == half && (kept & 1) != 0)) ++kept;
  // kept still carries the hidden bit: adding it carries into the exponent where rounding overflowed.
  uint32_t biased = exponent >= -14 ? static_cast<uint32_t>(exponent + 14) << 10 : 0;
  return static_cast<uint16_t>(sign | (biased + static_cast<uint32_t>(kept)));
}

}  // namespace teetee::ops
