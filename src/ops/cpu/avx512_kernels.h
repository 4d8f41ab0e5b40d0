// What the AVX-512 translation units give to the table in avx512.cc.
#pragma once

#include "ops/cpu/kernels.h"

namespace teetee::ops::cpu {

void Avx512MatMul(const MatMulArgs& args);
void Avx512Attention(const AttentionArgs& args);
void Avx512AttentionMerge(const float* partial, size_t stride, size_t n, size_t head_dim, const float* sink, float* out);
bool Avx512AllBelow(const float* x, size_t n, uint32_t limit_bits);
bool Avx512Quantise(const float* x, size_t k, const BlockSink& sink);
void Avx512RmsNorm(const float* x, const float* w, size_t n, float eps, float* y);
void Avx512LayerNorm(const float* x, const float* w, const float* b, size_t n, float eps, float* y);
void Avx512Activate(Activation act, const float* x, size_t n, float* y);
void Avx512GatedUnit(Activation act, const float* gate, const float* up, size_t n, float* y);
void Avx512Add(const float* x, size_t n, float* y);
void Avx512ToF16(const float* x, size_t n, uint16_t* y);

}  // namespace teetee::ops::cpu
