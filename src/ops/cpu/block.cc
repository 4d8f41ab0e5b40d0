#include "ops/cpu/block.h"

#include <bit>

#include "base/check.h"
#include "ops/f16.h"

namespace teetee::ops::cpu {

const int8_t kIq4Values[16] = {-127, -104, -83, -65, -49, -35, -22, -10,
                               1,    13,   25,  38,  53,  69,  89,  113};
const int8_t kMxfp4Values[16] = {0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12};

namespace {

uint16_t U16(const uint8_t* p) { return static_cast<uint16_t>(p[0] | p[1] << 8); }
int Low(uint8_t byte) { return byte & 15; }
int High(uint8_t byte) { return byte >> 4; }

// 16 bytes hold the columns 0..15 in their low nibbles and 16..31 in their high ones.
void ReadNibbles(const uint8_t* p, int offset, int8_t* w) {
  for (int i = 0; i < 16; ++i) {
    w[i] = static_cast<int8_t>(Low(p[i]) - offset);
    w[i + 16] = static_cast<int8_t>(High(p[i]) - offset);
  }
}

void ReadTable(const uint8_t* p, const int8_t* table, int8_t* w) {
  for (int i = 0; i < 16; ++i) {
    w[i] = table[Low(p[i])];
    w[i + 16] = table[High(p[i])];
  }
}

void ReadFiveBits(const uint8_t* high_bits, const uint8_t* nibbles, int offset, int8_t* w) {
  uint32_t high = U16(high_bits) | uint32_t{U16(high_bits + 2)} << 16;
  for (int i = 0; i < 16; ++i) {
    int bit0 = static_cast<int>(high >> i & 1) << 4;
    int bit1 = static_cast<int>(high >> (i + 16) & 1) << 4;
    w[i] = static_cast<int8_t>((Low(nibbles[i]) | bit0) - offset);
    w[i + 16] = static_cast<int8_t>((High(nibbles[i]) | bit1) - offset);
  }
}

// The 6-bit scale and minimum number j of Q4_K and Q5_K, packed in 12 bytes.
void ReadKScales(int j, const uint8_t* q, Block* out) {
  if (j < 4) {
    out->s0 = q[j] & 63;
    out->m0 = q[j + 4] & 63;
  } else {
    out->s0 = static_cast<int16_t>(Low(q[j + 4]) | (q[j - 4] >> 6) << 4);
    out->m0 = static_cast<int16_t>(High(q[j + 4]) | (q[j] >> 6) << 4);
  }
}

void ReadQ4K(const uint8_t* p, int j, bool five_bits, Block* out) {
  const uint8_t* nibbles = p + (five_bits ? 48 : 16) + 32 * (j / 2);
  for (int i = 0; i < 32; ++i) {
    int w = j & 1 ? High(nibbles[i]) : Low(nibbles[i]);
    if (five_bits) w |= (p[16 + i] >> j & 1) << 4;
    out->w[i] = static_cast<int8_t>(w);
  }
}

void ReadQ2K(const uint8_t* p, int j, Block* out) {
  const uint8_t* codes = p + 16 + 32 * (j / 4);
  for (int i = 0; i < 32; ++i) out->w[i] = static_cast<int8_t>(codes[i] >> (2 * (j % 4)) & 3);
}

// The 6-bit scale number i of Q3_K: four low bits in 8 bytes, two high bits in 4 more.
int16_t Q3KScale(const uint8_t* s, int i) {
  int low = i < 8 ? Low(s[i]) : High(s[i - 8]);
  int high = s[8 + i % 4] >> (2 * (i / 4)) & 3;
  return static_cast<int16_t>((low | high << 4) - 32);
}

void ReadQ3K(const uint8_t* p, int j, Block* out) {
  const uint8_t* codes = p + 32 + 32 * (j / 4);
  for (int i = 0; i < 32; ++i) {
    int low = codes[i] >> (2 * (j % 4)) & 3;
    out->w[i] = static_cast<int8_t>(low - ((p[i] >> j & 1) != 0 ? 0 : 4));
  }
}

void ReadQ6K(const uint8_t* p, int j, Block* out) {
  int half = j / 4;
  int group = j % 4;
  const uint8_t* low_bits = p + 64 * half + 32 * (group & 1);
  const uint8_t* high_bits = p + 128 + 32 * half;
  for (int i = 0; i < 32; ++i) {
    int low = group >= 2 ? High(low_bits[i]) : Low(low_bits[i]);
    int high = high_bits[i] >> (2 * group) & 3;
    out->w[i] = static_cast<int8_t>((low | high << 4) - 32);
  }
}

bool HalfIsFinite(uint16_t h) { return (h & 0x7c00) != 0x7c00; }

}  // namespace

Scales ScalesOf(DType dtype) {
  switch (dtype) {
    case DType::kQ8_0:
    case DType::kQ4_0:
    case DType::kQ5_0:
    case DType::kIQ4_NL:
      return Scales::kHalf;
    case DType::kQ4_1:
    case DType::kQ5_1:
      return Scales::kHalfMin;
    case DType::kIQ4_XS:
      return Scales::kSub;
    case DType::kQ4_K:
    case DType::kQ5_K:
      return Scales::kSubMin;
    case DType::kMXFP4:
      return Scales::kExponent;
    case DType::kQ3_K:
    case DType::kQ6_K:
      return Scales::kTwo;
    case DType::kQ2_K:
      return Scales::kTwoMin;
    case DType::kF32:
    case DType::kF16:
    case DType::kBF16:
      break;
  }
  CheckFailed("dtype is quantised", __FILE__, __LINE__);
}

void ReadBlockScales(DType dtype, const uint8_t* p, int j, Block* out) {
  switch (dtype) {
    case DType::kQ4_1:
    case DType::kQ5_1:
      out->m = U16(p + 2);
      [[fallthrough]];
    case DType::kQ8_0:
    case DType::kQ4_0:
    case DType::kQ5_0:
    case DType::kIQ4_NL:
      out->d = U16(p);
      return;
    case DType::kMXFP4:
      out->s0 = p[0];
      return;
    case DType::kQ2_K:
      out->d = U16(p + 80);
      out->m = U16(p + 82);
      out->s0 = static_cast<int16_t>(Low(p[2 * j]));
      out->s1 = static_cast<int16_t>(Low(p[2 * j + 1]));
      out->m0 = static_cast<int16_t>(High(p[2 * j]));
      out->m1 = static_cast<int16_t>(High(p[2 * j + 1]));
      return;
    case DType::kQ3_K:
      out->d = U16(p + 108);
      out->s0 = Q3KScale(p + 96, 2 * j);
      out->s1 = Q3KScale(p + 96, 2 * j + 1);
      return;
    case DType::kQ4_K:
    case DType::kQ5_K:
      out->d = U16(p);
      out->m = U16(p + 2);
      return ReadKScales(j, p + 4, out);
    case DType::kQ6_K:
      out->d = U16(p + 208);
      out->s0 = static_cast<int8_t>(p[192 + 2 * j]);
      out->s1 = static_cast<int8_t>(p[192 + 2 * j + 1]);
      return;
    case DType::kIQ4_XS: {
      out->d = U16(p);
      const int low = p[4 + j / 2] >> (4 * (j % 2)) & 15;
      const int high = U16(p + 2) >> (2 * j) & 3;
      out->s0 = static_cast<int16_t>((low | high << 4) - 32);
      return;
    }
    case DType::kF32:
    case DType::kF16:
    case DType::kBF16:
      break;
  }
  CheckFailed("dtype is quantised", __FILE__, __LINE__);
}

void ReadBlock(DType dtype, const uint8_t* row, size_t b, Block* out) {
  const size_t per_super = BlockElements(dtype) / 32;
  const uint8_t* p = row + b / per_super * BlockBytes(dtype);
  const int j = static_cast<int>(b % per_super);
  ReadBlockScales(dtype, p, j, out);
  switch (dtype) {
    case DType::kQ8_0:
      for (int i = 0; i < 32; ++i) out->w[i] = static_cast<int8_t>(p[2 + i]);
      return;
    case DType::kQ4_0:
      return ReadNibbles(p + 2, 8, out->w);
    case DType::kQ4_1:
      return ReadNibbles(p + 4, 0, out->w);
    case DType::kQ5_0:
      return ReadFiveBits(p + 2, p + 6, 16, out->w);
    case DType::kQ5_1:
      return ReadFiveBits(p + 4, p + 8, 0, out->w);
    case DType::kIQ4_NL:
      return ReadTable(p + 2, kIq4Values, out->w);
    case DType::kMXFP4:
      return ReadTable(p + 1, kMxfp4Values, out->w);
    case DType::kQ2_K:
      return ReadQ2K(p, j, out);
    case DType::kQ3_K:
      return ReadQ3K(p, j, out);
    case DType::kQ4_K:
      return ReadQ4K(p, j, false, out);
    case DType::kQ5_K:
      return ReadQ4K(p, j, true, out);
    case DType::kQ6_K:
      return ReadQ6K(p, j, out);
    case DType::kIQ4_XS:
      return ReadTable(p + 8 + 16 * j, kIq4Values, out->w);
    case DType::kF32:
    case DType::kF16:
    case DType::kBF16:
      break;
  }
  CheckFailed("dtype is quantised", __FILE__, __LINE__);
}

float BlockScale(Scales scales, const Block& block) {
  if (scales == Scales::kExponent) {
    if (block.s0 < 2) return block.s0 == 0 ? 0x1p-128f : 0x1p-127f;  // subnormal
    return std::bit_cast<float>(static_cast<uint32_t>(block.s0 - 1) << 23);
  }
  float d = F16ToF32(block.d);
  bool has_factor = scales == Scales::kSub || scales == Scales::kSubMin;
  return has_factor ? d * static_cast<float>(block.s0) : d;
}

float BlockMin(Scales scales, const Block& block) {
  if (scales == Scales::kHalfMin) return F16ToF32(block.m);
  if (scales == Scales::kSubMin) return -(F16ToF32(block.m) * static_cast<float>(block.m0));
  return 0.0f;
}

void DequantiseBlock(Scales scales, const Block& block, float* out) {
  float a = BlockScale(scales, block);
  float c = BlockMin(scales, block);
  bool has_min = scales == Scales::kHalfMin || scales == Scales::kSubMin;
  for (int i = 0; i < 32; ++i) {
    float w = static_cast<float>(block.w[i]);
    if (scales == Scales::kTwo || scales == Scales::kTwoMin) {
      float half_a = a * static_cast<float>(i < 16 ? block.s0 : block.s1);
      float half_m = static_cast<float>(i < 16 ? block.m0 : block.m1);
      out[i] = scales == Scales::kTwo
                   ? half_a * w
                   : __builtin_fmaf(half_a, w, -(F16ToF32(block.m) * half_m));
    } else {
      out[i] = has_min ? __builtin_fmaf(a, w, c) : a * w;
    }
  }
}

bool BlockIsFinite(Scales scales, const Block& block) {
  if (scales == Scales::kExponent) return block.s0 != 255;
  return HalfIsFinite(block.d) && HalfIsFinite(block.m);
}

}  // namespace teetee::ops::cpu
