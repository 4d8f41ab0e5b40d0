// Products of quantised weights by register tiles, as templates over the lanes V: some tiles of 16 weight rows (tile.h) times some
// rows of activations. A vector runs across 16 output rows, so each output element keeps its own chain in the order of
// numerics.md section 2. For the translation units of an instruction set only.
#pragma once

#include "ops/cpu/quantised_types.h"

namespace teetee::ops::cpu {
namespace {

constexpr int kMostTiles = 4;  // at once

// Tiles of 16 rows times kN rows of activations over `blocks` blocks of K.
struct MicroArgs {
  const uint8_t* tile[kMostTiles];
  const uint8_t* next[kMostTiles];  // weights to ask for meanwhile, each line at the same place as the one that is used
  const uint8_t* panel[kMostTiles];
  const int8_t* codes[kMostTiles];  // for products of tiles: the signed weights of the first block
  bool asks;                        // for what is in `next`
  const int8_t* q;  // (blocks, kN, 32); the other fields (blocks, kN)
  const float* dx;
  const float* dx_sum;
  const int32_t* sums;
  size_t blocks;
  float* acc;  // (tiles, kN, 16): the sums
  bool carries;  // on with the sums of the blocks before
};

template <class V, int kTiles, int kN>
struct Dots {
  typename V::I v[kTiles][kN];
};
template <class V, int kTiles, int kN>
struct Sums {
  typename V::F v[kTiles][kN];
};

// The float sums of a register tile: in registers while they go by, or, where there are more than V::kSumsInRegisters,
// in memory, which costs less than the compiler's own choice of what to spill.
template <class V, int kTiles, int kN, bool kInMemory = (kTiles * kN > V::kSumsInRegisters)>
struct SumsOf {
  Sums<V, kTiles, kN> sum;

  TT_INLINE SumsOf(const float* acc, bool carries) {
    ForEach<kTiles * kN>([&](auto i) __attribute__((always_inline)) {
      sum.v[i / kN][i % kN] = carries ? V::Load(acc + 16 * i) : V::Zero();
    });
  }
  TT_INLINE typename V::F Get(int t, int j) const { return sum.v[t][j]; }
  TT_INLINE void Set(int t, int j, typename V::F v) { sum.v[t][j] = v; }
  TT_INLINE void EndOfBlock() {}
  TT_INLINE void End(float* acc) {
    ForEach<kTiles * kN>([&](auto i) __attribute__((always_inline)) { V::Store(acc + 16 * i, sum.v[i / kN][i % kN]); });
  }
};
template <class V, int kTiles, int kN>
struct SumsOf<V, kTiles, kN, true> {
  float* acc;

  TT_INLINE SumsOf(float* at, bool carries) : acc(at) {
    if (carries) return;
    ForEach<kTiles * kN>([&](auto i) __attribute__((always_inline)) { V::Store(acc + 16 * i, V::Zero()); });
  }
  TT_INLINE typename V::F Get(int t, int j) const { return V::Load(acc + 16 * (t * kN + j)); }
  TT_INLINE void Set(int t, int j, typename V::F v) { V::Store(acc + 16 * (t * kN + j), v); }
  TT_INLINE void EndOfBlock() { asm volatile("" : : : "memory"); }
  TT_INLINE void End(float*) {}
};

template <class V, int kTiles>
struct TileScales {
  BlockScales<V> v[kTiles];
};

// Both halves of the pair of sums times a factor each, added: factor0 * S0 + factor1 * S1.
template <class V>
TT_INLINE typename V::I WeighSums(const int32_t* sums, int factor0, int factor1) {
  const uint32_t pair = (static_cast<uint32_t>(factor0) & 0xffff) | static_cast<uint32_t>(factor1) << 16;
  return V::MaddI16(V::BroadcastI(sums), V::SetI(static_cast<int32_t>(pair)));
}

// dpbusd: I of steps [kFirst, kFirst + kCount) of every tile and row, each started at -offset times the sum of its activations.
template <class V, class T, int kTiles, int kN, int kFirst, int kCount>
TT_INLINE void DpbusdSteps(const uint8_t* const* codes, const MicroArgs& a, size_t b, Dots<V, kTiles, kN>* dots) {
  constexpr int kOff0 = kFirst == 0 ? -T::kOffset : 0, kOff1 = kFirst + kCount == 8 ? -T::kOffset : 0;
  ForEach<kN>([&](auto j) __attribute__((always_inline)) {
    const typename V::I start = T::kOffset == 0 ? V::ZeroI() : WeighSums<V>(a.sums + b * kN + j, kOff0, kOff1);
    ForEach<kTiles>([&](auto t) __attribute__((always_inline)) { dots->v[t][j] = start; });
  });
  ForEach<kCount>([&](auto i) __attribute__((always_inline)) {
    // With all eight, low and high nibbles of the same bytes follow each other.
    constexpr int kStep = kCount == 8 ? i.value / 2 + i.value % 2 * 4 : kFirst + i.value;
    typename V::I w[kTiles];
    ForEach<kTiles>([&](auto t) __attribute__((always_inline)) { w[t] = Weights<V, T>(codes[t], kStep); });
    ForEach<kN>([&](auto j) __attribute__((always_inline)) {
      const typename V::I x = V::BroadcastI(a.q + (b * kN + j) * 32 + 4 * kStep);
      ForEach<kTiles>([&](auto t) __attribute__((always_inline)) {
        dots->v[t][j] = V::Dpbusd(dots->v[t][j], w[t], x);
      });
    });
  });
}

// maddubs: the same without the start, each madd by `scale` (16 bits in both halves; 1 where there are no inner scales).
template <class V, class T, int kN, int kFirst, int kCount>
TT_INLINE void MaddubsSteps(const uint8_t* codes, const MicroArgs& a, size_t b, typename V::I scale, typename V::I* dots) {
  typename V::I sum16[kN];
  ForEach<kCount>([&](auto i) __attribute__((always_inline)) {
    constexpr int kStep = kCount == 8 ? i.value / 2 + i.value % 2 * 4 : kFirst + i.value;
    typename V::I w = Weights<V, T>(codes, kStep);
    if constexpr (T::kWide) w = V::XorI(w, V::SetI(static_cast<int32_t>(0x80808080u)));  // signed
    const typename V::I magnitude = T::kWide ? V::SignI8(w, w) : w;
    ForEach<kN>([&](auto j) __attribute__((always_inline)) {
      typename V::I x = V::BroadcastI(a.q + (b * kN + j) * 32 + 4 * kStep);
      if constexpr (T::kWide) x = V::SignI8(x, w);
      const typename V::I product = V::Maddubs(magnitude, x);
      sum16[j] = i.value % T::kSteps == 0 ? product : V::AddI16(sum16[j], product);
      if constexpr ((i.value + 1) % T::kSteps == 0 || i.value + 1 == kCount) {
        dots[j] = V::AddI(dots[j], V::MaddI16(sum16[j], scale));
      }
    });
  });
}

// float(I) of one block, exact (|I| < 2^24).
template <class V, class T, int kTiles, int kN>
TT_INLINE void IntegerParts(const uint8_t* const* codes, const MicroArgs& a, size_t b,
                            const TileScales<V, kTiles>& scales, Sums<V, kTiles, kN>* out) {
  Dots<V, kTiles, kN> dots;
  if constexpr (V::kHasDpbusd && !T::kTwoScales) {
    DpbusdSteps<V, T, kTiles, kN, 0, 8>(codes, a, b, &dots);
    ForEach<kTiles>([&](auto t) __attribute__((always_inline)) {
      ForEach<kN>([&](auto j) __attribute__((always_inline)) { out->v[t][j] = V::ToFloat(dots.v[t][j]); });
    });
  } else if constexpr (V::kHasDpbusd) {
    DpbusdSteps<V, T, kTiles, kN, 0, 4>(codes, a, b, &dots);
    ForEach<kTiles>([&](auto t) __attribute__((always_inline)) {
      ForEach<kN>([&](auto j) __attribute__((always_inline)) {
        out->v[t][j] = V::Mul(scales.v[t].s0, V::ToFloat(dots.v[t][j]));
      });
    });
    DpbusdSteps<V, T, kTiles, kN, 4, 4>(codes, a, b, &dots);
    ForEach<kTiles>([&](auto t) __attribute__((always_inline)) {
      ForEach<kN>([&](auto j) __attribute__((always_inline)) {
        out->v[t][j] = V::Fma(scales.v[t].s1, V::ToFloat(dots.v[t][j]), out->v[t][j]);
      });
    });
  } else {
    ForEach<kTiles>([&](auto t) __attribute__((always_inline)) {
      typename V::I* d = dots.v[t];
      ForEach<kN>([&](auto j) __attribute__((always_inline)) { d[j] = V::ZeroI(); });
      if constexpr (T::kTwoScales) {
        MaddubsSteps<V, T, kN, 0, 4>(codes[t], a, b, scales.v[t].s0, d);
        MaddubsSteps<V, T, kN, 4, 4>(codes[t], a, b, scales.v[t].s1, d);
        if constexpr (T::kOffset != 0) {
          // s0 * (offset S0) + s1 * (offset S1): both fit 16 bits, so one madd has both products.
          const typename V::I low = V::AndI(scales.v[t].s0, V::SetI(0xffff));
          const typename V::I high = V::AndI(scales.v[t].s1, V::SetI(static_cast<int32_t>(0xffff0000u)));
          const typename V::I both = V::OrI(low, high);
          ForEach<kN>([&](auto j) __attribute__((always_inline)) {
            const typename V::I excess = V::MaddI16(both, V::BroadcastI(a.sums + b * kN + j));
            constexpr int kShift = T::kOffset == 4 ? 2 : 5;
            static_assert(1 << kShift == T::kOffset);
            d[j] = V::SubI(d[j], V::template ShiftLeft<kShift>(excess));
          });
        }
      } else {
        MaddubsSteps<V, T, kN, 0, 8>(codes[t], a, b, V::SetI16(1), d);
        if constexpr (!T::kWide && T::kOffset != 0) {
          ForEach<kN>([&](auto j) __attribute__((always_inline)) {
            d[j] = V::AddI(d[j], WeighSums<V>(a.sums + b * kN + j, -T::kOffset, -T::kOffset));
          });
        }
      }
      ForEach<kN>([&](auto j) __attribute__((always_inline)) { out->v[t][j] = V::ToFloat(d[j]); });
    });
  }
}

// The two or three lines of section 2 for one block and the row of activations at `at`.
template <class V, class T>
TT_INLINE typename V::F FloatLine(const MicroArgs& a, size_t at, typename V::F dx, const BlockScales<V>& s, typename V::F ints,
                                  typename V::F acc) {
  acc = V::Fma(V::Mul(s.a, dx), ints, acc);
  if constexpr (T::kScales == Scales::kHalfMin) acc = V::Fma(s.m, V::Broadcast(a.dx_sum + at), acc);
  if constexpr (T::kScales == Scales::kSubMin) acc = V::Fnma(s.m, V::Broadcast(a.dx_sum + at), acc);
  if constexpr (T::kScales == Scales::kTwoMin) {
    const typename V::I mins = V::MaddI16(s.mins, V::BroadcastI(a.sums + at));
    acc = V::Fnma(V::Mul(s.m, dx), V::ToFloat(mins), acc);
  }
  return acc;
}

// The same for all tiles and rows.
template <class V, class T, int kTiles, int kN, class Out>
TT_INLINE void FloatLines(const MicroArgs& a, size_t b, const TileScales<V, kTiles>& scales,
                          const Sums<V, kTiles, kN>& ints, Out* sums) {
  ForEach<kN>([&](auto j) __attribute__((always_inline)) {
    const size_t at = b * kN + static_cast<size_t>(j.value);
    const typename V::F dx = V::Broadcast(a.dx + at);
    ForEach<kTiles>([&](auto t) __attribute__((always_inline)) {
      sums->Set(t, j, FloatLine<V, T>(a, at, dx, scales.v[t], ints.v[t][j], sums->Get(t, j)));
    });
  });
}

// Block b of the tiles, whose super-block lies at `at` in each tile and whose own bytes at `sub`.
template <class V, class T, int kTiles, int kN, bool kFromPanel, bool kPrefetch, class Out>
TT_INLINE void OneBlock(const MicroArgs& a, size_t b, size_t at, size_t sub, Out* sums) {
  TileScales<V, kTiles> scales;
  const uint8_t* codes[kTiles];
  ForEach<kTiles>([&](auto t) __attribute__((always_inline)) {
    const uint8_t* base = a.tile[t];
    codes[t] = base + sub + T::kSub;
    if constexpr (kFromPanel) {
      scales.v[t] = LoadPanel<V, T>(a.panel[t] + b * PanelFields<T>::kBytes);
    } else {
      scales.v[t] = ReadScales<V, T>(base + at, base + sub);
    }
    if (kPrefetch && a.asks) {
      ForEach<static_cast<int>((T::kCodeBytes + T::kSub + T::kHeader / T::kBlocksPerSuper + 63) / 64)>(
          [&](auto line) __attribute__((always_inline)) { V::Prefetch(a.next[t] + sub + T::kSub + 64 * line); });
    }
  });
  Sums<V, kTiles, kN> ints;
  IntegerParts<V, T, kTiles, kN>(codes, a, b, scales, &ints);
  FloatLines<V, T, kTiles, kN>(a, b, scales, ints, sums);
  sums->EndOfBlock();
}

template <class V, class T, int kTiles, int kN, bool kFromPanel, bool kPrefetch>
__attribute__((noinline)) void Micro(const MicroArgs& args) {
  const MicroArgs a = args;
  SumsOf<V, kTiles, kN> sums(a.acc, a.carries);
  size_t at = 0;  // of the super-block in its tile
  for (size_t b = 0; b < a.blocks; at += T::kSuperBytes) {
    size_t sub = at + T::kHeader;
    for (size_t i = 0; i < T::kBlocksPerSuper; ++i, ++b, sub += T::kSub + T::kCodeBytes) {
      OneBlock<V, T, kTiles, kN, kFromPanel, kPrefetch>(a, b, at, sub, &sums);
    }
  }
  sums.End(a.acc);
}

}  // namespace
}  // namespace teetee::ops::cpu
