// Sixteen lanes as two AVX2 registers: what the kernel templates are written over (see vector_avx512.h for the meaning of each
// function). For the AVX2 translation units only; everything is in an anonymous namespace, so that no copy can be merged with
// code for other machines.
#pragma once

#include <immintrin.h>

#include <cstddef>
#include <cstdint>
#include <cstring>

#define TT_INLINE inline __attribute__((always_inline))

namespace teetee::ops::cpu {
namespace {

struct Avx2 {
  static constexpr bool kHasDpbusd = false;
  static constexpr bool kHasTiles = false;
  static constexpr int kMatMulTiles = 1;     // tiles of 16 rows that share a load of the activations
  static constexpr int kStreams = 4;         // of such tiles that a single row of activations reads in turn
  static constexpr int kMatMulRows = 4;      // activation rows that share a load of the weights
  static constexpr size_t kBytesAhead = 4096; // how far ahead one group of them asks for weights
  static constexpr int kSumsInRegisters = 2; // vectors of float sums that a product keeps in registers
  static constexpr int kFloatRows = 6;       // activation rows that share a load of float weights,
  static constexpr int kFloatBlocks = 1;     // taken so many times 16 rows at once
  static constexpr int kAttentionRows = 6;   // query rows that share a load of keys or values
  static constexpr int kAttentionBlocks = 1; // blocks of 16 positions or dimensions under one load of the queries

  struct F { __m256 lo, hi; };
  struct I { __m256i lo, hi; };
  struct M { __m256 lo, hi; };

  static TT_INLINE F Set(float v) { return {_mm256_set1_ps(v), _mm256_set1_ps(v)}; }
  static TT_INLINE F Zero() { return {_mm256_setzero_ps(), _mm256_setzero_ps()}; }
  static TT_INLINE F Load(const float* p) { return {_mm256_loadu_ps(p), _mm256_loadu_ps(p + 8)}; }
  static TT_INLINE F Broadcast(const float* p) {
    const __m256 v = _mm256_broadcast_ss(p);
    return {v, v};
  }
  static TT_INLINE void Store(float* p, F a) {
    _mm256_storeu_ps(p, a.lo);
    _mm256_storeu_ps(p + 8, a.hi);
  }
  static TT_INLINE F LoadHalves(const void* p) {
    const __m128i* q = static_cast<const __m128i*>(p);
    return {_mm256_cvtph_ps(_mm_loadu_si128(q)), _mm256_cvtph_ps(_mm_loadu_si128(q + 1))};
  }
  static TT_INLINE void StoreHalves(uint16_t* p, F a) {
    constexpr int kNearest = _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC;
    _mm_storeu_si128(reinterpret_cast<__m128i*>(p), _mm256_cvtps_ph(a.lo, kNearest));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(p + 8), _mm256_cvtps_ph(a.hi, kNearest));
  }

  static TT_INLINE F Add(F a, F b) { return {_mm256_add_ps(a.lo, b.lo), _mm256_add_ps(a.hi, b.hi)}; }
  static TT_INLINE F Sub(F a, F b) { return {_mm256_sub_ps(a.lo, b.lo), _mm256_sub_ps(a.hi, b.hi)}; }
  static TT_INLINE F Mul(F a, F b) { return {_mm256_mul_ps(a.lo, b.lo), _mm256_mul_ps(a.hi, b.hi)}; }
  static TT_INLINE F Div(F a, F b) { return {_mm256_div_ps(a.lo, b.lo), _mm256_div_ps(a.hi, b.hi)}; }
  static TT_INLINE F Min(F a, F b) { return {_mm256_min_ps(a.lo, b.lo), _mm256_min_ps(a.hi, b.hi)}; }
  static TT_INLINE F Max(F a, F b) { return {_mm256_max_ps(a.lo, b.lo), _mm256_max_ps(a.hi, b.hi)}; }
  static TT_INLINE F Fma(F a, F b, F c) {
    return {_mm256_fmadd_ps(a.lo, b.lo, c.lo), _mm256_fmadd_ps(a.hi, b.hi, c.hi)};
  }
  static TT_INLINE F Fnma(F a, F b, F c) {
    return {_mm256_fnmadd_ps(a.lo, b.lo, c.lo), _mm256_fnmadd_ps(a.hi, b.hi, c.hi)};
  }
  static TT_INLINE F And(F a, F b) { return {_mm256_and_ps(a.lo, b.lo), _mm256_and_ps(a.hi, b.hi)}; }
  static TT_INLINE F AndNot(F a, F b) { return {_mm256_andnot_ps(a.lo, b.lo), _mm256_andnot_ps(a.hi, b.hi)}; }
  static TT_INLINE F Or(F a, F b) { return {_mm256_or_ps(a.lo, b.lo), _mm256_or_ps(a.hi, b.hi)}; }
  static TT_INLINE F Xor(F a, F b) { return {_mm256_xor_ps(a.lo, b.lo), _mm256_xor_ps(a.hi, b.hi)}; }
  static TT_INLINE M GreaterEq(F a, F b) {
    return {_mm256_cmp_ps(a.lo, b.lo, _CMP_GE_OQ), _mm256_cmp_ps(a.hi, b.hi, _CMP_GE_OQ)};
  }
  static TT_INLINE F Select(M m, F yes, F no) {
    return {_mm256_blendv_ps(no.lo, yes.lo, m.lo), _mm256_blendv_ps(no.hi, yes.hi, m.hi)};
  }
  static TT_INLINE F ZeroUnless(M m, F a) { return {_mm256_and_ps(m.lo, a.lo), _mm256_and_ps(m.hi, a.hi)}; }
  static TT_INLINE M InRange(int t0, int first, int last) {
    const __m256i lane = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
    const __m256i low = _mm256_add_epi32(_mm256_set1_epi32(t0), lane);
    const __m256i high = _mm256_add_epi32(low, _mm256_set1_epi32(8));
    return {Between(low, first, last), Between(high, first, last)};
  }

  static TT_INLINE I SetI(int32_t v) { return {_mm256_set1_epi32(v), _mm256_set1_epi32(v)}; }
  static TT_INLINE I SetI16(int16_t v) { return {_mm256_set1_epi16(v), _mm256_set1_epi16(v)}; }
  static TT_INLINE I ZeroI() { return {_mm256_setzero_si256(), _mm256_setzero_si256()}; }
  static TT_INLINE I LoadI(const void* p) {
    const __m256i* q = static_cast<const __m256i*>(p);
    return {_mm256_loadu_si256(q), _mm256_loadu_si256(q + 1)};
  }
  static TT_INLINE void StoreI(void* p, I a) {
    _mm256_storeu_si256(static_cast<__m256i*>(p), a.lo);
    _mm256_storeu_si256(static_cast<__m256i*>(p) + 1, a.hi);
  }
  static TT_INLINE I BroadcastI(const void* p) {
    int32_t v;
    memcpy(&v, p, 4);
    const __m256i b = _mm256_set1_epi32(v);
    return {b, b};
  }
  static TT_INLINE I FromU8(const uint8_t* p) {
    const __m128i v = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
    return {_mm256_cvtepu8_epi32(v), _mm256_cvtepu8_epi32(_mm_srli_si128(v, 8))};
  }
  static TT_INLINE I FromS8(const uint8_t* p) {
    const __m128i v = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
    return {_mm256_cvtepi8_epi32(v), _mm256_cvtepi8_epi32(_mm_srli_si128(v, 8))};
  }
  static TT_INLINE I FromU16(const void* p) {
    const __m128i* q = static_cast<const __m128i*>(p);
    return {_mm256_cvtepu16_epi32(_mm_loadu_si128(q)), _mm256_cvtepu16_epi32(_mm_loadu_si128(q + 1))};
  }
  // The low byte of each lane. REQUIRES: every lane is in [-128, 127].
  static TT_INLINE void StoreS8(int8_t* p, I a) {
    const __m256i v = _mm256_permute4x64_epi64(_mm256_packs_epi32(a.lo, a.hi), 0xd8);
    const __m128i b = _mm_packs_epi16(_mm256_castsi256_si128(v), _mm256_extracti128_si256(v, 1));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(p), b);
  }

  static TT_INLINE I AddI(I a, I b) { return {_mm256_add_epi32(a.lo, b.lo), _mm256_add_epi32(a.hi, b.hi)}; }
  static TT_INLINE I SubI(I a, I b) { return {_mm256_sub_epi32(a.lo, b.lo), _mm256_sub_epi32(a.hi, b.hi)}; }
  static TT_INLINE I MinI(I a, I b) { return {_mm256_min_epi32(a.lo, b.lo), _mm256_min_epi32(a.hi, b.hi)}; }
  static TT_INLINE I MaxI(I a, I b) { return {_mm256_max_epi32(a.lo, b.lo), _mm256_max_epi32(a.hi, b.hi)}; }
  static TT_INLINE I AndI(I a, I b) { return {_mm256_and_si256(a.lo, b.lo), _mm256_and_si256(a.hi, b.hi)}; }
  static TT_INLINE I OrI(I a, I b) { return {_mm256_or_si256(a.lo, b.lo), _mm256_or_si256(a.hi, b.hi)}; }
  static TT_INLINE I XorI(I a, I b) { return {_mm256_xor_si256(a.lo, b.lo), _mm256_xor_si256(a.hi, b.hi)}; }
  template <int kBits>
  static TT_INLINE I ShiftLeft(I a) {
    return {_mm256_slli_epi32(a.lo, kBits), _mm256_slli_epi32(a.hi, kBits)};
  }
  static TT_INLINE I HighNibbles(I a) {
    const __m256i mask = _mm256_set1_epi8(15);
    return {_mm256_and_si256(_mm256_srli_epi16(a.lo, 4), mask), _mm256_and_si256(_mm256_srli_epi16(a.hi, 4), mask)};
  }
  static TT_INLINE I LowNibbles(I a) {
    const __m256i mask = _mm256_set1_epi8(15);
    return {_mm256_and_si256(a.lo, mask), _mm256_and_si256(a.hi, mask)};
  }
  static TT_INLINE I Lookup(const uint8_t* table, I a) {
    const __m256i t = _mm256_broadcastsi128_si256(_mm_loadu_si128(reinterpret_cast<const __m128i*>(table)));
    return {_mm256_shuffle_epi8(t, a.lo), _mm256_shuffle_epi8(t, a.hi)};
  }
  static TT_INLINE F CastF(I a) { return {_mm256_castsi256_ps(a.lo), _mm256_castsi256_ps(a.hi)}; }
  static TT_INLINE I CastI(F a) { return {_mm256_castps_si256(a.lo), _mm256_castps_si256(a.hi)}; }
  static TT_INLINE F ToFloat(I a) { return {_mm256_cvtepi32_ps(a.lo), _mm256_cvtepi32_ps(a.hi)}; }
  static TT_INLINE I ToInt(F a) { return {_mm256_cvtps_epi32(a.lo), _mm256_cvtps_epi32(a.hi)}; }

  static TT_INLINE I MaddI16(I a, I b) {
    return {_mm256_madd_epi16(a.lo, b.lo), _mm256_madd_epi16(a.hi, b.hi)};
  }
  // What stands in for dpbusd here (numerics.md section 2).
  static TT_INLINE I Maddubs(I u, I s) {
    return {_mm256_maddubs_epi16(u.lo, s.lo), _mm256_maddubs_epi16(u.hi, s.hi)};
  }
  static TT_INLINE I AddI16(I a, I b) { return {_mm256_add_epi16(a.lo, b.lo), _mm256_add_epi16(a.hi, b.hi)}; }
  static TT_INLINE I SignI8(I a, I b) { return {_mm256_sign_epi8(a.lo, b.lo), _mm256_sign_epi8(a.hi, b.hi)}; }

  static TT_INLINE float SumLanes(F a) {
    const __m256 l8 = _mm256_add_ps(a.lo, a.hi);
    const __m128 l4 = _mm_add_ps(_mm256_castps256_ps128(l8), _mm256_extractf128_ps(l8, 1));
    const __m128 l2 = _mm_add_ps(l4, _mm_movehl_ps(l4, l4));
    return _mm_cvtss_f32(_mm_add_ss(l2, _mm_shuffle_ps(l2, l2, 1)));
  }
  static TT_INLINE float MaxLane(F a) {
    const __m256 m8 = _mm256_max_ps(a.lo, a.hi);
    __m128 m = _mm_max_ps(_mm256_castps256_ps128(m8), _mm256_extractf128_ps(m8, 1));
    m = _mm_max_ps(m, _mm_movehl_ps(m, m));
    return _mm_cvtss_f32(_mm_max_ss(m, _mm_shuffle_ps(m, m, 1)));
  }
  static TT_INLINE int32_t MaxLaneI(I a) {
    const __m256i m8 = _mm256_max_epi32(a.lo, a.hi);
    __m128i m = _mm_max_epi32(_mm256_castsi256_si128(m8), _mm256_extracti128_si256(m8, 1));
    m = _mm_max_epi32(m, _mm_shuffle_epi32(m, 0x4e));
    return _mm_cvtsi128_si32(_mm_max_epi32(m, _mm_shuffle_epi32(m, 0xb1)));
  }
  static TT_INLINE int32_t SumLanesI(I a) {
    const __m256i s8 = _mm256_add_epi32(a.lo, a.hi);
    __m128i s = _mm_add_epi32(_mm256_castsi256_si128(s8), _mm256_extracti128_si256(s8, 1));
    s = _mm_add_epi32(s, _mm_shuffle_epi32(s, 0x4e));
    return _mm_cvtsi128_si32(_mm_add_epi32(s, _mm_shuffle_epi32(s, 0xb1)));
  }
  // sqrtss, not the library's function, whose inline form could be shared with other units.
  static TT_INLINE float Sqrt(float v) { return _mm_cvtss_f32(_mm_sqrt_ss(_mm_set_ss(v))); }
  // Into the second-level cache: what is asked for is needed late, and would push out of the first what is in use.
  static TT_INLINE void Prefetch(const void* p) { _mm_prefetch(static_cast<const char*>(p), _MM_HINT_T1); }

 private:
  static TT_INLINE __m256 Between(__m256i t, int first, int last) {
    const __m256i above = _mm256_cmpgt_epi32(t, _mm256_set1_epi32(first - 1));
    const __m256i beyond = _mm256_cmpgt_epi32(t, _mm256_set1_epi32(last));
    return _mm256_castsi256_ps(_mm256_andnot_si256(beyond, above));
  }
};

}  // namespace
}  // namespace teetee::ops::cpu
