// AVX2: activation blocks, norms, element-wise functions, RoPE.
#if defined(__x86_64__)

#include "ops/cpu/avx2_kernels.h"
#include "ops/cpu/vector_avx2.h"
#include "ops/cpu/vector_kernels.h"

namespace teetee::ops::cpu {

bool Avx2AllBelow(const float* x, size_t n, uint32_t limit_bits) { return AllBelowOf<Avx2>(x, n, limit_bits); }
bool Avx2Quantise(const float* x, size_t k, const BlockSink& sink) { return QuantiseOf<Avx2>(x, k, sink); }
void Avx2RmsNorm(const float* x, const float* w, size_t n, float eps, float* y) { RmsNormOf<Avx2>(x, w, n, eps, y); }
void Avx2LayerNorm(const float* x, const float* w, const float* b, size_t n, float eps, float* y) {
  LayerNormOf<Avx2>(x, w, b, n, eps, y);
}
void Avx2Activate(Activation act, const float* x, size_t n, float* y) { MapAny<Avx2>(act, x, nullptr, n, y); }
void Avx2GatedUnit(Activation act, const float* gate, const float* up, size_t n, float* y) {
  MapAny<Avx2>(act, gate, up, n, y);
}
void Avx2Add(const float* x, size_t n, float* y) { AddOf<Avx2>(x, n, y); }
void Avx2ToF16(const float* x, size_t n, uint16_t* y) { ToF16Of<Avx2>(x, n, y); }

namespace {

void RotatePair(float c, float s, float* x0, float* x1) {
  const float t0 = *x1 * s;
  const float t1 = *x1 * c;
  const float y0 = __builtin_fmaf(*x0, c, -t0);
  *x1 = __builtin_fmaf(*x0, s, t1);
  *x0 = y0;
}

}  // namespace

void Avx2RopeAdjacent(const float* cos_sin, size_t pairs, float* x) {
  const __m256 even_sign = _mm256_setr_ps(-0.0f, 0.0f, -0.0f, 0.0f, -0.0f, 0.0f, -0.0f, 0.0f);
  size_t i = 0;
  for (; i + 4 <= pairs; i += 4) {
    const __m256 cs = _mm256_loadu_ps(cos_sin + 2 * i);
    const __m256 sc = _mm256_permute_ps(cs, 0xb1);
    const __m256 v = _mm256_loadu_ps(x + 2 * i);
    const __m256 t = _mm256_mul_ps(_mm256_movehdup_ps(v), sc);  // x1*s, x1*c
    const __m256 y = _mm256_fmadd_ps(_mm256_moveldup_ps(v), cs, _mm256_xor_ps(t, even_sign));
    _mm256_storeu_ps(x + 2 * i, y);
  }
  for (; i < pairs; ++i) RotatePair(cos_sin[2 * i], cos_sin[2 * i + 1], x + 2 * i, x + 2 * i + 1);
}

void Avx2RopeHalfSplit(const float* cos_sin, size_t pairs, float* x) {
  size_t i = 0;
  for (; i + 8 <= pairs; i += 8) {
    const __m256 a = _mm256_loadu_ps(cos_sin + 2 * i);
    const __m256 b = _mm256_loadu_ps(cos_sin + 2 * i + 8);
    const __m256 low = _mm256_permute2f128_ps(a, b, 0x20), high = _mm256_permute2f128_ps(a, b, 0x31);
    const __m256 c = _mm256_shuffle_ps(low, high, 0x88), s = _mm256_shuffle_ps(low, high, 0xdd);
    const __m256 x0 = _mm256_loadu_ps(x + i), x1 = _mm256_loadu_ps(x + pairs + i);
    _mm256_storeu_ps(x + i, _mm256_fmsub_ps(x0, c, _mm256_mul_ps(x1, s)));
    _mm256_storeu_ps(x + pairs + i, _mm256_fmadd_ps(x0, s, _mm256_mul_ps(x1, c)));
  }
  for (; i < pairs; ++i) RotatePair(cos_sin[2 * i], cos_sin[2 * i + 1], x + i, x + pairs + i);
}

}  // namespace teetee::ops::cpu

#endif
