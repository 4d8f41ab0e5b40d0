// The same by products of whole tiles (vector_amx.h): a tile of weights as it lies in memory, or unpacked to bytes, is the right
// operand, a group of 8 or 16 rows of activations the left one. The result has the integer parts of numerics.md section 2, whose
// float lines follow in vectors of 16 output rows as before. For the translation units of AMX only.
#pragma once

#include "ops/cpu/matmul_micro.h"

namespace teetee::ops::cpu {
namespace {

enum : size_t { kTileCodeBytes = 32 * kTileRows };

// The codes of a block as the signed weights that they stand for: (8, 16 rows, 4).
template <class V, class T>
TT_INLINE void SignedCodes(const uint8_t* codes, int8_t* out) {
  ForEach<8>([&](auto step) __attribute__((always_inline)) {
    typename V::I w = Weights<V, T>(codes, step);
    if constexpr (T::kOffset != 0) w = V::SubI8(w, V::SetI(static_cast<int32_t>(T::kOffset * 0x01010101u)));
    V::StoreI(out + 64 * step, w);
  });
}

// The integer parts of block b, as they come: (kN, 16), or two of them where the halves have scales of their own.
template <class V, class T, int kN, int kSlot>
TT_INLINE void TileDots(const int8_t* codes, const int8_t* q, int32_t* dots) {
  if constexpr (T::kTwoScales) {
    V::template TileProduct<kSlot, kN, 16>(q, codes, dots);
    V::template TileProduct<kSlot + 2, kN, 16>(q + 16, codes + kTileCodeBytes / 2, dots + 16 * kN);
  } else {
    V::template TileProduct<kSlot, kN, 32>(q, codes, dots);
  }
}

// float(I) of one block and row.
template <class V, class T, int kN>
TT_INLINE typename V::F IntegerPart(const BlockScales<V>& s, const int32_t* dots, int j) {
  const typename V::F first = V::ToFloat(V::LoadI(dots + 16 * j));
  if constexpr (!T::kTwoScales) return first;
  return V::Fma(s.s1, V::ToFloat(V::LoadI(dots + 16 * (kN + j))), V::Mul(s.s0, first));
}

// Tile t of the weights times kN rows. The float lines of a block are computed while the tiles of the next one are.
template <class V, class T, int kN>
__attribute__((noinline)) void TileMicro(const MicroArgs& args, int t) {
  constexpr size_t kStride = T::kCodes == Codes::kSigned ? size_t{T::kSuperBytes} : size_t{kTileCodeBytes};
  constexpr size_t kBlockBytes = T::kSuperBytes / T::kBlocksPerSuper;
  constexpr int kHalves = T::kTwoScales ? 2 : 1;
  const MicroArgs a = args;
  const int8_t* codes = a.codes[t];
  const uint8_t* panel = a.panel[t];
  alignas(64) int32_t dots[2][kHalves * kN * 16];
  SumsOf<V, 1, kN, false> sums(a.acc + t * kN * 16, a.carries);
  TileDots<V, T, kN, 0>(codes, a.q, dots[0]);
  const auto lines = [&](size_t b, const int32_t* of) __attribute__((always_inline)) {
    const BlockScales<V> s = LoadPanel<V, T>(panel + b * PanelFields<T>::kBytes);
    if (a.asks) {
      ForEach<static_cast<int>((kBlockBytes + 63) / 64)>(
          [&](auto line) __attribute__((always_inline)) { V::Prefetch(a.next[t] + b * kBlockBytes + 64 * line); });
    }
    ForEach<kN>([&](auto j) __attribute__((always_inline)) {
      const size_t at = b * kN + static_cast<size_t>(j.value);
      sums.Set(0, j, FloatLine<V, T>(a, at, V::Broadcast(a.dx + at), s, IntegerPart<V, T, kN>(s, of, j), sums.Get(0, j)));
    });
  };
  for (size_t b = 0; b < a.blocks; b += 2) {
    const bool has_second = b + 1 < a.blocks;
    if (has_second) TileDots<V, T, kN, 1>(codes + (b + 1) * kStride, a.q + (b + 1) * kN * 32, dots[1]);
    lines(b, dots[0]);
    if (b + 2 < a.blocks) TileDots<V, T, kN, 0>(codes + (b + 2) * kStride, a.q + (b + 2) * kN * 32, dots[0]);
    if (has_second) lines(b + 1, dots[1]);
  }
  sums.End(a.acc + t * kN * 16);
}

template <class V, class T>
void TileMicros(size_t rows, const MicroArgs& a) {
  for (int t = 0; t < V::kMatMulTiles; ++t) rows == 8 ? TileMicro<V, T, 8>(a, t) : TileMicro<V, T, 16>(a, t);
}

}  // namespace
}  // namespace teetee::ops::cpu
