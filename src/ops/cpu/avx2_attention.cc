// AVX2: attention of numerics.md section 7. Eight positions per vector for the scores, eight dimensions for the output, so
// every chain keeps its order.
#if defined(__x86_64__)

#include "ops/cpu/avx2_kernels.h"
#include "ops/cpu/avx2_math.h"

namespace teetee::ops::cpu {

void ScalarAttention(const AttentionArgs& args);  // scalar_attention.cc

namespace {

constexpr size_t kMaxHeadDim = 1024;  // KvCacheLayer::kMaxHeadDim

size_t Min(size_t a, size_t b) { return a < b ? a : b; }
size_t Max(size_t a, size_t b) { return a > b ? a : b; }

__m256 LoadHalves(const uint16_t* p) {
  return _mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
}

const uint16_t* KvBlock(const AttentionArgs& args, size_t block) {
  return args.pages[block / args.blocks_per_page] + args.head_offset +
         block % args.blocks_per_page * 32 * args.head_dim;
}

// Raw chains q . k of 16 positions for kRows queries, which share the loads of K.
template <int kRows>
void BlockScores(const uint16_t* k, size_t head_dim, const float* const* q, float (*s)[kSegment],
                 size_t at) {
  __m256 acc[kRows][2];
#pragma GCC unroll 4
  for (int r = 0; r < kRows; ++r) acc[r][0] = acc[r][1] = _mm256_setzero_ps();
  for (size_t i = 0; i < head_dim; ++i) {
    const __m256 k0 = LoadHalves(k + i * kKvBlock);
    const __m256 k1 = LoadHalves(k + i * kKvBlock + 8);
#pragma GCC unroll 4
    for (int r = 0; r < kRows; ++r) {
      const __m256 q8 = _mm256_broadcast_ss(q[r] + i);
      acc[r][0] = _mm256_fmadd_ps(q8, k0, acc[r][0]);
      acc[r][1] = _mm256_fmadd_ps(q8, k1, acc[r][1]);
    }
  }
#pragma GCC unroll 4
  for (int r = 0; r < kRows; ++r) {
    _mm256_storeu_ps(s[r] + at, acc[r][0]);
    _mm256_storeu_ps(s[r] + at + 8, acc[r][1]);
  }
}

void AnyBlockScores(size_t rows, const uint16_t* k, size_t head_dim, const float* const* q,
                    float (*s)[kSegment], size_t at) {
  switch (rows) {
    case 1:
      return BlockScores<1>(k, head_dim, q, s, at);
    case 2:
      return BlockScores<2>(k, head_dim, q, s, at);
    case 3:
      return BlockScores<3>(k, head_dim, q, s, at);
    default:
      return BlockScores<4>(k, head_dim, q, s, at);
  }
}

// All ones where position a <= t0 + lane <= e (offsets inside the segment).
__m256 Visible(size_t t0, size_t a, size_t e) {
  const __m256i lane = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
  const __m256i t = _mm256_add_epi32(_mm256_set1_epi32(static_cast<int>(t0)), lane);
  const __m256i above = _mm256_cmpgt_epi32(t, _mm256_set1_epi32(static_cast<int>(a) - 1));
  const __m256i beyond = _mm256_cmpgt_epi32(t, _mm256_set1_epi32(static_cast<int>(e)));
  return _mm256_castsi256_ps(_mm256_andnot_si256(beyond, above));
}

float MaxOf8(__m256 v) {
  __m128 m = _mm_max_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
  m = _mm_max_ps(m, _mm_movehl_ps(m, m));
  m = _mm_max_ss(m, _mm_shuffle_ps(m, m, 1));
  return _mm_cvtss_f32(m);
}

// Turns raw chains into weights w_t in place; hidden positions become +0. Returns m and l.
void Softmax(const AttentionArgs& args, size_t a, size_t e, float* s, float* m, float* l) {
  const __m256 minus_infinity = Set8(-__builtin_inff());
  const size_t begin = a / kKvBlock * kKvBlock, end = e / kKvBlock * kKvBlock + kKvBlock;
  __m256 max8 = minus_infinity;
  for (size_t t = begin; t < end; t += 8) {
    __m256 v = _mm256_mul_ps(_mm256_loadu_ps(s + t), Set8(args.scale));
    if (args.softcap > 0) {
      const __m256 cap = Set8(args.softcap);
      v = _mm256_mul_ps(cap, Tanh8(_mm256_div_ps(v, cap)));
    }
    v = _mm256_blendv_ps(minus_infinity, v, Visible(t, a, e));
    _mm256_storeu_ps(s + t, v);
    max8 = _mm256_max_ps(max8, v);
  }
  *m = MaxOf8(max8);
  __m256 low = _mm256_setzero_ps(), high = low;  // lanes t mod 16
  for (size_t t = begin; t < end; t += kKvBlock) {
    const __m256 w0 = Exp8(_mm256_sub_ps(_mm256_loadu_ps(s + t), Set8(*m)));
    const __m256 w1 = Exp8(_mm256_sub_ps(_mm256_loadu_ps(s + t + 8), Set8(*m)));
    _mm256_storeu_ps(s + t, w0);
    _mm256_storeu_ps(s + t + 8, w1);
    low = _mm256_add_ps(low, w0);
    high = _mm256_add_ps(high, w1);
  }
  *l = AddLanes(low, high);
}

// o[0 .. 8 kVectors) of dimensions d0 and up: the chains over positions a..e of segment g.
template <int kVectors>
void WeightedValues(const AttentionArgs& args, size_t g, size_t a, size_t e, const float* w,
                    size_t d0, float* o) {
  __m256 acc[kVectors];
#pragma GCC unroll 8
  for (int v = 0; v < kVectors; ++v) acc[v] = _mm256_setzero_ps();
  for (size_t t = a; t <= e;) {
    const uint16_t* values =
        KvBlock(args, (g * kSegment + t) / kKvBlock) + kKvBlock * args.head_dim + d0;
    const size_t end = Min(e, t / kKvBlock * kKvBlock + kKvBlock - 1);
    for (; t <= end; ++t) {
      const uint16_t* row = values + t % kKvBlock * args.head_dim;
      const __m256 w8 = _mm256_broadcast_ss(w + t);
#pragma GCC unroll 8
      for (int v = 0; v < kVectors; ++v) {
        acc[v] = _mm256_fmadd_ps(w8, LoadHalves(row + 8 * v), acc[v]);
      }
    }
  }
#pragma GCC unroll 8
  for (int v = 0; v < kVectors; ++v) _mm256_storeu_ps(o + d0 + 8 * v, acc[v]);
}

void AllWeightedValues(const AttentionArgs& args, size_t g, size_t a, size_t e, const float* w,
                       float* o) {
  size_t d = 0;
  for (; d + 64 <= args.head_dim; d += 64) WeightedValues<8>(args, g, a, e, w, d, o);
  for (; d + 32 <= args.head_dim; d += 32) WeightedValues<4>(args, g, a, e, w, d, o);
  for (; d < args.head_dim; d += 8) WeightedValues<1>(args, g, a, e, w, d, o);
}

struct Merged {
  bool is_first = true;
  float m = 0;
  float l = 0;
};

void Merge(float m, float l, const float* o, size_t head_dim, Merged* into, float* out) {
  if (into->is_first) {
    *into = {false, m, l};
    memcpy(out, o, head_dim * sizeof(float));
    return;
  }
  const float max = into->m > m ? into->m : m;
  const __m256 e = Exp8(_mm256_setr_ps(into->m - max, m - max, 0, 0, 0, 0, 0, 0));
  alignas(32) float factor[8];
  _mm256_store_ps(factor, e);
  const float lb = l * factor[1];
  into->l = __builtin_fmaf(into->l, factor[0], lb);
  for (size_t i = 0; i < head_dim; i += 8) {
    const __m256 ob = _mm256_mul_ps(_mm256_loadu_ps(o + i), Set8(factor[1]));
    _mm256_storeu_ps(out + i, _mm256_fmadd_ps(_mm256_loadu_ps(out + i), Set8(factor[0]), ob));
  }
  into->m = max;
}

void Finish(const Merged& merged, size_t head_dim, float* out) {
  const __m256 r = Set8(1.0f / merged.l);
  for (size_t i = 0; i < head_dim; i += 8) {
    _mm256_storeu_ps(out + i, _mm256_mul_ps(_mm256_loadu_ps(out + i), r));
  }
}

// Scores of every row over the union of what the rows see in segment g; the rest is masked later.
void SegmentScores(const AttentionArgs& args, size_t first, size_t last, size_t g,
                   float (*s)[kSegment]) {
  const size_t begin = Max(first, g * kSegment) / kKvBlock;
  const size_t end = Min(last, g * kSegment + kSegment - 1) / kKvBlock;
  for (size_t block = begin; block <= end; ++block) {
    AnyBlockScores(args.n, KvBlock(args, block), args.head_dim, args.q, s,
                   block * kKvBlock % kSegment);
  }
}

}  // namespace

void Avx2Attention(const AttentionArgs& args) {
  if (args.head_dim % 8 != 0 || args.head_dim > kMaxHeadDim) return ScalarAttention(args);
  alignas(32) float s[kAttentionRows][kSegment];
  alignas(32) float o[kMaxHeadDim];
  Merged merged[kAttentionRows];
  size_t first = args.first[0], last = args.last[0];
  for (size_t r = 1; r < args.n; ++r) {
    first = Min(first, args.first[r]);
    last = Max(last, args.last[r]);
  }
  for (size_t g = first / kSegment; g <= last / kSegment; ++g) {
    SegmentScores(args, first, last, g, s);
    for (size_t r = 0; r < args.n; ++r) {
      const size_t begin = g * kSegment, end = begin + kSegment - 1;
      if (args.first[r] > end || args.last[r] < begin) continue;
      const size_t a = Max(args.first[r], begin) - begin;
      const size_t e = Min(args.last[r], end) - begin;
      float m, l;
      Softmax(args, a, e, s[r], &m, &l);
      AllWeightedValues(args, g, a, e, s[r], o);
      Merge(m, l, o, args.head_dim, &merged[r], args.out[r]);
    }
  }
  for (size_t r = 0; r < args.n; ++r) {
    if (args.sink[r] != nullptr) {
      memset(o, 0, args.head_dim * sizeof(float));
      Merge(*args.sink[r], 1.0f, o, args.head_dim, &merged[r], args.out[r]);
    }
    Finish(merged[r], args.head_dim, args.out[r]);
  }
}

}  // namespace teetee::ops::cpu

#endif
