// Products of quantised weights over the tiles of tile.h, as templates over the lanes V. A vector runs across 16 output rows, so
// each output element keeps its own chain in the order of numerics.md section 2. For the translation units of an instruction
// set only.
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
  const int8_t* q;  // (blocks, kN, 32); the other fields (blocks, kN)
  const float* dx;
  const float* dx_sum;
  const int32_t* sums;
  size_t blocks;
  float* acc;  // (tiles, kN, 16), carried from one panel of K to the next
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

  TT_INLINE explicit SumsOf(const float* acc) {
    ForEach<kTiles * kN>([&](auto i) __attribute__((always_inline)) { sum.v[i / kN][i % kN] = V::Load(acc + 16 * i); });
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

  TT_INLINE explicit SumsOf(float* at) : acc(at) {}
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

// The two or three lines of section 2 for one block, added to the sums at `sums`.
template <class V, class T, int kTiles, int kN, class Out>
TT_INLINE void FloatLines(const MicroArgs& a, size_t b, const TileScales<V, kTiles>& scales,
                          const Sums<V, kTiles, kN>& ints, Out* sums) {
  ForEach<kN>([&](auto j) __attribute__((always_inline)) {
    const size_t at = b * kN + static_cast<size_t>(j.value);
    const typename V::F dx = V::Broadcast(a.dx + at);
    ForEach<kTiles>([&](auto t) __attribute__((always_inline)) {
      const BlockScales<V>& s = scales.v[t];
      typename V::F acc = sums->Get(t, j);
      acc = V::Fma(V::Mul(s.a, dx), ints.v[t][j], acc);
      if constexpr (T::kScales == Scales::kHalfMin) acc = V::Fma(s.m, V::Broadcast(a.dx_sum + at), acc);
      if constexpr (T::kScales == Scales::kSubMin) acc = V::Fnma(s.m, V::Broadcast(a.dx_sum + at), acc);
      if constexpr (T::kScales == Scales::kTwoMin) {
        const typename V::I mins = V::MaddI16(s.mins, V::BroadcastI(a.sums + at));
        acc = V::Fnma(V::Mul(s.m, dx), V::ToFloat(mins), acc);
      }
      sums->Set(t, j, acc);
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
    if constexpr (kPrefetch) {
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
  SumsOf<V, kTiles, kN> sums(a.acc);
  size_t at = 0;  // of the super-block in its tile
  for (size_t b = 0; b < a.blocks; at += T::kSuperBytes) {
    size_t sub = at + T::kHeader;
    for (size_t i = 0; i < T::kBlocksPerSuper; ++i, ++b, sub += T::kSub + T::kCodeBytes) {
      OneBlock<V, T, kTiles, kN, kFromPanel, kPrefetch>(a, b, at, sub, &sums);
    }
  }
  sums.End(a.acc);
}

// `rows` is the size of a group. A single row may read V::kStreams times as many tiles in turn, and then asks for nothing.
template <class V, class T, int kStreams, bool kFromPanel>
void AnyMicro(size_t rows, const MicroArgs& a) {
  constexpr int kTiles = V::kMatMulTiles;
  if constexpr (kStreams > 1) return Micro<V, T, kStreams * kTiles, 1, false, false>(a);
  switch (rows) {
    case 1:
      return Micro<V, T, kTiles, 1, kFromPanel, true>(a);
    case 2:
      return Micro<V, T, kTiles, 2, kFromPanel, true>(a);
    case 4:
      return Micro<V, T, kTiles, 4, kFromPanel, true>(a);
    default:
      if constexpr (V::kMatMulRows > 4) return Micro<V, T, kTiles, V::kMatMulRows, kFromPanel, true>(a);
  }
}

// The most blocks of K that one pass covers when several groups of activations come by: its weights, at most 139 KB a tile, stay
// in the second-level cache; sums that need another pass rest in y.
constexpr size_t kPassBlocks = 256;
constexpr size_t kMostBlocksPerSuper = 8;
// How far ahead one group of rows asks for weights: the latency of memory at the speed of one core.
constexpr size_t kPrefetchBytes = 1536;

// Passes of equal length, but for whole super-blocks.
inline size_t BlocksPerPass(size_t blocks) {
  const size_t passes = (blocks - 1) / kPassBlocks + 1;
  const size_t supers = (blocks - 1) / (passes * kMostBlocksPerSuper) + 1;
  return supers * kMostBlocksPerSuper;
}

template <class V>
bool IsOneGroup(const MatMulArgs& args) {
  return args.n <= GroupSize(args.n_grouped, static_cast<size_t>(V::kMatMulRows));
}

// The groups of activations over blocks [begin, begin + count) and kTiles tiles from `first` on.
template <class V, class T, int kStreams>
struct Pass {
  static constexpr size_t kTiles = static_cast<size_t>(kStreams * V::kMatMulTiles);
  static_assert(kTiles <= kMostTiles);
  static constexpr bool kFromPanel = T::kPanel && kStreams == 1;

  const MatMulArgs& args;
  MicroArgs micro{};
  alignas(64) float acc[kTiles * static_cast<size_t>(V::kMatMulRows) * 16];
  alignas(64) uint8_t panel[kFromPanel ? kTiles * kPassBlocks * PanelFields<T>::kBytes : 64];

  explicit Pass(const MatMulArgs& a) : args(a) {}

  const uint8_t* TileAt(size_t first, size_t t) const {
    const size_t tile = first + t < args.n_tiles ? first + t : first;  // computed twice where one is left over
    return args.tiles + tile * args.tile_bytes;
  }

  void DecodePanel(size_t t, size_t count) {
    uint8_t* out = panel + t * kPassBlocks * PanelFields<T>::kBytes;
    micro.panel[t] = out;
    const uint8_t* super = micro.tile[t];
    for (size_t b = 0; b < count; super += T::kSuperBytes) {
      const uint8_t* sub = super + T::kHeader;
      for (size_t i = 0; i < T::kBlocksPerSuper; ++i, ++b, sub += T::kSub + T::kCodeBytes) {
        StorePanel<V, T>(ReadScales<V, T>(super, sub), out);
        out += PanelFields<T>::kBytes;
      }
    }
  }

  // Rows [row, row + size) of tile t between y and acc; what is padding stays out of y.
  template <bool kToY>
  void MoveSums(size_t first, size_t row, size_t size) {
    for (size_t t = 0; t < kTiles && first + t < args.n_tiles; ++t) {
      const size_t left = args.rows - (first + t) * kTileRows;
      const size_t bytes = (left < kTileRows ? left : size_t{kTileRows}) * sizeof(float);
      for (size_t j = 0; j < size && row + j < args.n; ++j) {
        float* y = args.y + (row + j) * args.y_stride + (first + t) * kTileRows;
        float* a = acc + (t * size + j) * 16;
        if (bytes == 64) {
          V::Store(kToY ? y : a, V::Load(kToY ? a : y));
        } else {
          memcpy(kToY ? y : a, kToY ? a : y, bytes);
        }
      }
    }
  }

  const uint8_t* PassAt(size_t first, size_t t, size_t begin) const {
    return TileAt(first, t) + begin / T::kBlocksPerSuper * T::kSuperBytes;
  }

  // What comes after the pass over these blocks: the next tiles, or the next blocks of the first ones. One group of rows makes
  // no passes and asks a fixed way ahead.
  const uint8_t* NextPass(size_t first, size_t t, size_t begin, size_t count) const {
    if (IsOneGroup<V>(args)) return micro.tile[t] + kPrefetchBytes;
    return first + kTiles < args.n_tiles ? PassAt(first + kTiles, t, begin) : PassAt(0, t, begin + count);
  }

  template <bool kUsePanel>
  void Run(size_t first, size_t begin, size_t count) {
    for (size_t t = 0; t < kTiles; ++t) {
      micro.tile[t] = PassAt(first, t, begin);
      micro.next[t] = NextPass(first, t, begin, count);
      if constexpr (kUsePanel) DecodePanel(t, count);
    }
    const size_t blocks = args.k / 32;
    micro.blocks = count;
    micro.acc = acc;
    size_t group = 0;  // padded rows before this group
    for (size_t row = 0; row < args.n;) {
      const size_t size = GroupSize(args.n_grouped - row, static_cast<size_t>(V::kMatMulRows));
      const size_t at = group * blocks + begin * size;
      micro.q = args.q + 32 * at;
      micro.dx = args.dx + at;
      micro.dx_sum = args.dx_sum + at;
      micro.sums = args.sums + at;
      memset(acc, 0, kTiles * size * 64);
      if (begin != 0) MoveSums<false>(first, row, size);
      AnyMicro<V, T, kStreams, kUsePanel>(size, micro);
      MoveSums<true>(first, row, size);
      row += size;
      group += size;
    }
  }
};

// Each weight is read once.
template <class V, class T, int kStreams>
void OneGroup(const MatMulArgs& args) {
  Pass<V, T, kStreams> pass(args);
  for (size_t first = 0; first < args.n_tiles; first += pass.kTiles) pass.template Run<false>(first, 0, args.k / 32);
}

template <class V, class T>
void MatMulQuantised(const MatMulArgs& args) {
  const size_t blocks = args.k / 32;
  if (args.n_grouped == 1) return OneGroup<V, T, V::kStreams>(args);
  if (IsOneGroup<V>(args)) return OneGroup<V, T, 1>(args);
  Pass<V, T, 1> pass(args);
  const size_t each = BlocksPerPass(blocks);
  for (size_t begin = 0; begin < blocks; begin += each) {
    const size_t count = blocks - begin < each ? blocks - begin : each;
    for (size_t first = 0; first < args.n_tiles; first += pass.kTiles) {
      pass.template Run<pass.kFromPanel>(first, begin, count);
    }
  }
}

}  // namespace
}  // namespace teetee::ops::cpu
