// The table of the AVX2 kernels. Compiled without their flags: it only takes addresses.
#if defined(__x86_64__)

#include "ops/cpu/avx2_kernels.h"
#include "ops/cpu/tile.h"

namespace teetee::ops::cpu {

const Kernels kAvx2Kernels = {
    .tile_rows = kTileRows,
    .float_tile_rows = kFloatTileRows,
    .gguf_rows = false,
    .group_rows = 4,  // kMatMulRows of vector_avx2.h
    .matmul_tiles = 1,  // kMatMulTiles there
    .matmul_streams = 4,  // kStreams
    .task_macs = 24u << 20,
    .matmul = Avx2MatMul,
    .quantise = Avx2Quantise,
    .all_below = Avx2AllBelow,
    .rms_norm = Avx2RmsNorm,
    .layer_norm = Avx2LayerNorm,
    .activate = Avx2Activate,
    .gated_unit = Avx2GatedUnit,
    .add = Avx2Add,
    .to_f16 = Avx2ToF16,
    .rope_adjacent = Avx2RopeAdjacent,
    .rope_half_split = Avx2RopeHalfSplit,
    .attention = Avx2Attention,
    .attention_merge = Avx2AttentionMerge,
};

}  // namespace teetee::ops::cpu

#endif
