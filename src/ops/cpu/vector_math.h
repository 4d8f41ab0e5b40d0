// The functions of numerics.md section 5 over sixteen lanes. V is Avx2, Avx512 or Emulated; for the translation units of an
// instruction set only, after the header of its V.
#pragma once

#include <utility>

#include "ops/activation.h"
#include "ops/cpu/kernels.h"

namespace teetee::ops::cpu {
namespace {

// Calls body(Index<0>()) .. body(Index<n - 1>()). Constant indices keep small arrays of vectors in registers from the start.
template <int kI>
struct Index {
  static constexpr int value = kI;
  constexpr operator int() const { return kI; }
};
template <class Body, int... kI>
TT_INLINE void ForEachOf(std::integer_sequence<int, kI...>, Body body) {
  (body(Index<kI>()), ...);
}
template <int n, class Body>
TT_INLINE void ForEach(Body body) {
  ForEachOf(std::make_integer_sequence<int, n>(), body);
}

// kBounded: every x is known to be at most 88.
template <class V, bool kBounded = false>
TT_INLINE typename V::F Exp16(typename V::F x) {
  using F = typename V::F;
  const auto keep = V::GreaterEq(x, V::Set(-87.0f));
  const F magic = V::Set(0x1.8p23f);
  if constexpr (!kBounded) x = V::Min(x, V::Set(88.0f));
  const F t = V::Fma(x, V::Set(0x1.715476p+0f), magic);
  const F k = V::Sub(t, magic);
  F r = V::Fma(k, V::Set(-0x1.62e4p-1f), x);
  r = V::Fma(k, V::Set(-0x1.7f7d1cp-20f), r);
  F p = V::Set(0x1.6850e4p-10f);
  p = V::Fma(p, r, V::Set(0x1.123bccp-7f));
  p = V::Fma(p, r, V::Set(0x1.555b98p-5f));
  p = V::Fma(p, r, V::Set(0x1.55548ep-3f));
  p = V::Fma(p, r, V::Set(0x1.fffff8p-2f));
  p = V::Fma(p, r, V::Set(1.0f));
  p = V::Fma(p, r, V::Set(1.0f));
  return V::ZeroUnless(keep, V::CastF(V::AddI(V::CastI(p), V::template ShiftLeft<23>(V::CastI(t)))));
}

template <class V>
TT_INLINE typename V::F Tanh16(typename V::F x) {
  using F = typename V::F;
  const F sign_bit = V::Set(-0.0f), one = V::Set(1.0f);
  const F y = V::AndNot(sign_bit, x);
  const F z = V::Mul(y, y);
  F p = V::Set(0x1.54c588p-6f);
  p = V::Fma(p, z, V::Set(-0x1.b9c4ep-5f));
  p = V::Fma(p, z, V::Set(0x1.1110ccp-3f));
  p = V::Fma(p, z, V::Set(-0x1.555556p-2f));
  const F small = V::Fma(V::Mul(y, z), p, y);
  const F e = Exp16<V>(V::Mul(V::Set(2.0f), y));
  const F large = V::Sub(one, V::Div(V::Set(2.0f), V::Add(e, one)));
  return V::Or(V::And(x, sign_bit), V::Select(V::GreaterEq(y, V::Set(0.25f)), large, small));
}

template <class V, Activation kAct>
TT_INLINE typename V::F Apply16(typename V::F x) {
  using F = typename V::F;
  const F one = V::Set(1.0f);
  if constexpr (kAct == Activation::kSilu) {
    return V::Div(x, V::Add(one, Exp16<V>(V::Xor(x, V::Set(-0.0f)))));
  } else if constexpr (kAct == Activation::kGeluTanh) {
    const F b = V::Fma(V::Mul(x, x), V::Set(-0x1.2444f2p-4f), V::Set(-0x1.988454p+0f));
    return V::Div(x, V::Add(one, Exp16<V>(V::Mul(x, b))));
  } else if constexpr (kAct == Activation::kGeluQuick) {
    return V::Div(x, V::Add(one, Exp16<V>(V::Mul(x, V::Set(-0x1.b3b646p+0f)))));
  } else if constexpr (kAct == Activation::kRelu) {
    return V::Max(x, V::Zero());  // the second operand where they compare equal: +0 for -0
  } else if constexpr (kAct == Activation::kSigmoid) {
    return V::Div(one, V::Add(one, Exp16<V>(V::Xor(x, V::Set(-0.0f)))));
  } else if constexpr (kAct == Activation::kTanh) {
    return Tanh16<V>(x);
  } else {
    return Exp16<V>(x);
  }
}

}  // namespace
}  // namespace teetee::ops::cpu
