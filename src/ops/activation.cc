#include "ops/activation.h"

#include <bit>

#include "ops/cpu/kernels.h"

namespace teetee::ops {
namespace {

float Fma(float a, float b, float c) { return __builtin_fmaf(a, b, c); }

}  // namespace

float Exp(float x) {
  if (!(x >= -87.0f)) return 0.0f;
  if (x > 88.0f) x = 88.0f;
  float t = Fma(x, 0x1.715476p+0f, 0x1.8p23f);  // x / ln 2, rounded to an integer in the low bits
  float k = t - 0x1.8p23f;
  float r = Fma(k, -0x1.62e4p-1f, x);
  r = Fma(k, -0x1.7f7d1cp-20f, r);
  float p = 0x1.6850e4p-10f;
  for (float c : {0x1.123bccp-7f, 0x1.555b98p-5f, 0x1.55548ep-3f, 0x1.fffff8p-2f, 1.0f, 1.0f}) {
    p = Fma(p, r, c);
  }
  return std::bit_cast<float>(std::bit_cast<uint32_t>(p) + (std::bit_cast<uint32_t>(t) << 23));
}

float Tanh(float x) {
  uint32_t bits = std::bit_cast<uint32_t>(x);
  float y = std::bit_cast<float>(bits & 0x7fffffffu);
  float v;
  if (y < 0.25f) {
    float z = y * y;
    float p = 0x1.54c588p-6f;
    for (float c : {-0x1.b9c4ep-5f, 0x1.1110ccp-3f, -0x1.555556p-2f}) p = Fma(p, z, c);
    v = Fma(y * z, p, y);
  } else {
    v = 1.0f - 2.0f / (Exp(2.0f * y) + 1.0f);
  }
  return std::bit_cast<float>(std::bit_cast<uint32_t>(v) | (bits & 0x80000000u));
}

float Sigmoid(float x) { return 1.0f / (1.0f + Exp(-x)); }
float Silu(float x) { return x / (1.0f + Exp(-x)); }

float GeluTanh(float x) {
  float a = x * x;
  float b = Fma(a, -0x1.2444f2p-4f, -0x1.988454p+0f);
  return x / (1.0f + Exp(x * b));
}

float GeluQuick(float x) { return x / (1.0f + Exp(x * -0x1.b3b646p+0f)); }
float Relu(float x) { return x > 0.0f ? x : 0.0f; }

void Activate(Isa isa, Activation act, const float* x, size_t n, float* y) {
  cpu::KernelsFor(isa).activate(act, x, n, y);
}

void GatedUnit(Isa isa, Activation act, const float* gate, const float* up, size_t n, float* y) {
  cpu::KernelsFor(isa).gated_unit(act, gate, up, n, y);
}

void SwiGluOai(const float* gate, const float* up, size_t n, float alpha, float limit, float* y) {
  for (size_t i = 0; i < n; ++i) {
    float g = gate[i] < limit ? gate[i] : limit;
    float u = up[i] < limit ? up[i] : limit;
    u = u > -limit ? u : -limit;
    float s = g / (1.0f + Exp(-(alpha * g)));
    y[i] = s * (u + 1.0f);
  }
}

void Add(const float* x, size_t n, float* y) {
  for (size_t i = 0; i < n; ++i) y[i] = y[i] + x[i];
}

void Add(Isa isa, const float* x, size_t n, float* y) { cpu::KernelsFor(isa).add(x, n, y); }

void AddBias(const float* bias, size_t rows, size_t n, float* y) {
  for (size_t r = 0; r < rows; ++r) {
    for (size_t i = 0; i < n; ++i) y[r * n + i] = y[r * n + i] + bias[i];
  }
}

void Scale(float factor, size_t n, float* y) {
  for (size_t i = 0; i < n; ++i) y[i] = y[i] * factor;
}

void SoftCap(float cap, size_t n, float* y) {
  for (size_t i = 0; i < n; ++i) y[i] = cap * Tanh(y[i] / cap);
}

}  // namespace teetee::ops
