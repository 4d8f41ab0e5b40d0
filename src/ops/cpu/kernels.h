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

// Activation rows are kept in groups, so that a kernel reads the same block of a whole group from one place: groups of
// Kernels::group_rows rows, the last ones as small as GroupSize says (the rows that it is too large are zeros). Inside a group
// every field is (k / 32 blocks, rows of the group); the group of row r begins at row r of a (rows, k / 32) array.
namespace {
// Rows of the group that holds what is left: a power of two below `most`, or `most`.
inline size_t GroupSize(size_t left, size_t most) {
  size_t size = 1;
  while (size < left && 2 * size <= most) size *= 2;
  return size < left ? most : size;
}
}  // namespace

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
  size_t n_grouped;       // rows that the groups were made for, at least n
  const float* x;         // (n, k)
  const int8_t* q;        // (k / 32, 32) in groups
  const float* dx;        // (k / 32) in groups
  const float* dx_sum;    // dx * float(S)
  const int32_t* sums;    // S0 in the low 16 bits, S1 in the high ones
  float* y;               // column of the first row; (n, y_stride)
  size_t y_stride;
};

// Where the blocks of one row go; the same fields. Block b lies at b * stride (q: 32 times that).
struct BlockSink {
  int8_t* q;
  float* dx;
  float* dx_sum;
  int32_t* sums;
  size_t stride;
};

// Groups of fewer rows are left to the kernels of AVX-512 by those of AMX; up to here both group the rows alike.
enum : size_t { kLeastTileRows = 8 };

enum : size_t { kAttentionRows = 48, kSegment = 256, kKvBlock = 16 };

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
  // When set, the rows see one segment only, and (m, l, o[head_dim]) of row r is written to partial + r * partial_stride instead
  // of the result; sinks are left out.
  float* partial;
  size_t partial_stride;
};

struct Kernels {
  size_t tile_rows;        // of quantised types
  size_t float_tile_rows;
  bool gguf_rows;          // the scalar layout: rows as in the file
  size_t group_rows;       // of activations
  size_t matmul_tiles;     // quantised tiles that matmul takes together
  size_t matmul_streams;   // so many times more for a single row of activations
  size_t task_macs;        // multiply-adds of one task, at most: a fraction of a millisecond
  void (*matmul)(const MatMulArgs& args);
  // Activation blocks of one vector; false if a value is not finite.
  bool (*quantise)(const float* x, size_t k, const BlockSink& sink);
  bool (*all_below)(const float* x, size_t n, uint32_t limit_bits);  // every |x| has bits below the limit
  void (*rms_norm)(const float* x, const float* w, size_t n, float eps, float* y);
  void (*layer_norm)(const float* x, const float* w, const float* b, size_t n, float eps, float* y);
  void (*activate)(Activation act, const float* x, size_t n, float* y);
  void (*gated_unit)(Activation act, const float* gate, const float* up, size_t n, float* y);
  void (*add)(const float* x, size_t n, float* y);  // y += x
  void (*to_f16)(const float* x, size_t n, uint16_t* y);  // clamped to +-65504
  // One head; cos_sin: (pairs, 2).
  void (*rope_adjacent)(const float* cos_sin, size_t pairs, float* x);
  void (*rope_half_split)(const float* cos_sin, size_t pairs, float* x);
  void (*attention)(const AttentionArgs& args);
  // Merges n partial results of one row, each (m, l, o[head_dim]) at `stride`, in their order, then the sink (or nullptr).
  void (*attention_merge)(const float* partial, size_t stride, size_t n, size_t head_dim, const float* sink, float* out);
};

extern const Kernels kScalarKernels;
#if defined(__x86_64__)
extern const Kernels kAvx2Kernels;
extern const Kernels kAvx512Kernels;
extern const Kernels kAmxKernels;
#endif

// REQUIRES: IsaSupported(isa).
const Kernels& KernelsFor(Isa isa);

}  // namespace teetee::ops::cpu
