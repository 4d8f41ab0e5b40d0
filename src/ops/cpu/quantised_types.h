// What the inner loops know about each quantised type (numerics.md section 2, layout in tile.h), and how a block of 16 rows
// gives up its scales and codes. For the translation units of an instruction set only.
#pragma once

#include "ops/cpu/tile.h"
#include "ops/cpu/vector_math.h"

namespace teetee::ops::cpu {
namespace {

// Steps: how many maddubs results, each the sum of two products, fit 16 bits together ("How each ISA gets the exact I").
template <Codes kC, Scales kS, int kOff, int kStep, int kPerSuper, bool kIsMxfp4 = false>
struct Type {
  static constexpr Codes kCodes = kC;
  static constexpr Scales kScales = kS;
  static constexpr int kOffset = kOff;  // of the unsigned codes
  static constexpr int kSteps = kStep;
  static constexpr size_t kBlocksPerSuper = kPerSuper;
  static constexpr bool kMxfp4 = kIsMxfp4;
  static constexpr bool kTwoScales = kS == Scales::kTwo || kS == Scales::kTwoMin;
  static constexpr bool kMin = kS == Scales::kHalfMin || kS == Scales::kSubMin;
  static constexpr bool kHasD = kS != Scales::kExponent;
  static constexpr bool kHasM = kMin || kS == Scales::kTwoMin;
  static constexpr bool kPacked = kC == Codes::kNibble || kC == Codes::kTable;
  static constexpr bool kWide = kOff == 128;  // codes of 8 bits: two products fill 16 bits
  static constexpr size_t kHeader = (size_t{kHasD} + size_t{kHasM}) * 2 * kTileRows;
  static constexpr size_t kSub = kTileRows * (kS == Scales::kHalf || kS == Scales::kHalfMin   ? 0
                                              : kS == Scales::kSub || kS == Scales::kExponent ? 1
                                              : kS == Scales::kTwoMin                         ? 4
                                                                                              : 2);
  static constexpr size_t kCodeBytes = kTileRows * (kPacked ? 16 : 32);
  static constexpr size_t kSuperBytes = kHeader + kPerSuper * (kSub + kCodeBytes);
  // Scales that are worth decoding once per task, not once per group of activations.
  static constexpr bool kPanel = kS != Scales::kHalf && kS != Scales::kHalfMin;
};

using Q8_0 = Type<Codes::kSigned, Scales::kHalf, 128, 1, 1>;
using Q4_0 = Type<Codes::kNibble, Scales::kHalf, 8, 8, 1>;
using Q4_1 = Type<Codes::kNibble, Scales::kHalfMin, 0, 8, 1>;
using Q5_0 = Type<Codes::kByte, Scales::kHalf, 16, 4, 1>;
using Q5_1 = Type<Codes::kByte, Scales::kHalfMin, 0, 4, 1>;
using IQ4_NL = Type<Codes::kTable, Scales::kHalf, 128, 1, 1>;
using MXFP4 = Type<Codes::kTable, Scales::kExponent, 12, 4, 1, true>;
using IQ4_XS = Type<Codes::kTable, Scales::kSub, 128, 1, 8>;
using Q2_K = Type<Codes::kNibble, Scales::kTwoMin, 0, 4, 8>;
using Q3_K = Type<Codes::kNibble, Scales::kTwo, 4, 4, 8>;
using Q4_K = Type<Codes::kNibble, Scales::kSubMin, 0, 8, 8>;
using Q5_K = Type<Codes::kByte, Scales::kSubMin, 0, 4, 8>;
using Q6_K = Type<Codes::kByte, Scales::kTwo, 32, 2, 8>;

// The values of the 16 codes, plus the offset of the type.
alignas(16) constexpr uint8_t kIq4Codes[16] = {1,   24,  45,  63,  79,  93,  106, 118,
                                               129, 141, 153, 166, 181, 197, 217, 241};
alignas(16) constexpr uint8_t kMxfp4Codes[16] = {12, 13, 14, 15, 16, 18, 20, 24, 12, 11, 10, 9, 8, 6, 4, 0};

// The scale of a half block: a float, or 16 bits in both halves of a lane for the multiply-add of AVX2.
template <class V, bool kFloat = V::kHasDpbusd>
struct HalfScale {
  using T = typename V::F;
  static TT_INLINE T From(typename V::I s) { return V::ToFloat(s); }
};
template <class V>
struct HalfScale<V, false> {
  using T = typename V::I;
  static TT_INLINE T From(typename V::I s) {
    return V::OrI(V::AndI(s, V::SetI(0xffff)), V::template ShiftLeft<16>(s));
  }
};

// What the float lines of one block need, for 16 rows.
template <class V>
struct BlockScales {
  typename V::F a;
  typename V::F m;                     // minimum (kHalfMin), negated minimum (kSubMin), h(dmin) (kTwoMin)
  typename HalfScale<V>::T s0, s1;     // two scales
  typename V::I mins;                  // kTwoMin: m0 | m1 << 16
};

// 2^(e-128), exact for e = 0 and 1 too, which are subnormal.
template <class V>
TT_INLINE typename V::F ExponentScale(const uint8_t* p) {
  const typename V::I e = V::FromU8(p);
  const typename V::F half = V::Mul(V::CastF(V::template ShiftLeft<23>(e)), V::Set(0.5f));
  return V::Select(V::GreaterEq(V::ToFloat(e), V::Set(1.0f)), half, V::Set(0x1p-128f));
}

template <class V, class T>
TT_INLINE BlockScales<V> ReadScales(const uint8_t* super, const uint8_t* sub) {
  BlockScales<V> s{};
  if constexpr (T::kHasD) s.a = V::LoadHalves(super);
  if constexpr (T::kHasM) s.m = V::LoadHalves(super + 2 * kTileRows);
  if constexpr (T::kScales == Scales::kExponent) s.a = ExponentScale<V>(sub);
  if constexpr (T::kScales == Scales::kSub || T::kScales == Scales::kSubMin) {
    s.a = V::Mul(s.a, V::ToFloat(V::FromS8(sub)));
  }
  if constexpr (T::kScales == Scales::kSubMin) {
    s.m = V::Mul(s.m, V::ToFloat(V::FromS8(sub + kTileRows)));
  }
  if constexpr (T::kTwoScales) {
    s.s0 = HalfScale<V>::From(V::FromS8(sub));
    s.s1 = HalfScale<V>::From(V::FromS8(sub + kTileRows));
  }
  if constexpr (T::kScales == Scales::kTwoMin) {
    const typename V::I m0 = V::FromU8(sub + 2 * kTileRows), m1 = V::FromU8(sub + 3 * kTileRows);
    s.mins = V::OrI(m0, V::template ShiftLeft<16>(m1));
  }
  return s;
}

// A panel keeps BlockScales in memory, as many vectors of 64 bytes as the type has fields.
template <class T>
struct PanelFields {
  static constexpr size_t kBytes = 64 * (1 + size_t{T::kHasM} + 2 * size_t{T::kTwoScales} +
                                         size_t{T::kScales == Scales::kTwoMin});
};

// Whole vectors, so that a load finds one store to take its bytes from.
template <class V>
struct Vectors {
  static TT_INLINE void Put(uint8_t* p, typename V::F v) { V::Store(reinterpret_cast<float*>(p), v); }
  static TT_INLINE void Put(uint8_t* p, typename V::I v) { V::StoreI(p, v); }
  static TT_INLINE void Get(const uint8_t* p, typename V::F* v) { *v = V::Load(reinterpret_cast<const float*>(p)); }
  static TT_INLINE void Get(const uint8_t* p, typename V::I* v) { *v = V::LoadI(p); }
};

template <class V, class T>
TT_INLINE void StorePanel(const BlockScales<V>& s, uint8_t* p) {
  Vectors<V>::Put(p, s.a), p += 64;
  if constexpr (T::kHasM) Vectors<V>::Put(p, s.m), p += 64;
  if constexpr (T::kTwoScales) Vectors<V>::Put(p, s.s0), Vectors<V>::Put(p + 64, s.s1), p += 128;
  if constexpr (T::kScales == Scales::kTwoMin) Vectors<V>::Put(p, s.mins);
}

template <class V, class T>
TT_INLINE BlockScales<V> LoadPanel(const uint8_t* p) {
  BlockScales<V> s{};
  Vectors<V>::Get(p, &s.a), p += 64;
  if constexpr (T::kHasM) Vectors<V>::Get(p, &s.m), p += 64;
  if constexpr (T::kTwoScales) Vectors<V>::Get(p, &s.s0), Vectors<V>::Get(p + 64, &s.s1), p += 128;
  if constexpr (T::kScales == Scales::kTwoMin) Vectors<V>::Get(p, &s.mins);
  return s;
}

// The codes of columns 4t..4t+3, 4 bytes per row, unsigned (plus kOffset).
template <class V, class T>
TT_INLINE typename V::I Weights(const uint8_t* codes, int t) {
  if constexpr (T::kPacked) {
    const typename V::I line = V::LoadI(codes + 64 * (t % 4));
    const typename V::I code = t < 4 ? V::LowNibbles(line) : V::HighNibbles(line);
    if constexpr (T::kCodes == Codes::kNibble) return code;
    return V::Lookup(T::kMxfp4 ? kMxfp4Codes : kIq4Codes, code);
  } else {
    const typename V::I line = V::LoadI(codes + 64 * t);
    if constexpr (T::kCodes == Codes::kSigned) return V::XorI(line, V::SetI(static_cast<int32_t>(0x80808080u)));
    return line;
  }
}

}  // namespace
}  // namespace teetee::ops::cpu
