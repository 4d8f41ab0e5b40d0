// AVX2: products over the tiles of tile.h. One vector holds the same columns of 8 rows (quantised) or 32 rows (float), so each
// output element keeps its own chain in the order of numerics.md sections 2 and 3.
#if defined(__x86_64__)

#include <immintrin.h>

#include "ops/cpu/avx2_kernels.h"
#include "ops/cpu/tile.h"

namespace teetee::ops::cpu {
namespace {

// A quantised type as the inner loop sees it. `Steps`: how many maddubs results, each the sum of two products, fit 16 bits
// together (numerics.md section 2, "How each ISA gets the exact I").
template <Codes C, Scales S, int Offset, int Steps, int BlocksPerSuper, bool IsMxfp4 = false>
struct Type {
  static constexpr Codes kCodes = C;
  static constexpr Scales kScales = S;
  static constexpr int kOffset = Offset;
  static constexpr int kSteps = Steps;
  static constexpr size_t kBlocksPerSuper = BlocksPerSuper;
  static constexpr bool kMxfp4 = IsMxfp4;
  static constexpr bool kTwoScales = S == Scales::kTwo || S == Scales::kTwoMin;
  static constexpr bool kMin = S == Scales::kHalfMin || S == Scales::kSubMin;
  static constexpr bool kHasD = S != Scales::kExponent;
  static constexpr bool kHasM = kMin || S == Scales::kTwoMin;
  static constexpr size_t kHeader = (size_t{kHasD} + size_t{kHasM}) * 16;
  static constexpr size_t kSub = S == Scales::kHalf || S == Scales::kHalfMin         ? 0
                                 : S == Scales::kSub || S == Scales::kExponent       ? 8
                                 : S == Scales::kTwoMin                              ? 32
                                                                                     : 16;
  static constexpr size_t kCodeBytes = C == Codes::kNibble || C == Codes::kTable ? 128 : 256;
  static constexpr bool kIsSigned = C == Codes::kSigned || C == Codes::kTable;
};

__m256i Load(const uint8_t* p) { return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)); }
__m256 LoadHalves(const uint8_t* p) {
  return _mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
}
__m256i LoadSigned(const uint8_t* p) {
  return _mm256_cvtepi8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(p)));
}
__m256i LoadUnsigned(const uint8_t* p) {
  return _mm256_cvtepu8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(p)));
}
// Four activations, for all 8 rows.
__m256i Broadcast4(const int8_t* q) {
  int32_t v;
  __builtin_memcpy(&v, q, 4);
  return _mm256_set1_epi32(v);
}

// Weights of columns 4t..4t+3, 4 bytes per row.
template <class T>
inline __attribute__((always_inline)) __m256i Weights(const uint8_t* codes, int t) {
  if constexpr (T::kCodes == Codes::kSigned || T::kCodes == Codes::kByte) return Load(codes + 32 * t);
  const __m256i low_mask = _mm256_set1_epi8(15);
  __m256i v = Load(codes + 32 * (t % 4));
  if (t >= 4) v = _mm256_srli_epi16(v, 4);
  v = _mm256_and_si256(v, low_mask);
  if constexpr (T::kCodes == Codes::kTable) {
    const __m128i table =
        T::kMxfp4 ? _mm_setr_epi8(0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12)
                  : _mm_setr_epi8(-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69,
                                  89, 113);
    v = _mm256_shuffle_epi8(_mm256_broadcastsi128_si256(table), v);
  }
  return v;
}

// out[j] += the integer dot products of steps [kFirst, kFirst + 4) or, with kAll, of all eight, times `scale16` (16 bits in
// both lanes of a row; 1 where there are no inner scales).
template <class T, int kRows, bool kAll>
inline __attribute__((always_inline)) void AddDots(const uint8_t* codes, const int8_t* const* q,
                                                   int first, __m256i scale16, __m256i* out) {
  constexpr int kCount = kAll ? 8 : 4;
  __m256i sum16[kRows];
#pragma GCC unroll 8
  for (int i = 0; i < kCount; ++i) {
    // With all eight, low and high nibbles of the same bytes follow each other.
    const int t = kAll ? i / 2 + i % 2 * 4 : first + i;
    const __m256i w = Weights<T>(codes, t);
    const __m256i magnitude = T::kIsSigned ? _mm256_sign_epi8(w, w) : w;
#pragma GCC unroll 4
    for (int j = 0; j < kRows; ++j) {
      __m256i x = Broadcast4(q[j] + 4 * t);
      if constexpr (T::kIsSigned) x = _mm256_sign_epi8(x, w);
      const __m256i product = _mm256_maddubs_epi16(magnitude, x);
      sum16[j] = i % T::kSteps == 0 ? product : _mm256_add_epi16(sum16[j], product);
      if ((i + 1) % T::kSteps == 0 || i + 1 == kCount) {
        out[j] = _mm256_add_epi32(out[j], _mm256_madd_epi16(sum16[j], scale16));
      }
    }
  }
}

// Both 16-bit halves of each 32-bit lane: low | high << 16.
__m256i Pair16(__m256i low, __m256i high) {
  return _mm256_or_si256(_mm256_and_si256(low, _mm256_set1_epi32(0xffff)),
                         _mm256_slli_epi32(high, 16));
}

__m256i PairOfSums(const int32_t* sums) {
  return _mm256_set1_epi32((sums[0] & 0xffff) | static_cast<int32_t>(static_cast<uint32_t>(sums[1]) << 16));
}

// 2^(e-128), exact for e = 0 and 1 too, which are subnormal.
__m256 ExponentScale(const uint8_t* p) {
  const __m256i e = LoadUnsigned(p);
  const __m256i normal = _mm256_slli_epi32(_mm256_sub_epi32(e, _mm256_set1_epi32(1)), 23);
  const __m256i subnormal = _mm256_sllv_epi32(_mm256_set1_epi32(1 << 21), e);
  const __m256i is_normal = _mm256_cmpgt_epi32(e, _mm256_set1_epi32(1));
  return _mm256_castsi256_ps(_mm256_blendv_epi8(subnormal, normal, is_normal));
}

// What the float lines of one block need, for 8 rows.
struct BlockScales {
  __m256 a;
  __m256 m;       // minimum (kHalfMin), negated minimum (kSubMin), h(dmin) (kTwoMin)
  __m256i s0, s1; // two scales, 32 bits each
  __m256i mins;   // kTwoMin: m0 | m1 << 16
};

template <class T>
inline __attribute__((always_inline)) BlockScales ReadScales(const uint8_t* super,
                                                             const uint8_t* sub) {
  BlockScales s{};
  if constexpr (T::kHasD) s.a = LoadHalves(super);
  if constexpr (T::kHasM) s.m = LoadHalves(super + 16);
  if constexpr (T::kScales == Scales::kExponent) s.a = ExponentScale(sub);
  if constexpr (T::kScales == Scales::kSub || T::kScales == Scales::kSubMin) {
    s.a = _mm256_mul_ps(s.a, _mm256_cvtepi32_ps(LoadSigned(sub)));
  }
  if constexpr (T::kScales == Scales::kSubMin) {
    s.m = _mm256_mul_ps(s.m, _mm256_cvtepi32_ps(LoadSigned(sub + 8)));
  }
  if constexpr (T::kTwoScales) {
    s.s0 = LoadSigned(sub);
    s.s1 = LoadSigned(sub + 8);
  }
  if constexpr (T::kScales == Scales::kTwoMin) {
    s.mins = Pair16(LoadSigned(sub + 16), LoadSigned(sub + 24));
  }
  return s;
}

// The exact I of one block for 8 rows and kRows activation vectors.
template <class T, int kRows>
inline __attribute__((always_inline)) void IntegerDots(const uint8_t* codes,
                                                       const BlockScales& scales,
                                                       const int8_t* const* q,
                                                       const int32_t* const* sums, __m256i* dots) {
#pragma GCC unroll 4
  for (int j = 0; j < kRows; ++j) dots[j] = _mm256_setzero_si256();
  if constexpr (!T::kTwoScales) {
    AddDots<T, kRows, true>(codes, q, 0, _mm256_set1_epi16(1), dots);
    if constexpr (T::kOffset != 0) {
#pragma GCC unroll 4
      for (int j = 0; j < kRows; ++j) {
        const int32_t excess = T::kOffset * (sums[j][0] + sums[j][1]);
        dots[j] = _mm256_sub_epi32(dots[j], _mm256_set1_epi32(excess));
      }
    }
  } else {
    AddDots<T, kRows, false>(codes, q, 0, Pair16(scales.s0, scales.s0), dots);
    AddDots<T, kRows, false>(codes, q, 4, Pair16(scales.s1, scales.s1), dots);
    if constexpr (T::kOffset != 0) {
      // offset * (s0 * S0 + s1 * S1): the sums of 16 activations fit 16 bits, so one madd has both products.
      const __m256i both = Pair16(scales.s0, scales.s1);
#pragma GCC unroll 4
      for (int j = 0; j < kRows; ++j) {
        const __m256i excess = _mm256_madd_epi16(both, PairOfSums(sums[j]));
        dots[j] = _mm256_sub_epi32(dots[j], _mm256_mullo_epi32(excess, _mm256_set1_epi32(T::kOffset)));
      }
    }
  }
}

// 8 rows times kRows activation vectors, over all of K.
template <class T, int kRows>
void Tile(const MatMulArgs& args, const uint8_t* tile, size_t first_vector, __m256* acc) {
  const size_t blocks = args.k / 32;
  const int8_t* q[kRows];
  const int32_t* sums[kRows];
  const float* dx[kRows];
  const float* dx_sum[kRows];
  __m256 sum[kRows];
#pragma GCC unroll 4
  for (int j = 0; j < kRows; ++j) {
    const size_t at = (first_vector + static_cast<size_t>(j)) * blocks;
    q[j] = args.q + 32 * at;
    sums[j] = args.sums + 2 * at;
    dx[j] = args.dx + at;
    dx_sum[j] = args.dx_sum + at;
    sum[j] = _mm256_setzero_ps();
  }
  for (size_t b = 0; b < blocks;) {
    const uint8_t* super = tile;
    tile += T::kHeader;
    for (size_t i = 0; i < T::kBlocksPerSuper; ++i, ++b) {
      const BlockScales scales = ReadScales<T>(super, tile);
      __m256i dots[kRows];
      IntegerDots<T, kRows>(tile + T::kSub, scales, q, sums, dots);
      tile += T::kSub + T::kCodeBytes;
#pragma GCC unroll 4
      for (int j = 0; j < kRows; ++j) {
        const __m256 dx8 = _mm256_broadcast_ss(dx[j] + b);
        const __m256 s = _mm256_mul_ps(scales.a, dx8);
        sum[j] = _mm256_fmadd_ps(s, _mm256_cvtepi32_ps(dots[j]), sum[j]);
        if constexpr (T::kScales == Scales::kHalfMin) {
          sum[j] = _mm256_fmadd_ps(scales.m, _mm256_broadcast_ss(dx_sum[j] + b), sum[j]);
        }
        if constexpr (T::kScales == Scales::kSubMin) {
          sum[j] = _mm256_fnmadd_ps(scales.m, _mm256_broadcast_ss(dx_sum[j] + b), sum[j]);
        }
        if constexpr (T::kScales == Scales::kTwoMin) {
          const __m256i mins = _mm256_madd_epi16(scales.mins, PairOfSums(sums[j]));
          sum[j] = _mm256_fnmadd_ps(_mm256_mul_ps(scales.m, dx8), _mm256_cvtepi32_ps(mins), sum[j]);
        }
        q[j] += 32;
        sums[j] += 2;
      }
    }
  }
#pragma GCC unroll 4
  for (int j = 0; j < kRows; ++j) acc[j] = sum[j];
}

void StoreRows(__m256 v, size_t rows, float* y) {
  if (rows >= 8) {
    _mm256_storeu_ps(y, v);
    return;
  }
  alignas(32) float out[8];
  _mm256_store_ps(out, v);
  for (size_t r = 0; r < rows; ++r) y[r] = out[r];
}

// kRows activation vectors stay in the first-level cache while all tiles of the task pass by.
template <class T, int kRows>
void Panel(const MatMulArgs& args, size_t first_vector) {
  for (size_t t = 0; t < args.n_tiles; ++t) {
    __m256 acc[kRows];
    Tile<T, kRows>(args, args.tiles + t * args.tile_bytes, first_vector, acc);
    for (int j = 0; j < kRows; ++j) {
      float* y = args.y + (first_vector + static_cast<size_t>(j)) * args.y_stride + t * kTileRows;
      StoreRows(acc[j], args.rows - t * kTileRows, y);
    }
  }
}

template <class T>
void Quantised(const MatMulArgs& args) {
  size_t j = 0;
  for (; j + 4 <= args.n; j += 4) Panel<T, 4>(args, j);
  if (j + 2 <= args.n) {
    Panel<T, 2>(args, j);
    j += 2;
  }
  if (j < args.n) Panel<T, 1>(args, j);
}

template <DType kDType>
inline __attribute__((always_inline)) __m256 LoadFloats(const uint8_t* p) {
  if constexpr (kDType == DType::kF32) return _mm256_loadu_ps(reinterpret_cast<const float*>(p));
  if constexpr (kDType == DType::kF16) return LoadHalves(p);
  const __m128i v = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
  return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(v), 16));
}

template <DType kDType, int kRows>
void FloatPanel(const MatMulArgs& args, size_t first_vector) {
  constexpr size_t kWidth = kDType == DType::kF32 ? 4 : 2;
  for (size_t t = 0; t < args.n_tiles; ++t) {
    const uint8_t* w = args.tiles + t * args.tile_bytes;
    const float* x = args.x + first_vector * args.k;
    __m256 acc[kRows][4];
#pragma GCC unroll 2
    for (int j = 0; j < kRows; ++j) {
#pragma GCC unroll 4
      for (int v = 0; v < 4; ++v) acc[j][v] = _mm256_setzero_ps();
    }
    for (size_t i = 0; i < args.k; ++i, w += kFloatTileRows * kWidth) {
#pragma GCC unroll 4
      for (int v = 0; v < 4; ++v) {
        const __m256 w8 = LoadFloats<kDType>(w + static_cast<size_t>(v) * 8 * kWidth);
#pragma GCC unroll 2
        for (int j = 0; j < kRows; ++j) {
          const __m256 x8 = _mm256_broadcast_ss(x + static_cast<size_t>(j) * args.k + i);
          acc[j][v] = _mm256_fmadd_ps(w8, x8, acc[j][v]);
        }
      }
    }
    for (int j = 0; j < kRows; ++j) {
      float* y = args.y + (first_vector + static_cast<size_t>(j)) * args.y_stride + t * kFloatTileRows;
      for (size_t v = 0; v < 4; ++v) {
        const size_t row = t * kFloatTileRows + 8 * v;
        if (row < args.rows) StoreRows(acc[j][v], args.rows - row, y + 8 * v);
      }
    }
  }
}

template <DType kDType>
void Float(const MatMulArgs& args) {
  size_t j = 0;
  for (; j + 2 <= args.n; j += 2) FloatPanel<kDType, 2>(args, j);
  if (j < args.n) FloatPanel<kDType, 1>(args, j);
}

using Q8_0 = Type<Codes::kSigned, Scales::kHalf, 0, 1, 1>;
using Q4_0 = Type<Codes::kNibble, Scales::kHalf, 8, 8, 1>;
using Q4_1 = Type<Codes::kNibble, Scales::kHalfMin, 0, 8, 1>;
using Q5_0 = Type<Codes::kByte, Scales::kHalf, 16, 4, 1>;
using Q5_1 = Type<Codes::kByte, Scales::kHalfMin, 0, 4, 1>;
using IQ4_NL = Type<Codes::kTable, Scales::kHalf, 0, 1, 1>;
using MXFP4 = Type<Codes::kTable, Scales::kExponent, 0, 8, 1, true>;
using IQ4_XS = Type<Codes::kTable, Scales::kSub, 0, 1, 8>;
using Q2_K = Type<Codes::kNibble, Scales::kTwoMin, 0, 4, 8>;
using Q3_K = Type<Codes::kNibble, Scales::kTwo, 4, 4, 8>;
using Q4_K = Type<Codes::kNibble, Scales::kSubMin, 0, 8, 8>;
using Q5_K = Type<Codes::kByte, Scales::kSubMin, 0, 4, 8>;
using Q6_K = Type<Codes::kByte, Scales::kTwo, 32, 2, 8>;

}  // namespace

void Avx2MatMul(const MatMulArgs& args) {
  switch (args.dtype) {
    case DType::kF32:
      return Float<DType::kF32>(args);
    case DType::kF16:
      return Float<DType::kF16>(args);
    case DType::kBF16:
      return Float<DType::kBF16>(args);
    case DType::kQ8_0:
      return Quantised<Q8_0>(args);
    case DType::kQ4_0:
      return Quantised<Q4_0>(args);
    case DType::kQ4_1:
      return Quantised<Q4_1>(args);
    case DType::kQ5_0:
      return Quantised<Q5_0>(args);
    case DType::kQ5_1:
      return Quantised<Q5_1>(args);
    case DType::kIQ4_NL:
      return Quantised<IQ4_NL>(args);
    case DType::kIQ4_XS:
      return Quantised<IQ4_XS>(args);
    case DType::kMXFP4:
      return Quantised<MXFP4>(args);
    case DType::kQ2_K:
      return Quantised<Q2_K>(args);
    case DType::kQ3_K:
      return Quantised<Q3_K>(args);
    case DType::kQ4_K:
      return Quantised<Q4_K>(args);
    case DType::kQ5_K:
      return Quantised<Q5_K>(args);
    case DType::kQ6_K:
      return Quantised<Q6_K>(args);
  }
}

}  // namespace teetee::ops::cpu

#endif
