// The functions that exist once per instruction set, as a table. Each set lives in translation units of its own, compiled with
// its own flags; they share no inline function with anything else, or the linker could keep the copy that old machines
// cannot run (tools/check_flags.py looks). So this header holds plain data only.
#pragma once

#include <cstddef>
#include <cstdint>

#include "ops/activation.h"
#include "ops/dtype.h"
#include "ops/isa.h"

namespace teetee::ops::cpu {

// One product over neighbouring tiles of a matrix and n activation vectors. A tile of the scalar layout is one row in GGUF's
// bytes.
struct MatMulArgs {
  DType dtype;
  const uint8_t* tiles;   // first tile
  size_t tile_bytes;
  size_t n_tiles;
  size_t rows;            // output rows that these tiles really have; the rest is padding
  size_t k;
  size_t n;               // activation vectors
  const float* x;         // (n, k)
  const int8_t* q;        // (n, k)
  const float* dx;        // (n, k / 32)
  const float* dx_sum;    // (n, k / 32)
  const int32_t* sums;    // (n, k / 32, 2)
  float* y;               // column of the first row; (n, y_stride)
  size_t y_stride;
};

enum : size_t { kAttentionRows = 4, kSegment = 256, kKvBlock = 16 };

// Attention of up to kAttentionRows (query, head) pairs that read the same KV head.
struct AttentionArgs {
  size_t n;  // rows used
  size_t head_dim;
  const float* q[kAttentionRows];
  float* out[kAttentionRows];
  size_t first[kAttentionRows];  // visible positions, both ends included
  size_t last[kAttentionRows];
  const float* sink[kAttentionRows];  // or nullptr
  float scale;
  float softcap;  // 0: none
  // Block b of 16 positions: pages[b / blocks_per_page] + head_offset + (b % blocks_per_page) * 32 * head_dim: K (head_dim, 16),
  // then V (16, head_dim).
  const uint16_t* const* pages;
  size_t blocks_per_page;
  size_t head_offset;
};

struct Kernels {
  size_t tile_rows;        // of quantised types
  size_t float_tile_rows;
  bool gguf_rows;          // the scalar layout: rows as in the file
  void (*matmul)(const MatMulArgs& args);
  // Activation blocks of one vector; false if a value is not finite.
  bool (*quantise)(const float* x, size_t k, int8_t* q, float* dx, float* dx_sum, int32_t* sums);
  bool (*all_below)(const float* x, size_t n, uint32_t limit_bits);  // every |x| has bits below the limit
  void (*rms_norm)(const float* x, const float* w, size_t n, float eps, float* y);
  void (*layer_norm)(const float* x, const float* w, const float* b, size_t n, float eps, float* y);
  void (*activate)(Activation act, const float* x, size_t n, float* y);
  void (*gated_unit)(Activation act, const float* gate, const float* up, size_t n, float* y);
  // One head; cos_sin: (pairs, 2).
  void (*rope_adjacent)(const float* cos_sin, size_t pairs, float* x);
  void (*rope_half_split)(const float* cos_sin, size_t pairs, float* x);
  void (*attention)(const AttentionArgs& args);
};

extern const Kernels kScalarKernels;
#if defined(__x86_64__)
extern const Kernels kAvx2Kernels;
#endif

// REQUIRES: IsaSupported(isa).
const Kernels& KernelsFor(Isa isa);

}  // namespace teetee::ops::cpu
