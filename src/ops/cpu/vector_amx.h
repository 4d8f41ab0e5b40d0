// AVX-512 with the tiles of AMX (int8). Source: Intel 64 and IA-32 Architectures Software Developer's Manual, volume 1 chapter 18,
// volume 2 LDTILECFG and TDPBSSD. The instructions are written out: the intrinsics of g++ 12 tell it that _tile_loadconfig reads
// eight bytes, and it leaves out the rest of the configuration.
#pragma once

#include "ops/cpu/vector_avx512.h"

namespace teetee::ops::cpu {
namespace {

struct Amx : Avx512 {
  static constexpr bool kHasTiles = true;
  static constexpr int kMatMulRows = 16;

  static TT_INLINE I SubI8(I a, I b) { return _mm512_sub_epi8(a, b); }

  // The shape of the products that this thread makes from now on: `rows` (at most 16) of `bytes` (at most 64).
  static TT_INLINE void ConfigureTiles(int rows, int bytes) {
    struct {
      uint8_t palette = 1, start_row = 0, reserved[14] = {};
      uint16_t row_bytes[16] = {};
      uint8_t rows[16] = {};
    } config;
    for (int t = 0; t < 8; ++t) {
      const bool is_b = t >= 6;
      config.row_bytes[t] = static_cast<uint16_t>(t == 4 || t == 5 ? bytes : 64);
      config.rows[t] = static_cast<uint8_t>(is_b ? bytes / 4 : rows);
    }
    asm volatile("ldtilecfg %0" : : "m"(config));
  }
  static TT_INLINE void ReleaseTiles() { asm volatile("tilerelease"); }

  // c = a * b. a: (kRows, kBytes) at a stride of 32 bytes; b: (kBytes / 4, 16, 4); c: (kRows, 16). Neighbouring products in time
  // take different slots, 0 to 3. REQUIRES: ConfigureTiles(kRows, kBytes).
  template <int kSlot, int kRows, int kBytes>
  static TT_INLINE void TileProduct(const int8_t* a, const int8_t* b, int32_t* c) {
    asm volatile(
        "tilezero %%tmm%c[sum]\n\t"
        "tileloadd (%[b],%[line],1), %%tmm%c[right]\n\t"
        "tileloadd (%[a],%[block],1), %%tmm%c[left]\n\t"
        "tdpbssd %%tmm%c[right], %%tmm%c[left], %%tmm%c[sum]\n\t"
        "tilestored %%tmm%c[sum], (%[c],%[line],1)"
        :
        : [a] "r"(a), [b] "r"(b), [c] "r"(c), [block] "r"(size_t{32}), [line] "r"(size_t{64}), [sum] "i"(kSlot),
          [left] "i"(4 + kSlot % 2), [right] "i"(6 + kSlot % 2)
        : "memory");
  }
};

}  // namespace
}  // namespace teetee::ops::cpu
