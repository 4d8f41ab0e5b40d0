// Products of float weights (numerics.md section 3) over tiles of 32 rows, as templates over the lanes V. For the translation
// units of an instruction set only.
#pragma once

#include "ops/cpu/tile.h"
#include "ops/cpu/vector_math.h"

namespace teetee::ops::cpu {
namespace {

template <class V, DType kDType>
TT_INLINE typename V::F LoadFloats(const uint8_t* p) {
  if constexpr (kDType == DType::kF32) return V::Load(reinterpret_cast<const float*>(p));
  if constexpr (kDType == DType::kF16) return V::LoadHalves(p);
  return V::CastF(V::template ShiftLeft<16>(V::FromU16(p)));
}

// Columns [begin, end) of kBlocks times 16 rows of a tile, from `w` on, for kN rows of activations; acc: (kN, 32), from these rows on.
template <class V, DType kDType, int kN, int kBlocks>
__attribute__((noinline)) void FloatMicro(const uint8_t* w, const float* x, size_t k, size_t begin, size_t end,
                                          float* acc) {
  constexpr size_t kWidth = kDType == DType::kF32 ? 4 : 2;
  constexpr size_t kAhead = 32 * kFloatTileRows * kWidth;
  typename V::F sum[kN][kBlocks];
  ForEach<kBlocks * kN>([&](auto i) __attribute__((always_inline)) {
    sum[i / kBlocks][i % kBlocks] = V::Load(acc + kFloatTileRows * (i / kBlocks) + 16 * (i % kBlocks));
  });
  for (size_t i = begin; i < end; ++i) {
    const uint8_t* line = w + i * kFloatTileRows * kWidth;
    V::Prefetch(line + kAhead);
    if constexpr (kWidth * kBlocks == 8) V::Prefetch(line + kAhead + 64);
    typename V::F weights[kBlocks];
    ForEach<kBlocks>([&](auto b) __attribute__((always_inline)) { weights[b] = LoadFloats<V, kDType>(line + 16 * kWidth * b); });
    ForEach<kN>([&](auto j) __attribute__((always_inline)) {
      const typename V::F v = V::Broadcast(x + static_cast<size_t>(j.value) * k + i);
      ForEach<kBlocks>([&](auto b) __attribute__((always_inline)) { sum[j][b] = V::Fma(weights[b], v, sum[j][b]); });
    });
  }
  ForEach<kBlocks * kN>([&](auto i) __attribute__((always_inline)) {
    V::Store(acc + kFloatTileRows * (i / kBlocks) + 16 * (i % kBlocks), sum[i / kBlocks][i % kBlocks]);
  });
}

constexpr size_t kPassBytes = 128u << 10;  // of a tile, when several groups of activations come by: it stays in the second-level cache

template <class V, DType kDType, int kN>
void FloatGroup(const MatMulArgs& args, size_t tile, size_t row, size_t begin, size_t end) {
  constexpr size_t kWidth = kDType == DType::kF32 ? 4 : 2;
  // Few rows of activations go over whole lines; more have registers for 16 rows of weights on AVX2.
  constexpr int kBlocks = kN <= 2 ? 2 : V::kFloatBlocks;
  alignas(64) float acc[kN * kFloatTileRows] = {};
  const size_t left = args.rows - tile * kFloatTileRows;
  const size_t bytes = (left < kFloatTileRows ? left : size_t{kFloatTileRows}) * sizeof(float);
  float* y = args.y + row * args.y_stride + tile * kFloatTileRows;
  for (size_t j = 0; j < kN; ++j) {
    float* sums = y + j * args.y_stride;
    if (begin != 0) memcpy(acc + j * kFloatTileRows, sums, bytes);
    for (size_t at = 0; begin == 0 && at < bytes; at += 64) V::Prefetch(sums + at / sizeof(float));  // as in matmul_quantised.h
  }
  const uint8_t* w = args.tiles + tile * args.tile_bytes;
  for (size_t first = 0; first < kFloatTileRows; first += 16 * kBlocks) {
    FloatMicro<V, kDType, kN, kBlocks>(w + first * kWidth, args.x + row * args.k, args.k, begin, end, acc + first);
  }
  for (size_t j = 0; j < kN; ++j) memcpy(y + j * args.y_stride, acc + j * kFloatTileRows, bytes);
}

// All rows from `row` on, in groups of kN, then of half as many.
template <class V, DType kDType, int kN>
void FloatGroups(const MatMulArgs& args, size_t tile, size_t row, size_t begin, size_t end) {
  for (; row + kN <= args.n; row += kN) FloatGroup<V, kDType, kN>(args, tile, row, begin, end);
  if constexpr (kN > 1) FloatGroups<V, kDType, kN / 2>(args, tile, row, begin, end);
}

template <class V, DType kDType>
void MatMulFloat(const MatMulArgs& args) {
  constexpr size_t kPassColumns = kPassBytes / (kFloatTileRows * (kDType == DType::kF32 ? 4 : 2));
  constexpr size_t kOneSweep = V::kFloatBlocks == 2 ? V::kFloatRows : 2;  // so many rows read each line once
  const size_t step = args.n <= kOneSweep ? args.k : kPassColumns;
  for (size_t begin = 0; begin < args.k; begin += step) {
    const size_t end = args.k - begin < step ? args.k : begin + step;
    for (size_t t = 0; t < args.n_tiles; ++t) FloatGroups<V, kDType, V::kFloatRows>(args, t, 0, begin, end);
  }
}

}  // namespace
}  // namespace teetee::ops::cpu
