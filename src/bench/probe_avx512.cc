// Probes for AVX-512 with VNNI. Everything but the table is in an anonymous namespace.
#if defined(__x86_64__)
#include <immintrin.h>

#include "bench/probe_kernels.h"

namespace teetee::bench {
namespace {

inline uint64_t FirstWord(__m512i v) {
  alignas(64) uint64_t words[8];
  _mm512_store_si512(words, v);
  return words[0];
}

inline __m512i ReadLines(const uint8_t* p, __m512i sum) {
  __m512i a = _mm512_xor_si512(_mm512_load_si512(p), _mm512_load_si512(p + 64));
  __m512i b = _mm512_xor_si512(_mm512_load_si512(p + 128), _mm512_load_si512(p + 192));
  return _mm512_xor_si512(sum, _mm512_xor_si512(a, b));
}

template <size_t kStreams, bool kPrefetch>
uint64_t ReadLoop(const uint8_t* data, size_t bytes, size_t ahead) {
  const size_t stride = bytes / kStreams;
  __m512i sum[kStreams];
  for (size_t s = 0; s < kStreams; ++s) sum[s] = _mm512_setzero_si512();
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
  for (size_t s = 1; s < kStreams; ++s) sum[0] = _mm512_xor_si512(sum[0], sum[s]);
  return FirstWord(sum[0]);
}

uint64_t Read(const uint8_t* data, size_t bytes, ReadPattern pattern) {
  const size_t ahead = pattern.prefetch_bytes;
  if (pattern.streams == 1) {
    return ahead == 0 ? ReadLoop<1, false>(data, bytes, 0) : ReadLoop<1, true>(data, bytes, ahead);
  }
  return ahead == 0 ? ReadLoop<4, false>(data, bytes, 0) : ReadLoop<4, true>(data, bytes, ahead);
}

enum : size_t { kChains = 16 };

uint64_t Int8(size_t rounds) {
  __m512i u = _mm512_set1_epi8(100), s = _mm512_set1_epi8(17);
  __m512i sum[kChains];
  for (size_t c = 0; c < kChains; ++c) sum[c] = _mm512_setzero_si512();
  for (size_t i = 0; i < rounds * (kInt8OpsPerRound / 2 / (kChains * 64)); ++i) {
    asm volatile("" : "+v"(u), "+v"(s));
    for (size_t c = 0; c < kChains; ++c) sum[c] = _mm512_dpbusd_epi32(sum[c], u, s);
  }
  for (size_t c = 1; c < kChains; ++c) sum[0] = _mm512_add_epi32(sum[0], sum[c]);
  return FirstWord(sum[0]);
}

uint64_t F32(size_t rounds) {
  __m512 x = _mm512_set1_ps(1.0f), y = _mm512_set1_ps(0.5f);
  __m512 sum[kChains];
  for (size_t c = 0; c < kChains; ++c) sum[c] = _mm512_setzero_ps();
  for (size_t i = 0; i < rounds * (kF32OpsPerRound / 2 / (kChains * 16)); ++i) {
    asm volatile("" : "+v"(x), "+v"(y));
    for (size_t c = 0; c < kChains; ++c) sum[c] = _mm512_fmadd_ps(x, y, sum[c]);
  }
  for (size_t c = 1; c < kChains; ++c) sum[0] = _mm512_add_ps(sum[0], sum[c]);
  return static_cast<uint64_t>(_mm512_cvtss_f32(sum[0]));
}

}  // namespace

const ProbeKernels kAvx512Probe = {Read, Int8, Int8, F32};
const ProbeKernels kAmxProbe = {Read, AmxInt8, AmxInt8, F32};

}  // namespace teetee::bench
#endif
