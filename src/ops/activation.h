// Element-wise functions of profile 1: exp and what is built from it, gated units, sums and products.
// All take finite input and may write in place. Source: docs/formats/numerics.md section 5. Cannot fail.
#pragma once

#include <cstddef>

#include "ops/isa.h"

namespace teetee::ops {

// One value, portable. The vector functions below give the same bits.
float Exp(float x);  // exp(NaN) = +0
float Tanh(float x);
float Sigmoid(float x);
float Silu(float x);
float GeluTanh(float x);
float GeluQuick(float x);
float Relu(float x);

enum class Activation { kSilu, kGeluTanh, kGeluQuick, kRelu, kSigmoid, kTanh, kExp };

// y[i] = act(x[i]); x, y: (n).
void Activate(Isa isa, Activation act, const float* x, size_t n, float* y);
// y[i] = act(gate[i]) * up[i]; all (n).
void GatedUnit(Isa isa, Activation act, const float* gate, const float* up, size_t n, float* y);
inline void SwiGlu(Isa isa, const float* gate, const float* up, size_t n, float* y) {
  GatedUnit(isa, Activation::kSilu, gate, up, n, y);
}
// The clamped unit of gpt-oss: g = min(g, limit), u = clamp(u, +-limit), (g / (1 + exp(-alpha g))) * (u + 1).
void SwiGluOai(const float* gate, const float* up, size_t n, float alpha, float limit, float* y);

void Add(const float* x, size_t n, float* y);                       // y += x, both (n): the residual sum
void Add(Isa isa, const float* x, size_t n, float* y);
void AddBias(const float* bias, size_t rows, size_t n, float* y);   // y: (rows, n), bias: (n)
void Scale(float factor, size_t n, float* y);                       // y *= factor
void SoftCap(float cap, size_t n, float* y);                        // y = cap * tanh(y / cap)

}  // namespace teetee::ops
