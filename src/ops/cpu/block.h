// Reads blocks of 32 weights out of GGUF's byte layouts (ggml-common.h, ggml-quants.c at d99724f2), for all 13 quantised types.
// Scales stay as the file has them, so that packing and unpacking lose nothing.
#pragma once

#include <cstddef>
#include <cstdint>

#include "ops/dtype.h"

namespace teetee::ops::cpu {

// How the scale a(r,b) and the minimum c(r,b) of numerics.md section 2 are made from the fields of a Block.
enum class Scales {
  kHalf,      // a = h(d)
  kHalfMin,   // a = h(d), c = h(m)
  kSub,       // a = h(d) * s0
  kSubMin,    // a = h(d) * s0, c = -(h(m) * m0)
  kExponent,  // a = 2^(s0 - 128)
  kTwo,       // a = h(d); halves of 16 times s0, s1
  kTwoMin,    // the same; and -(h(m) * m0), -(h(m) * m1)
};

struct Block {
  int8_t w[32];
  uint16_t d = 0;  // f16 bits
  uint16_t m = 0;
  int16_t s0 = 0, s1 = 0, m0 = 0, m1 = 0;
};

Scales ScalesOf(DType dtype);
// Block b (of 32 columns) of a row. REQUIRES: dtype is quantised and the row has it.
void ReadBlock(DType dtype, const uint8_t* row, size_t b, Block* out);
// Block j of the super-block at p (BlockElements / 32 blocks), without the weights.
void ReadBlockScales(DType dtype, const uint8_t* p, int j, Block* out);

// The scale a (for kTwo and kTwoMin without s0, s1), and c (kHalfMin, kSubMin; else +0).
float BlockScale(Scales scales, const Block& block);
float BlockMin(Scales scales, const Block& block);
// The 32 weights as floats (an embedding row). out: (32).
void DequantiseBlock(Scales scales, const Block& block, float* out);
// Neither scale is an infinity or a NaN.
bool BlockIsFinite(Scales scales, const Block& block);

// Values of the 16 codes of IQ4_NL and IQ4_XS, and of MXFP4 (doubled, to be integers).
extern const int8_t kIq4Values[16];
extern const int8_t kMxfp4Values[16];

}  // namespace teetee::ops::cpu
