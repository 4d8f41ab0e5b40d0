// Activation blocks, norms and element-wise functions as templates over the lanes V. For the translation units of an
// instruction set only.
#pragma once

#include "ops/cpu/vector_math.h"

namespace teetee::ops::cpu {
namespace {

constexpr int32_t kInfinityBits = 0x7f800000;

// The last n % 16 values, zero-padded, so that the vector form serves them too.
struct Tail {
  alignas(64) float v[16] = {};
  Tail(const float* x, size_t n) { memcpy(v, x, n * sizeof(float)); }
};

template <class V>
TT_INLINE void StoreTail(typename V::F a, float* y, size_t n) {
  alignas(64) float out[16];
  V::Store(out, a);
  memcpy(y, out, n * sizeof(float));
}

template <class V>
TT_INLINE typename V::I Magnitude(typename V::F x) {
  return V::AndI(V::CastI(x), V::SetI(0x7fffffff));
}

template <class V>
bool AllBelowOf(const float* x, size_t n, uint32_t limit_bits) {
  typename V::I max = V::ZeroI();
  size_t i = 0;
  for (; i + 16 <= n; i += 16) max = V::MaxI(max, Magnitude<V>(V::Load(x + i)));
  if (i < n) max = V::MaxI(max, Magnitude<V>(V::Load(Tail(x + i, n - i).v)));
  return n == 0 || static_cast<uint32_t>(V::MaxLaneI(max)) < limit_bits;
}

template <class V>
TT_INLINE typename V::I RoundToInt8(typename V::F x, typename V::F id) {
  return V::MaxI(V::MinI(V::ToInt(V::Mul(x, id)), V::SetI(127)), V::SetI(-127));
}

template <class V>
bool QuantiseOf(const float* x, size_t k, const BlockSink& sink) {
  for (size_t b = 0; b < k / 32; ++b, x += 32) {
    const typename V::F x0 = V::Load(x), x1 = V::Load(x + 16);
    const int32_t max = V::MaxLaneI(V::MaxI(Magnitude<V>(x0), Magnitude<V>(x1)));
    if (max >= kInfinityBits) return false;
    float amax;
    memcpy(&amax, &max, 4);
    const bool is_zero = !(amax > 0x1p-100f);
    const typename V::F id = V::Set(is_zero ? 0.0f : 127.0f / amax);
    const float dx = is_zero ? 0.0f : amax / 127.0f;
    const typename V::I q0 = RoundToInt8<V>(x0, id), q1 = RoundToInt8<V>(x1, id);
    const int32_t s0 = V::SumLanesI(q0), s1 = V::SumLanesI(q1);
    const size_t at = b * sink.stride;
    V::StoreS8(sink.q + 32 * at, q0);
    V::StoreS8(sink.q + 32 * at + 16, q1);
    sink.dx[at] = dx;
    sink.dx_sum[at] = dx * static_cast<float>(s0 + s1);
    sink.sums[at] = static_cast<int32_t>((static_cast<uint32_t>(s0) & 0xffff) | static_cast<uint32_t>(s1) << 16);
  }
  return true;
}

// Sixteen lanes of section 4: adds f(x) to the lane of each element. Lanes beyond the end keep their value.
template <class V, class Body>
TT_INLINE float SumOfLanes(const float* x, size_t n, Body add) {
  typename V::F sum = V::Zero();
  size_t i = 0;
  for (; i + 16 <= n; i += 16) sum = add(sum, V::Load(x + i));
  if (i < n) {
    const auto is_used = V::InRange(0, 0, static_cast<int>(n - i) - 1);
    sum = V::Select(is_used, add(sum, V::Load(Tail(x + i, n - i).v)), sum);
  }
  return V::SumLanes(sum);
}

template <class V>
float InverseRoot(float sum_of_squares, size_t n, float eps) {
  const float mean = sum_of_squares / static_cast<float>(n);
  const float v = mean + eps;
  return 1.0f / V::Sqrt(v);
}

template <class V>
void RmsNormOf(const float* x, const float* w, size_t n, float eps, float* y) {
  using F = typename V::F;
  const float sum = SumOfLanes<V>(x, n, [](F lane, F v) __attribute__((always_inline)) { return V::Fma(v, v, lane); });
  const float r = InverseRoot<V>(sum, n, eps);
  size_t i = 0;
  for (; i + 16 <= n; i += 16) {
    F v = V::Mul(V::Load(x + i), V::Set(r));
    if (w != nullptr) v = V::Mul(v, V::Load(w + i));
    V::Store(y + i, v);
  }
  for (; i < n; ++i) {
    const float v = x[i] * r;
    y[i] = w != nullptr ? v * w[i] : v;
  }
}

template <class V>
void LayerNormOf(const float* x, const float* w, const float* b, size_t n, float eps, float* y) {
  using F = typename V::F;
  const float total = SumOfLanes<V>(x, n, [](F lane, F v) __attribute__((always_inline)) { return V::Add(lane, v); });
  const float mean = total / static_cast<float>(n);
  const F mean16 = V::Set(mean);
  const float sum = SumOfLanes<V>(x, n, [mean16](F lane, F v) __attribute__((always_inline)) {
    const F d = V::Sub(v, mean16);
    return V::Fma(d, d, lane);
  });
  const float r = InverseRoot<V>(sum, n, eps);
  for (size_t i = 0; i < n; ++i) {  // vectorised by the compiler, which may not reorder or contract
    float v = (x[i] - mean) * r;
    v = w != nullptr ? v * w[i] : v;
    y[i] = b != nullptr ? v + b[i] : v;
  }
}

// y = act(x), or act(x) * up when up is given.
template <class V, Activation kAct>
void Map(const float* x, const float* up, size_t n, float* y) {
  size_t i = 0;
  for (; i + 16 <= n; i += 16) {
    typename V::F v = Apply16<V, kAct>(V::Load(x + i));
    if (up != nullptr) v = V::Mul(v, V::Load(up + i));
    V::Store(y + i, v);
  }
  if (i == n) return;
  typename V::F v = Apply16<V, kAct>(V::Load(Tail(x + i, n - i).v));
  if (up != nullptr) v = V::Mul(v, V::Load(Tail(up + i, n - i).v));
  StoreTail<V>(v, y + i, n - i);
}

template <class V>
void MapAny(Activation act, const float* x, const float* up, size_t n, float* y) {
  switch (act) {
    case Activation::kSilu:
      return Map<V, Activation::kSilu>(x, up, n, y);
    case Activation::kGeluTanh:
      return Map<V, Activation::kGeluTanh>(x, up, n, y);
    case Activation::kGeluQuick:
      return Map<V, Activation::kGeluQuick>(x, up, n, y);
    case Activation::kRelu:
      return Map<V, Activation::kRelu>(x, up, n, y);
    case Activation::kSigmoid:
      return Map<V, Activation::kSigmoid>(x, up, n, y);
    case Activation::kTanh:
      return Map<V, Activation::kTanh>(x, up, n, y);
    case Activation::kExp:
      return Map<V, Activation::kExp>(x, up, n, y);
  }
}

template <class V>
void AddOf(const float* x, size_t n, float* y) {
  size_t i = 0;
  for (; i + 16 <= n; i += 16) V::Store(y + i, V::Add(V::Load(y + i), V::Load(x + i)));
  for (; i < n; ++i) y[i] = y[i] + x[i];
}

template <class V>
void ToF16Of(const float* x, size_t n, uint16_t* y) {
  const typename V::F most = V::Set(65504.0f), least = V::Set(-65504.0f);
  size_t i = 0;
  for (; i + 16 <= n; i += 16) V::StoreHalves(y + i, V::Max(V::Min(V::Load(x + i), most), least));
  if (i == n) return;
  uint16_t out[16];
  V::StoreHalves(out, V::Max(V::Min(V::Load(Tail(x + i, n - i).v), most), least));
  memcpy(y + i, out, (n - i) * sizeof(uint16_t));
}

}  // namespace
}  // namespace teetee::ops::cpu
