// The tables of the AVX-512 kernels, with and without AMX. Compiled without their flags: it only takes addresses.
#if defined(__x86_64__)

#include "ops/cpu/amx_kernels.h"
#include "ops/cpu/avx2_kernels.h"
#include "ops/cpu/avx512_kernels.h"
#include "ops/cpu/tile.h"

namespace teetee::ops::cpu {

namespace {

constexpr Kernels Table(size_t group_rows, size_t task_macs, void (*matmul)(const MatMulArgs&)) {
  return {
      .tile_rows = kTileRows,
      .float_tile_rows = kFloatTileRows,
      .gguf_rows = false,
      .group_rows = group_rows,
      .matmul_tiles = 2,  // kMatMulTiles of vector_avx512.h
      .matmul_streams = 1,  // kStreams there
      .task_macs = task_macs,
      .matmul = matmul,
      .quantise = Avx512Quantise,
      .all_below = Avx512AllBelow,
      .rms_norm = Avx512RmsNorm,
      .layer_norm = Avx512LayerNorm,
      .activate = Avx512Activate,
      .gated_unit = Avx512GatedUnit,
      .add = Avx512Add,
      .to_f16 = Avx512ToF16,
      .rope_adjacent = Avx2RopeAdjacent,  // a small share of the time
      .rope_half_split = Avx2RopeHalfSplit,
      .attention = Avx512Attention,
      .attention_merge = Avx512AttentionMerge,
  };
}

}  // namespace

// Rows: kMatMulRows of vector_avx512.h and vector_amx.h.
const Kernels kAvx512Kernels = Table(8, 24u << 20, Avx512MatMul);
const Kernels kAmxKernels = Table(16, 96u << 20, AmxMatMul);

}  // namespace teetee::ops::cpu

#endif
