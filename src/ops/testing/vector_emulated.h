// Sixteen lanes in portable C++: what vector_avx512.h says, one lane after the other. Test-only: with it the AVX-512 kernels run,
// bit for bit, on machines that lack the instructions.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "ops/f16.h"

#define TT_INLINE inline __attribute__((always_inline))

namespace teetee::ops::cpu {
namespace {

struct Emulated {
  static constexpr bool kHasDpbusd = true;
  static constexpr bool kHasTiles = false;
  static constexpr int kMatMulTiles = 2;
  static constexpr int kStreams = 1;
  static constexpr int kMatMulRows = 8;
  static constexpr size_t kBytesAhead = 64;
  static constexpr int kSumsInRegisters = 16; // vectors of float sums that a product keeps in registers
  static constexpr int kFloatRows = 8;
  static constexpr int kFloatBlocks = 2;
  static constexpr int kAttentionRows = 8;
  static constexpr int kAttentionBlocks = 2;

  struct F { float v[16]; };
  struct I { int32_t v[16]; };
  struct M { bool v[16]; };

  template <class Out, class Body>
  static Out Lanes(Body body) {
    Out out;
    for (int i = 0; i < 16; ++i) out.v[i] = body(i);
    return out;
  }
  // Reads or makes the bytes and 16-bit halves of I.
  template <class T, class Body>
  [[gnu::noinline]] static I Parts(Body body) {
    T parts[64 / sizeof(T)];
    for (int i = 0; i < static_cast<int>(64 / sizeof(T)); ++i) parts[i] = static_cast<T>(body(i));
    I out;
    std::memcpy(out.v, parts, 64);
    return out;
  }
  template <class T>
  static T Part(const I& a, int i) {
    T part;
    std::memcpy(&part, reinterpret_cast<const char*>(a.v) + i * static_cast<int>(sizeof(T)), sizeof(T));
    return part;
  }

  [[gnu::noinline]] static F Set(float v) { return Lanes<F>([&](int) { return v; }); }
  [[gnu::noinline]] static F Zero() { return Set(0.0f); }
  [[gnu::noinline]] static F Load(const float* p) { return Lanes<F>([&](int i) { return p[i]; }); }
  [[gnu::noinline]] static F Broadcast(const float* p) { return Set(*p); }
  static void Store(float* p, F a) { std::memcpy(p, a.v, 64); }
  [[gnu::noinline]] static F LoadHalves(const void* p) {
    uint16_t h[16];
    std::memcpy(h, p, 32);
    return Lanes<F>([&](int i) { return F16ToF32(h[i]); });
  }
  static void StoreHalves(uint16_t* p, F a) {
    for (int i = 0; i < 16; ++i) p[i] = F32ToF16(a.v[i]);
  }

  [[gnu::noinline]] static F Add(F a, F b) { return Lanes<F>([&](int i) { return a.v[i] + b.v[i]; }); }
  [[gnu::noinline]] static F Sub(F a, F b) { return Lanes<F>([&](int i) { return a.v[i] - b.v[i]; }); }
  [[gnu::noinline]] static F Mul(F a, F b) { return Lanes<F>([&](int i) { return a.v[i] * b.v[i]; }); }
  [[gnu::noinline]] static F Div(F a, F b) { return Lanes<F>([&](int i) { return a.v[i] / b.v[i]; }); }
  [[gnu::noinline]] static F Min(F a, F b) { return Lanes<F>([&](int i) { return a.v[i] < b.v[i] ? a.v[i] : b.v[i]; }); }
  [[gnu::noinline]] static F Max(F a, F b) { return Lanes<F>([&](int i) { return a.v[i] > b.v[i] ? a.v[i] : b.v[i]; }); }
  [[gnu::noinline]] static F Fma(F a, F b, F c) { return Lanes<F>([&](int i) { return __builtin_fmaf(a.v[i], b.v[i], c.v[i]); }); }
  [[gnu::noinline]] static F Fnma(F a, F b, F c) { return Lanes<F>([&](int i) { return __builtin_fmaf(-a.v[i], b.v[i], c.v[i]); }); }
  [[gnu::noinline]] static F And(F a, F b) { return CastF(AndI(CastI(a), CastI(b))); }
  [[gnu::noinline]] static F AndNot(F a, F b) { return CastF(AndI(XorI(CastI(a), SetI(-1)), CastI(b))); }
  [[gnu::noinline]] static F Or(F a, F b) { return CastF(OrI(CastI(a), CastI(b))); }
  [[gnu::noinline]] static F Xor(F a, F b) { return CastF(XorI(CastI(a), CastI(b))); }
  [[gnu::noinline]] static M GreaterEq(F a, F b) { return Lanes<M>([&](int i) { return a.v[i] >= b.v[i]; }); }
  [[gnu::noinline]] static F Select(M m, F yes, F no) { return Lanes<F>([&](int i) { return m.v[i] ? yes.v[i] : no.v[i]; }); }
  [[gnu::noinline]] static F ZeroUnless(M m, F a) { return Lanes<F>([&](int i) { return m.v[i] ? a.v[i] : 0.0f; }); }
  [[gnu::noinline]] static M InRange(int t0, int first, int last) {
    return Lanes<M>([&](int i) { return first <= t0 + i && t0 + i <= last; });
  }

  [[gnu::noinline]] static I SetI(int32_t v) { return Lanes<I>([&](int) { return v; }); }
  [[gnu::noinline]] static I SetI16(int16_t v) { return Parts<int16_t>([&](int) { return v; }); }
  [[gnu::noinline]] static I ZeroI() { return SetI(0); }
  [[gnu::noinline]] static I LoadI(const void* p) {
    I out;
    std::memcpy(out.v, p, 64);
    return out;
  }
  static void StoreI(void* p, I a) { std::memcpy(p, a.v, 64); }
  [[gnu::noinline]] static I BroadcastI(const void* p) {
    int32_t v;
    std::memcpy(&v, p, 4);
    return SetI(v);
  }
  [[gnu::noinline]] static I FromU8(const uint8_t* p) { return Lanes<I>([&](int i) { return int32_t{p[i]}; }); }
  [[gnu::noinline]] static I FromS8(const uint8_t* p) { return Lanes<I>([&](int i) { return int32_t{static_cast<int8_t>(p[i])}; }); }
  [[gnu::noinline]] static I FromU16(const void* p) {
    uint16_t h[16];
    std::memcpy(h, p, 32);
    return Lanes<I>([&](int i) { return int32_t{h[i]}; });
  }
  static void StoreS8(int8_t* p, I a) {
    for (int i = 0; i < 16; ++i) p[i] = static_cast<int8_t>(a.v[i]);
  }

  [[gnu::noinline]] static int32_t Wrap(int64_t v) { return static_cast<int32_t>(static_cast<uint32_t>(v)); }
  [[gnu::noinline]] static I AddI(I a, I b) { return Lanes<I>([&](int i) { return Wrap(int64_t{a.v[i]} + b.v[i]); }); }
  [[gnu::noinline]] static I SubI(I a, I b) { return Lanes<I>([&](int i) { return Wrap(int64_t{a.v[i]} - b.v[i]); }); }
  [[gnu::noinline]] static I MinI(I a, I b) { return Lanes<I>([&](int i) { return a.v[i] < b.v[i] ? a.v[i] : b.v[i]; }); }
  [[gnu::noinline]] static I MaxI(I a, I b) { return Lanes<I>([&](int i) { return a.v[i] > b.v[i] ? a.v[i] : b.v[i]; }); }
  [[gnu::noinline]] static I AndI(I a, I b) { return Lanes<I>([&](int i) { return a.v[i] & b.v[i]; }); }
  [[gnu::noinline]] static I OrI(I a, I b) { return Lanes<I>([&](int i) { return a.v[i] | b.v[i]; }); }
  [[gnu::noinline]] static I XorI(I a, I b) { return Lanes<I>([&](int i) { return a.v[i] ^ b.v[i]; }); }
  template <int kBits>
  [[gnu::noinline]] static I ShiftLeft(I a) {
    return Lanes<I>([&](int i) { return static_cast<int32_t>(static_cast<uint32_t>(a.v[i]) << kBits); });
  }
  [[gnu::noinline]] static I LowNibbles(I a) { return Parts<uint8_t>([&](int i) { return Part<uint8_t>(a, i) & 15; }); }
  [[gnu::noinline]] static I HighNibbles(I a) { return Parts<uint8_t>([&](int i) { return Part<uint8_t>(a, i) >> 4; }); }
  [[gnu::noinline]] static I Lookup(const uint8_t* table, I a) {
    return Parts<uint8_t>([&](int i) { return table[Part<uint8_t>(a, i) & 15]; });
  }
  [[gnu::noinline]] static F CastF(I a) {
    F out;
    std::memcpy(out.v, a.v, 64);
    return out;
  }
  [[gnu::noinline]] static I CastI(F a) {
    I out;
    std::memcpy(out.v, a.v, 64);
    return out;
  }
  [[gnu::noinline]] static F ToFloat(I a) { return Lanes<F>([&](int i) { return static_cast<float>(a.v[i]); }); }
  // To nearest even; what does not fit (a padding lane, never used) becomes the smallest int, as in hardware.
  [[gnu::noinline]] static I ToInt(F a) {
    return Lanes<I>([&](int i) {
      return std::fabs(a.v[i]) < 0x1p31f ? static_cast<int32_t>(std::nearbyint(a.v[i])) : INT32_MIN;
    });
  }

  [[gnu::noinline]] static I MaddI16(I a, I b) {
    return Lanes<I>([&](int i) {
      return Wrap(int64_t{Part<int16_t>(a, 2 * i)} * Part<int16_t>(b, 2 * i) +
                  int64_t{Part<int16_t>(a, 2 * i + 1)} * Part<int16_t>(b, 2 * i + 1));
    });
  }
  [[gnu::noinline]] static I Dpbusd(I acc, I u, I s) {
    return Lanes<I>([&](int i) {
      int64_t sum = acc.v[i];
      for (int j = 4 * i; j < 4 * i + 4; ++j) sum += int64_t{Part<uint8_t>(u, j)} * Part<int8_t>(s, j);
      return Wrap(sum);
    });
  }

  [[gnu::noinline]] static float SumLanes(F a) {
    for (int h = 8; h > 0; h /= 2) {
      for (int l = 0; l < h; ++l) a.v[l] = a.v[l] + a.v[l + h];
    }
    return a.v[0];
  }
  [[gnu::noinline]] static float MaxLane(F a) {
    float m = a.v[0];
    for (float v : a.v) m = v > m ? v : m;
    return m;
  }
  [[gnu::noinline]] static int32_t MaxLaneI(I a) {
    int32_t m = a.v[0];
    for (int32_t v : a.v) m = v > m ? v : m;
    return m;
  }
  [[gnu::noinline]] static int32_t SumLanesI(I a) {
    int64_t sum = 0;
    for (int32_t v : a.v) sum += v;
    return Wrap(sum);
  }
  [[gnu::noinline]] static float Sqrt(float v) { return std::sqrt(v); }
  static void Prefetch(const void*) {}
};

// And what vector_amx.h adds.
struct EmulatedTiles : Emulated {
  static constexpr bool kHasTiles = true;
  static constexpr int kMatMulRows = 16;

  [[gnu::noinline]] static I SubI8(I a, I b) {
    return Parts<uint8_t>([&](int i) { return static_cast<uint8_t>(Part<uint8_t>(a, i) - Part<uint8_t>(b, i)); });
  }
  static void ConfigureTiles(int, int) {}
  static void ReleaseTiles() {}
  template <int kSlot, int kRows, int kBytes>
  [[gnu::noinline]] static void TileProduct(const int8_t* a, const int8_t* b, int32_t* c) {
    static_assert(0 <= kSlot && kSlot < 4);
    for (int row = 0; row < kRows; ++row) {
      for (int lane = 0; lane < 16; ++lane) {
        int64_t sum = 0;
        for (int i = 0; i < kBytes; ++i) sum += int64_t{a[32 * row + i]} * b[64 * (i / 4) + 4 * lane + i % 4];
        c[16 * row + lane] = Wrap(sum);
      }
    }
  }
};

}  // namespace
}  // namespace teetee::ops::cpu
