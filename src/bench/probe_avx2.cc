// Probes for AVX2 and FMA. Everything but the table is in an anonymous namespace.
#if defined(__x86_64__)
#include <immintrin.h>

#include "bench/probe_kernels.h"

namespace teetee::bench {
namespace {

// A value that the compiler may not see through.
inline __m256i Opaque(__m256i v) {
  asm volatile("" : "+x"(v));
  return v;
}

inline __m256i ReadLines(const uint8_t* p, __m256i sum) {
  const __m256i* v = reinterpret_cast<const __m256i*>(p);
  __m256i a = _mm256_xor_si256(_mm256_load_si256(v), _mm256_load_si256(v + 1));
  __m256i b = _mm256_xor_si256(_mm256_load_si256(v + 2), _mm256_load_si256(v + 3));
  __m256i c = _mm256_xor_si256(_mm256_load_si256(v + 4), _mm256_load_si256(v + 5));
  __m256i d = _mm256_xor_si256(_mm256_load_si256(v + 6), _mm256_load_si256(v + 7));
  return _mm256_xor_si256(sum, _mm256_xor_si256(_mm256_xor_si256(a, b), _mm256_xor_si256(c, d)));
}

template <size_t kStreams, bool kPrefetch>
uint64_t ReadLoop(const uint8_t* data, size_t bytes, size_t ahead) {
  const size_t stride = bytes / kStreams;
  __m256i sum[kStreams];
  for (size_t s = 0; s < kStreams; ++s) sum[s] = _mm256_setzero_si256();
  for (size_t i = 0; i < stride; i += 256) {
    for (size_t s = 0; s < kStreams; ++s) {
      const uint8_t* p = data + s * stride + i;
      if (kPrefetch) {
        for (size_t line = 0; line < 256; line += 64) {
          _mm_prefetch(reinterpret_cast<const char*>(p + ahead + line), _MM_HINT_T0);
        }
      }
      sum[s] = ReadLines(p, sum[s]);
    }
  }
  for (size_t s = 1; s < kStreams; ++s) sum[0] = _mm256_xor_si256(sum[0], sum[s]);
  return static_cast<uint64_t>(_mm256_extract_epi64(sum[0], 0) ^ _mm256_extract_epi64(sum[0], 2));
}

uint64_t Read(const uint8_t* data, size_t bytes, ReadPattern pattern) {
  const size_t ahead = pattern.prefetch_bytes;
  if (pattern.streams == 1) {
    return ahead == 0 ? ReadLoop<1, false>(data, bytes, 0) : ReadLoop<1, true>(data, bytes, ahead);
  }
  return ahead == 0 ? ReadLoop<4, false>(data, bytes, 0) : ReadLoop<4, true>(data, bytes, ahead);
}

enum : size_t { kChains = 8, kMacsPerStep = kChains * 32 };

inline uint64_t Total(const __m256i* sum) {
  __m256i all = sum[0];
  for (size_t c = 1; c < kChains; ++c) all = _mm256_add_epi32(all, sum[c]);
  return static_cast<uint32_t>(_mm256_extract_epi32(all, 0));
}

// maddubs and madd per 32 products: what any two 8-bit operands need.
uint64_t Int8(size_t rounds) {
  const __m256i ones = Opaque(_mm256_set1_epi16(1));
  __m256i u = _mm256_set1_epi8(100), s = _mm256_set1_epi8(17);
  __m256i sum[kChains];
  for (size_t c = 0; c < kChains; ++c) sum[c] = _mm256_setzero_si256();
  for (size_t i = 0; i < rounds * (kInt8OpsPerRound / 2 / kMacsPerStep); ++i) {
    for (size_t c = 0; c < kChains; ++c) {
      asm volatile("" : "+x"(u), "+x"(s));
      sum[c] = _mm256_add_epi32(sum[c], _mm256_madd_epi16(_mm256_maddubs_epi16(u, s), ones));
    }
  }
  return Total(sum);
}

// Eight maddubs added in 16 bits, then one madd: operands of 4 bits leave room for that.
uint64_t Int4(size_t rounds) {
  const __m256i ones = Opaque(_mm256_set1_epi16(1));
  __m256i u = _mm256_set1_epi8(15), s = _mm256_set1_epi8(17);
  __m256i sum[kChains];
  for (size_t c = 0; c < kChains; ++c) sum[c] = _mm256_setzero_si256();
  for (size_t i = 0; i < rounds * (kInt8OpsPerRound / 2 / kMacsPerStep / 8); ++i) {
    for (size_t c = 0; c < kChains; ++c) {
      __m256i part = _mm256_setzero_si256();
      for (int step = 0; step < 8; ++step) {
        asm volatile("" : "+x"(u), "+x"(s));
        part = _mm256_add_epi16(part, _mm256_maddubs_epi16(u, s));
      }
      sum[c] = _mm256_add_epi32(sum[c], _mm256_madd_epi16(part, ones));
    }
  }
  return Total(sum);
}

uint64_t F32(size_t rounds) {
  const size_t chains = 12;
  __m256 x = _mm256_set1_ps(1.0f), y = _mm256_set1_ps(0.5f);
  __m256 sum[chains];
  for (size_t c = 0; c < chains; ++c) sum[c] = _mm256_setzero_ps();
  for (size_t i = 0; i < rounds * (kF32OpsPerRound / 2 / (chains * 8)); ++i) {
    asm volatile("" : "+x"(x), "+x"(y));
    for (size_t c = 0; c < chains; ++c) sum[c] = _mm256_fmadd_ps(x, y, sum[c]);
  }
  for (size_t c = 1; c < chains; ++c) sum[0] = _mm256_add_ps(sum[0], sum[c]);
  return static_cast<uint64_t>(_mm256_cvtss_f32(sum[0]));
}

}  // namespace

const ProbeKernels kAvx2Probe = {Read, Int8, Int4, F32};

}  // namespace teetee::bench
#endif
