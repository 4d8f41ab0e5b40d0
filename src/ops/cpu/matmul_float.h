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

// Columns [begin, end) of one tile for kN rows of activations; acc: (kN, 32).
template <class V, DType kDType, int kN>
__attribute__((noinline)) void FloatMicro(const uint8_t* w, const float* x, size_t k, size_t begin, size_t end,
                                          float* acc) {
  constexpr size_t kWidth = kDType == DType::kF32 ? 4 : 2;
  constexpr size_t kAhead = 32 * kFloatTileRows * kWidth;
  typename V::F sum[kN][2];
  ForEach<2 * kN>([&](auto i) __attribute__((always_inline)) { sum[i / 2][i % 2] = V::Load(acc + 16 * i); });
  for (size_t i = begin; i < end; ++i) {
    const uint8_t* line = w + i * kFloatTileRows * kWidth;
    V::Prefetch(line + kAhead);
    if constexpr (kWidth == 4) V::Prefetch(line + kAhead + 64);
    const typename V::F w0 = LoadFloats<V, kDType>(line);
    const typename V::F w1 = LoadFloats<V, kDType>(line + 16 * kWidth);
    ForEach<kN>([&](auto j) __attribute__((always_inline)) {
      const typename V::F v = V::Broadcast(x + static_cast<size_t>(j.value) * k + i);
      sum[j][0] = V::Fma(w0, v, sum[j][0]);
      sum[j][1] = V::Fma(w1, v, sum[j][1]);
    });
  }
  ForEach<2 * kN>([&](auto i) __attribute__((always_inline)) { V::Store(acc + 16 * i, sum[i / 2][i % 2]); });
}

constexpr size_t kPassColumns = 256;

template <class V, DType kDType, int kN>
void FloatGroup(const MatMulArgs& args, size_t tile, size_t row, size_t begin, size_t end) {
  alignas(64) float acc[kN * kFloatTileRows] = {};
  const size_t left = args.rows - tile * kFloatTileRows;
  const size_t bytes = (left < kFloatTileRows ? left : size_t{kFloatTileRows}) * sizeof(float);
  float* y = args.y + row * args.y_stride + tile * kFloatTileRows;
  for (size_t j = 0; begin != 0 && j < kN; ++j) memcpy(acc + j * kFloatTileRows, y + j * args.y_stride, bytes);
  FloatMicro<V, kDType, kN>(args.tiles + tile * args.tile_bytes, args.x + row * args.k, args.k, begin, end, acc);
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
  const size_t step = args.n <= static_cast<size_t>(V::kFloatRows) ? args.k : kPassColumns;
  for (size_t begin = 0; begin < args.k; begin += step) {
    const size_t end = args.k - begin < step ? args.k : begin + step;
    for (size_t t = 0; t < args.n_tiles; ++t) FloatGroups<V, kDType, V::kFloatRows>(args, t, 0, begin, end);
  }
}

}  // namespace
}  // namespace teetee::ops::cpu
