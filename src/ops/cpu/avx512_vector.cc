// AVX-512: activation blocks, norms, element-wise functions.
#if defined(__x86_64__)

#include "ops/cpu/avx512_kernels.h"
#include "ops/cpu/avx512.h"
#include "ops/cpu/vector_kernels.h"

namespace teetee::ops::cpu {

bool Avx512AllBelow(const float* x, size_t n, uint32_t limit_bits) { return AllBelowOf<Zmm>(x, n, limit_bits); }
bool Avx512Quantise(const float* x, size_t k, const BlockSink& sink) { return QuantiseOf<Zmm>(x, k, sink); }
void Avx512RmsNorm(const float* x, const float* w, size_t n, float eps, float* y) { RmsNormOf<Zmm>(x, w, n, eps, y); }
void Avx512LayerNorm(const float* x, const float* w, const float* b, size_t n, float eps, float* y) {
  LayerNormOf<Zmm>(x, w, b, n, eps, y);
}
void Avx512Activate(Activation act, const float* x, size_t n, float* y) { MapAny<Zmm>(act, x, nullptr, n, y); }
void Avx512GatedUnit(Activation act, const float* gate, const float* up, size_t n, float* y) {
  MapAny<Zmm>(act, gate, up, n, y);
}
void Avx512Add(const float* x, size_t n, float* y) { AddOf<Zmm>(x, n, y); }
void Avx512ToF16(const float* x, size_t n, uint16_t* y) { ToF16Of<Zmm>(x, n, y); }

}  // namespace teetee::ops::cpu

#endif
