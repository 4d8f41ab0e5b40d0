// What the AVX2 translation units give to the table in avx2.cc.
#pragma once

#include "ops/cpu/kernels.h"

namespace teetee::ops::cpu {

void Avx2MatMul(const MatMulArgs& args);
void Avx2Attention(const AttentionArgs& args);
void Avx2AttentionMerge(const float* partial, size_t stride, size_t n, size_t head_dim, const float* sink, float* out);
bool Avx2AllBelow(const float* x, size_t n, uint32_t limit_bits);
bool Avx2Quantise(const float* x, size_t k, const BlockSink& sink);
void Avx2RmsNorm(const float* x, const float* w, size_t n, float eps, float* y);
void Avx2LayerNorm(const float* x, const float* w, const float* b, size_t n, float eps, float* y);
void Avx2Activate(Activation act, const float* x, size_t n, float* y);
void Avx2GatedUnit(Activation act, const float* gate, const float* up, size_t n, float* y);
void Avx2Add(const float* x, size_t n, float* y);
void Avx2ToF16(const float* x, size_t n, uint16_t* y);
void Avx2RopeAdjacent(const float* cos_sin, size_t pairs, float* x);
void Avx2RopeHalfSplit(const float* cos_sin, size_t pairs, float* x);

}  // namespace teetee::ops::cpu
