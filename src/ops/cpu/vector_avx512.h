// Sixteen lanes as one AVX-512 register: what the kernel templates are written over. F is 16 f32, I is 16 i32 or 64 bytes, M a
// mask of 16 lanes; lane i of a load is element i in memory. testing/vector_emulated.h says the same in portable C++, and
// vector_avx2.h for two 256-bit registers.
#pragma once

#include <immintrin.h>

#include <cstddef>
#include <cstdint>
#include <cstring>

#define TT_INLINE inline __attribute__((always_inline))

namespace teetee::ops::cpu {
namespace {

struct Avx512 {
  static constexpr bool kHasDpbusd = true;
  static constexpr bool kHasTiles = false;    // products of whole tiles, see vector_amx.h
  static constexpr int kMatMulTiles = 2;     // tiles of 16 rows that share a load of the activations
  static constexpr int kStreams = 1;         // of such tiles that a single row of activations reads in turn; 1: with prefetch
  static constexpr int kMatMulRows = 8;      // activation rows that share a load of the weights
  static constexpr size_t kBytesAhead = 1536; // how far ahead one group of them asks for weights
  static constexpr int kSumsInRegisters = 16; // vectors of float sums that a product keeps in registers
  static constexpr int kFloatRows = 8;       // activation rows that share a load of float weights,
  static constexpr int kFloatBlocks = 2;     // taken so many times 16 rows at once
  static constexpr int kAttentionRows = 8;   // query rows that share a load of keys or values
  static constexpr int kAttentionBlocks = 2; // blocks of 16 positions or dimensions under one load of the queries

  using F = __m512;
  using I = __m512i;
  using M = __mmask16;

  static TT_INLINE F Set(float v) { return _mm512_set1_ps(v); }
  static TT_INLINE F Zero() { return _mm512_setzero_ps(); }
  static TT_INLINE F Load(const float* p) { return _mm512_loadu_ps(p); }
  static TT_INLINE F Broadcast(const float* p) { return _mm512_set1_ps(*p); }
  static TT_INLINE void Store(float* p, F a) { _mm512_storeu_ps(p, a); }
  static TT_INLINE F LoadHalves(const void* p) {
    return _mm512_cvtph_ps(_mm256_loadu_si256(static_cast<const __m256i*>(p)));
  }
  static TT_INLINE void StoreHalves(uint16_t* p, F a) {
    const __m256i h = _mm512_cvtps_ph(a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), h);
  }

  static TT_INLINE F Add(F a, F b) { return _mm512_add_ps(a, b); }
  static TT_INLINE F Sub(F a, F b) { return _mm512_sub_ps(a, b); }
  static TT_INLINE F Mul(F a, F b) { return _mm512_mul_ps(a, b); }
  static TT_INLINE F Div(F a, F b) { return _mm512_div_ps(a, b); }
  static TT_INLINE F Min(F a, F b) { return _mm512_min_ps(a, b); }  // the second operand where one is NaN
  static TT_INLINE F Max(F a, F b) { return _mm512_max_ps(a, b); }  // the second operand where they compare equal
  static TT_INLINE F Fma(F a, F b, F c) { return _mm512_fmadd_ps(a, b, c); }    // a*b + c, one rounding
  static TT_INLINE F Fnma(F a, F b, F c) { return _mm512_fnmadd_ps(a, b, c); }  // -(a*b) + c
  static TT_INLINE F And(F a, F b) { return _mm512_and_ps(a, b); }
  static TT_INLINE F AndNot(F a, F b) { return _mm512_andnot_ps(a, b); }  // ~a & b
  static TT_INLINE F Or(F a, F b) { return _mm512_or_ps(a, b); }
  static TT_INLINE F Xor(F a, F b) { return _mm512_xor_ps(a, b); }
  static TT_INLINE M GreaterEq(F a, F b) { return _mm512_cmp_ps_mask(a, b, _CMP_GE_OQ); }  // false for NaN
  static TT_INLINE F Select(M m, F yes, F no) { return _mm512_mask_blend_ps(m, no, yes); }
  static TT_INLINE F ZeroUnless(M m, F a) { return _mm512_maskz_mov_ps(m, a); }
  // Lanes i with first <= t0 + i <= last.
  static TT_INLINE M InRange(int t0, int first, int last) {
    const I lane = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    const I t = _mm512_add_epi32(_mm512_set1_epi32(t0), lane);
    const M above = _mm512_cmpge_epi32_mask(t, _mm512_set1_epi32(first));
    return _mm512_mask_cmple_epi32_mask(above, t, _mm512_set1_epi32(last));
  }

  static TT_INLINE I SetI(int32_t v) { return _mm512_set1_epi32(v); }
  static TT_INLINE I SetI16(int16_t v) { return _mm512_set1_epi16(v); }
  static TT_INLINE I ZeroI() { return _mm512_setzero_si512(); }
  static TT_INLINE I LoadI(const void* p) { return _mm512_loadu_si512(p); }  // 64 bytes
  static TT_INLINE void StoreI(void* p, I a) { _mm512_storeu_si512(p, a); }
  static TT_INLINE I BroadcastI(const void* p) {  // 4 bytes, to every lane
    int32_t v;
    memcpy(&v, p, 4);
    return _mm512_set1_epi32(v);
  }
  static TT_INLINE I FromU8(const uint8_t* p) {  // 16 bytes
    return _mm512_cvtepu8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
  }
  static TT_INLINE I FromS8(const uint8_t* p) {
    return _mm512_cvtepi8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
  }
  static TT_INLINE I FromU16(const void* p) {
    return _mm512_cvtepu16_epi32(_mm256_loadu_si256(static_cast<const __m256i*>(p)));
  }
  // The low byte of each lane. REQUIRES: every lane is in [-128, 127].
  static TT_INLINE void StoreS8(int8_t* p, I a) {
    _mm_storeu_si128(reinterpret_cast<__m128i*>(p), _mm512_cvtepi32_epi8(a));
  }

  static TT_INLINE I AddI(I a, I b) { return _mm512_add_epi32(a, b); }
  static TT_INLINE I SubI(I a, I b) { return _mm512_sub_epi32(a, b); }
  static TT_INLINE I MinI(I a, I b) { return _mm512_min_epi32(a, b); }
  static TT_INLINE I MaxI(I a, I b) { return _mm512_max_epi32(a, b); }
  static TT_INLINE I AndI(I a, I b) { return _mm512_and_si512(a, b); }
  static TT_INLINE I OrI(I a, I b) { return _mm512_or_si512(a, b); }
  static TT_INLINE I XorI(I a, I b) { return _mm512_xor_si512(a, b); }
  template <int kBits>
  static TT_INLINE I ShiftLeft(I a) {
    return _mm512_slli_epi32(a, kBits);
  }
  static TT_INLINE I LowNibbles(I a) { return _mm512_and_si512(a, _mm512_set1_epi8(15)); }  // of every byte
  static TT_INLINE I HighNibbles(I a) {
    return _mm512_and_si512(_mm512_srli_epi16(a, 4), _mm512_set1_epi8(15));
  }
  // table[byte] for every byte of a. REQUIRES: bytes below 16.
  static TT_INLINE I Lookup(const uint8_t* table, I a) {
    const __m128i t = _mm_loadu_si128(reinterpret_cast<const __m128i*>(table));
    return _mm512_shuffle_epi8(_mm512_broadcast_i32x4(t), a);
  }
  static TT_INLINE F CastF(I a) { return _mm512_castsi512_ps(a); }
  static TT_INLINE I CastI(F a) { return _mm512_castps_si512(a); }
  static TT_INLINE F ToFloat(I a) { return _mm512_cvtepi32_ps(a); }
  static TT_INLINE I ToInt(F a) { return _mm512_cvtps_epi32(a); }  // to nearest even

  // Per lane: the sum of the products of its two 16-bit halves.
  static TT_INLINE I MaddI16(I a, I b) { return _mm512_madd_epi16(a, b); }
  // acc + the four products of a lane's unsigned bytes of u and signed bytes of s. Wraps, never saturates.
  static TT_INLINE I Dpbusd(I acc, I u, I s) { return _mm512_dpbusd_epi32(acc, u, s); }

  // The halving of numerics.md section 4: l += l+8, l += l+4, l += l+2, l += l+1.
  static TT_INLINE float SumLanes(F a) {
    const __m256 l8 = _mm256_add_ps(_mm512_castps512_ps256(a), _mm512_extractf32x8_ps(a, 1));
    const __m128 l4 = _mm_add_ps(_mm256_castps256_ps128(l8), _mm256_extractf128_ps(l8, 1));
    const __m128 l2 = _mm_add_ps(l4, _mm_movehl_ps(l4, l4));
    return _mm_cvtss_f32(_mm_add_ss(l2, _mm_shuffle_ps(l2, l2, 1)));
  }
  static TT_INLINE float MaxLane(F a) {
    const __m256 m8 = _mm256_max_ps(_mm512_castps512_ps256(a), _mm512_extractf32x8_ps(a, 1));
    __m128 m = _mm_max_ps(_mm256_castps256_ps128(m8), _mm256_extractf128_ps(m8, 1));
    m = _mm_max_ps(m, _mm_movehl_ps(m, m));
    return _mm_cvtss_f32(_mm_max_ss(m, _mm_shuffle_ps(m, m, 1)));
  }
  static TT_INLINE int32_t MaxLaneI(I a) {
    const __m256i m8 = _mm256_max_epi32(_mm512_castsi512_si256(a), _mm512_extracti64x4_epi64(a, 1));
    __m128i m = _mm_max_epi32(_mm256_castsi256_si128(m8), _mm256_extracti128_si256(m8, 1));
    m = _mm_max_epi32(m, _mm_shuffle_epi32(m, 0x4e));
    return _mm_cvtsi128_si32(_mm_max_epi32(m, _mm_shuffle_epi32(m, 0xb1)));
  }
  static TT_INLINE int32_t SumLanesI(I a) {
    const __m256i s8 = _mm256_add_epi32(_mm512_castsi512_si256(a), _mm512_extracti64x4_epi64(a, 1));
    __m128i s = _mm_add_epi32(_mm256_castsi256_si128(s8), _mm256_extracti128_si256(s8, 1));
    s = _mm_add_epi32(s, _mm_shuffle_epi32(s, 0x4e));
    return _mm_cvtsi128_si32(_mm_add_epi32(s, _mm_shuffle_epi32(s, 0xb1)));
  }
  // sqrtss, not the library's function, whose inline form could be shared with other units.
  static TT_INLINE float Sqrt(float v) { return _mm_cvtss_f32(_mm_sqrt_ss(_mm_set_ss(v))); }
  static TT_INLINE void Prefetch(const void* p) { _mm_prefetch(static_cast<const char*>(p), _MM_HINT_T0); }
};

}  // namespace
}  // namespace teetee::ops::cpu
