// Codes of 32 weights from GGUF's bytes to the order of tile.h, eight at a time: loading a model is this function.
#include <cstring>

#include "base/check.h"
#include "ops/cpu/tile.h"

namespace teetee::ops::cpu {
namespace {

constexpr uint64_t kNibbles = 0x0f0f0f0f0f0f0f0fu;
constexpr uint64_t kPairs = 0x0303030303030303u;
constexpr uint64_t kBits = 0x0101010101010101u;

uint64_t Load8(const uint8_t* p) {
  uint64_t v;
  std::memcpy(&v, p, 8);
  return v;
}
void Store8(uint8_t* p, uint64_t v) { std::memcpy(p, &v, 8); }

// Bit i of `bits` in byte i.
uint64_t Spread8(uint8_t bits) {
  return (((bits * kBits) & 0x8040201008040201u) + 0x00406070787c7e7fu) >> 7 & kBits;
}

// 16 bytes of two nibbles, 32 bits of a fifth bit.
void FiveBits(const uint8_t* high, const uint8_t* nibbles, uint8_t* out) {
  for (int i = 0; i < 2; ++i) {
    const uint64_t n = Load8(nibbles + 8 * i);
    Store8(out + 8 * i, (n & kNibbles) | Spread8(high[i]) << 4);
    Store8(out + 16 + 8 * i, (n >> 4 & kNibbles) | Spread8(high[2 + i]) << 4);
  }
}

// 32 codes of up to 4 bits, 8 each in four words, to 16 bytes.
void PackNibbles(const uint64_t (&codes)[4], uint8_t* out) {
  Store8(out, codes[0] | codes[2] << 4);
  Store8(out + 8, codes[1] | codes[3] << 4);
}

void CodesQ2K(const uint8_t* p, int j, uint8_t* out) {
  uint64_t codes[4];
  for (int i = 0; i < 4; ++i) codes[i] = Load8(p + 16 + 32 * (j / 4) + 8 * i) >> (2 * (j % 4)) & kPairs;
  PackNibbles(codes, out);
}

void CodesQ3K(const uint8_t* p, int j, uint8_t* out) {
  uint64_t codes[4];
  for (int i = 0; i < 4; ++i) {
    const uint64_t low = Load8(p + 32 + 32 * (j / 4) + 8 * i) >> (2 * (j % 4)) & kPairs;
    codes[i] = low | (Load8(p + 8 * i) >> j & kBits) << 2;
  }
  PackNibbles(codes, out);
}

uint64_t Nibbles(const uint8_t* p, bool high) { return (high ? Load8(p) >> 4 : Load8(p)) & kNibbles; }

void CodesQ4K(const uint8_t* p, int j, uint8_t* out) {
  uint64_t codes[4];
  for (int i = 0; i < 4; ++i) codes[i] = Nibbles(p + 16 + 32 * (j / 2) + 8 * i, j & 1);
  PackNibbles(codes, out);
}

void CodesQ5K(const uint8_t* p, int j, uint8_t* out) {
  for (int i = 0; i < 4; ++i) {
    const uint64_t low = Nibbles(p + 48 + 32 * (j / 2) + 8 * i, j & 1);
    Store8(out + 8 * i, low | (Load8(p + 16 + 8 * i) >> j & kBits) << 4);
  }
}

void CodesQ6K(const uint8_t* p, int j, uint8_t* out) {
  const int half = j / 4, group = j % 4;
  for (int i = 0; i < 4; ++i) {
    const uint64_t low = Nibbles(p + 64 * half + 32 * (group & 1) + 8 * i, group >= 2);
    const uint64_t high = Load8(p + 128 + 32 * half + 8 * i) >> (2 * group) & kPairs;
    Store8(out + 8 * i, low | high << 4);
  }
}

}  // namespace

void ReadBlockCodes(DType dtype, const uint8_t* p, int j, uint8_t* out) {
  switch (dtype) {
    case DType::kQ8_0:
      std::memcpy(out, p + 2, 32);
      return;
    case DType::kQ4_0:
    case DType::kIQ4_NL:
      std::memcpy(out, p + 2, 16);
      return;
    case DType::kQ4_1:
      std::memcpy(out, p + 4, 16);
      return;
    case DType::kMXFP4:
      std::memcpy(out, p + 1, 16);
      return;
    case DType::kIQ4_XS:
      std::memcpy(out, p + 8 + 16 * j, 16);
      return;
    case DType::kQ5_0:
      return FiveBits(p + 2, p + 6, out);
    case DType::kQ5_1:
      return FiveBits(p + 4, p + 8, out);
    case DType::kQ2_K:
      return CodesQ2K(p, j, out);
    case DType::kQ3_K:
      return CodesQ3K(p, j, out);
    case DType::kQ4_K:
      return CodesQ4K(p, j, out);
    case DType::kQ5_K:
      return CodesQ5K(p, j, out);
    case DType::kQ6_K:
      return CodesQ6K(p, j, out);
    case DType::kF32:
    case DType::kF16:
    case DType::kBF16:
      break;
  }
  CheckFailed("dtype is quantised", __FILE__, __LINE__);
}

}  // namespace teetee::ops::cpu
