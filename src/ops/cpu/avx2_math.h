// Vector forms of the functions of numerics.md section 5, for the AVX2 translation units only. Everything is in an anonymous
// namespace: each unit has its own copy, and none can be merged with code for other machines.
#pragma once

#include <immintrin.h>

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace teetee::ops::cpu {
namespace {

inline __m256 Set8(float v) { return _mm256_set1_ps(v); }

inline __m256 Exp8(__m256 x) {
  const __m256 keep = _mm256_cmp_ps(x, Set8(-87.0f), _CMP_GE_OQ);
  const __m256 magic = Set8(0x1.8p23f);
  x = _mm256_min_ps(x, Set8(88.0f));
  const __m256 t = _mm256_fmadd_ps(x, Set8(0x1.715476p+0f), magic);
  const __m256 k = _mm256_sub_ps(t, magic);
  __m256 r = _mm256_fmadd_ps(k, Set8(-0x1.62e4p-1f), x);
  r = _mm256_fmadd_ps(k, Set8(-0x1.7f7d1cp-20f), r);
  __m256 p = Set8(0x1.6850e4p-10f);
  p = _mm256_fmadd_ps(p, r, Set8(0x1.123bccp-7f));
  p = _mm256_fmadd_ps(p, r, Set8(0x1.555b98p-5f));
  p = _mm256_fmadd_ps(p, r, Set8(0x1.55548ep-3f));
  p = _mm256_fmadd_ps(p, r, Set8(0x1.fffff8p-2f));
  p = _mm256_fmadd_ps(p, r, Set8(1.0f));
  p = _mm256_fmadd_ps(p, r, Set8(1.0f));
  const __m256i exponent = _mm256_slli_epi32(_mm256_castps_si256(t), 23);
  const __m256i bits = _mm256_add_epi32(_mm256_castps_si256(p), exponent);
  return _mm256_and_ps(keep, _mm256_castsi256_ps(bits));
}

inline __m256 Tanh8(__m256 x) {
  const __m256 sign_bit = Set8(-0.0f);
  const __m256 sign = _mm256_and_ps(x, sign_bit);
  const __m256 y = _mm256_andnot_ps(sign_bit, x);
  const __m256 z = _mm256_mul_ps(y, y);
  __m256 p = Set8(0x1.54c588p-6f);
  p = _mm256_fmadd_ps(p, z, Set8(-0x1.b9c4ep-5f));
  p = _mm256_fmadd_ps(p, z, Set8(0x1.1110ccp-3f));
  p = _mm256_fmadd_ps(p, z, Set8(-0x1.555556p-2f));
  const __m256 small = _mm256_fmadd_ps(_mm256_mul_ps(y, z), p, y);
  const __m256 e = Exp8(_mm256_mul_ps(Set8(2.0f), y));
  const __m256 large =
      _mm256_sub_ps(Set8(1.0f), _mm256_div_ps(Set8(2.0f), _mm256_add_ps(e, Set8(1.0f))));
  const __m256 is_small = _mm256_cmp_ps(y, Set8(0.25f), _CMP_LT_OQ);
  return _mm256_or_ps(sign, _mm256_blendv_ps(large, small, is_small));
}

// The halving of numerics.md section 4, of lanes 0..7 in `low` and 8..15 in `high`.
inline float AddLanes(__m256 low, __m256 high) {
  const __m256 l8 = _mm256_add_ps(low, high);
  const __m128 l4 = _mm_add_ps(_mm256_castps256_ps128(l8), _mm256_extractf128_ps(l8, 1));
  const __m128 l2 = _mm_add_ps(l4, _mm_movehl_ps(l4, l4));
  const __m128 l1 = _mm_add_ss(l2, _mm_shuffle_ps(l2, l2, 1));
  return _mm_cvtss_f32(l1);
}

}  // namespace
}  // namespace teetee::ops::cpu
