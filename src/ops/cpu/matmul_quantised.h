// Products of quantised weights over the tiles of tile.h, as templates over the lanes V: passes over K, groups of activations.
// For the translation units of an instruction set only.
#pragma once

#include "ops/cpu/matmul_amx.h"

namespace teetee::ops::cpu {
namespace {

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
      if constexpr (V::kHasTiles) {
        return TileMicros<V, T>(rows, a);
      } else if constexpr (V::kMatMulRows > 4) {
        return Micro<V, T, kTiles, V::kMatMulRows, kFromPanel, true>(a);
      }
  }
}

// The most blocks of K that one pass covers when several groups of activations come by: its weights, at most 139 KB a tile, or
// their codes as bytes, 32 KB a tile, stay in the second-level cache; sums that need another pass rest in y.
template <class V>
constexpr size_t kPassBlocks = V::kHasTiles ? 64 : 256;
constexpr size_t kMostBlocksPerSuper = 8;

// So many groups ask for what the next pass needs: a processor drops some of what it is asked for while it is busy.
template <class V>
constexpr size_t kAskingGroups = V::kHasTiles ? 1 : 2;

// Passes of equal length, but for whole super-blocks.
template <class V>
size_t BlocksPerPass(size_t blocks) {
  const size_t passes = (blocks - 1) / kPassBlocks<V> + 1;
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
  static constexpr bool kFromPanel = (T::kPanel || V::kHasTiles) && kStreams == 1;
  static constexpr bool kCodePanel = kFromPanel && V::kHasTiles && T::kCodes != Codes::kSigned;

  const MatMulArgs& args;
  MicroArgs micro{};
  alignas(64) float acc[kTiles * static_cast<size_t>(V::kMatMulRows) * 16] = {};
  alignas(64) uint8_t panel[kFromPanel ? kTiles * kPassBlocks<V> * PanelFields<T>::kBytes : 64];
  alignas(64) int8_t codes[kCodePanel ? kTiles * kPassBlocks<V> * kTileCodeBytes : 64];
  size_t shape = 0;  // rows that the tiles of AMX are configured for

  explicit Pass(const MatMulArgs& a) : args(a) {}
  ~Pass() {
    if constexpr (V::kHasTiles) {
      if (shape != 0) V::ReleaseTiles();
    }
  }

  // For groups of so many rows.
  void Configure(size_t rows) {
    if (rows < kLeastTileRows || rows == shape) return;
    V::ConfigureTiles(static_cast<int>(rows), T::kTwoScales ? 16 : 32);
    shape = rows;
  }

  const uint8_t* TileAt(size_t first, size_t t) const {
    const size_t tile = first + t < args.n_tiles ? first + t : first;  // computed twice where one is left over
    return args.tiles + tile * args.tile_bytes;
  }

  void DecodePanel(size_t t, size_t count) {
    uint8_t* out = panel + t * kPassBlocks<V> * PanelFields<T>::kBytes;
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

  // Codes that are no signed bytes as they lie there.
  void DecodeCodes(size_t t, size_t count) {
    micro.codes[t] = reinterpret_cast<const int8_t*>(micro.tile[t] + T::kHeader);
    if constexpr (kCodePanel) {
      int8_t* out = codes + t * kPassBlocks<V> * kTileCodeBytes;
      micro.codes[t] = out;
      const uint8_t* sub = micro.tile[t];
      for (size_t b = 0; b < count; ++b, sub += T::kSub + T::kCodeBytes, out += kTileCodeBytes) {
        if (b % T::kBlocksPerSuper == 0) sub += T::kHeader;
        SignedCodes<V, T>(sub + T::kSub, out);
      }
    }
  }

  float* SumsAt(size_t tile, size_t row) const { return args.y + row * args.y_stride + tile * kTileRows; }

  // Rows [row, row + size) of the tiles will be stored to y, into lines that lie a page apart, and are no longer in a cache.
  void AskForSums(size_t first, size_t row, size_t size) const {
    for (size_t t = 0; t < kTiles && first + t < args.n_tiles; ++t) {
      for (size_t j = 0; j < size && row + j < args.n; ++j) V::Prefetch(SumsAt(first + t, row + j));
    }
  }

  // The same rows between y and acc. What is padding stays out of y, and holds any number in acc.
  template <bool kToY>
  void MoveSums(size_t first, size_t row, size_t size) {
    for (size_t t = 0; t < kTiles && first + t < args.n_tiles; ++t) {
      const size_t left = args.rows - (first + t) * kTileRows;
      const size_t bytes = (left < kTileRows ? left : size_t{kTileRows}) * sizeof(float);
      for (size_t j = 0; j < size && row + j < args.n; ++j) {
        float* y = SumsAt(first + t, row + j);
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
    if (IsOneGroup<V>(args) && !V::kHasTiles) return micro.tile[t] + V::kBytesAhead;
    return first + kTiles < args.n_tiles ? PassAt(first + kTiles, t, begin) : PassAt(0, t, begin + count);
  }

  template <bool kUsePanel>
  void Run(size_t first, size_t begin, size_t count) {
    for (size_t t = 0; t < kTiles; ++t) {
      micro.tile[t] = PassAt(first, t, begin);
      micro.next[t] = NextPass(first, t, begin, count);
      if constexpr (kUsePanel) DecodePanel(t, count);
      if constexpr (kUsePanel && V::kHasTiles) DecodeCodes(t, count);
    }
    const size_t blocks = args.k / 32;
    micro.blocks = count;
    micro.carries = begin != 0;
    micro.acc = acc;
    size_t group = 0;  // padded rows before this group
    for (size_t row = 0; row < args.n;) {
      const size_t size = GroupSize(args.n_grouped - row, static_cast<size_t>(V::kMatMulRows));
      const size_t at = group * blocks + begin * size;
      micro.q = args.q + 32 * at;
      micro.dx = args.dx + at;
      micro.dx_sum = args.dx_sum + at;
      micro.sums = args.sums + at;
      micro.asks = row < kAskingGroups<V> * static_cast<size_t>(V::kMatMulRows);
      if constexpr (kUsePanel && V::kHasTiles) Configure(size);
      if (begin == 0) AskForSums(first, row, size);
      else MoveSums<false>(first, row, size);
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
  if constexpr (!V::kHasTiles) {
    if (args.n_grouped == 1) return OneGroup<V, T, V::kStreams>(args);
    if (IsOneGroup<V>(args)) return OneGroup<V, T, 1>(args);
  }
  Pass<V, T, 1> pass(args);
  const size_t each = BlocksPerPass<V>(blocks);
  for (size_t begin = 0; begin < blocks; begin += each) {
    const size_t count = blocks - begin < each ? blocks - begin : each;
    for (size_t first = 0; first < args.n_tiles; first += pass.kTiles) {
      pass.template Run<pass.kFromPanel>(first, begin, count);
    }
  }
}

// The types with one scale per 32 weights. kOthers takes the rest.
template <class V, void (*kOthers)(const MatMulArgs&)>
void MatMulBlocks(const MatMulArgs& args) {
  switch (args.dtype) {
    case DType::kQ8_0:
      return MatMulQuantised<V, Q8_0>(args);
    case DType::kQ4_0:
      return MatMulQuantised<V, Q4_0>(args);
    case DType::kQ4_1:
      return MatMulQuantised<V, Q4_1>(args);
    case DType::kQ5_0:
      return MatMulQuantised<V, Q5_0>(args);
    case DType::kQ5_1:
      return MatMulQuantised<V, Q5_1>(args);
    case DType::kIQ4_NL:
      return MatMulQuantised<V, IQ4_NL>(args);
    case DType::kMXFP4:
      return MatMulQuantised<V, MXFP4>(args);
    default:
      return kOthers(args);
  }
}

// The types with super-blocks of 256 weights. kOthers takes the rest.
template <class V, void (*kOthers)(const MatMulArgs&)>
void MatMulSuperBlocks(const MatMulArgs& args) {
  switch (args.dtype) {
    case DType::kQ2_K:
      return MatMulQuantised<V, Q2_K>(args);
    case DType::kQ3_K:
      return MatMulQuantised<V, Q3_K>(args);
    case DType::kQ4_K:
      return MatMulQuantised<V, Q4_K>(args);
    case DType::kQ5_K:
      return MatMulQuantised<V, Q5_K>(args);
    case DType::kQ6_K:
      return MatMulQuantised<V, Q6_K>(args);
    case DType::kIQ4_XS:
      return MatMulQuantised<V, IQ4_XS>(args);
    default:
      return kOthers(args);
  }
}

}  // namespace
}  // namespace teetee::ops::cpu
