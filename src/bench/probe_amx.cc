// The probe of products for AMX: blocks of 32, the most that one scale covers (docs/formats/numerics.md section 2).
#if defined(__x86_64__)
#include "bench/probe_kernels.h"

namespace teetee::bench {
namespace {

// 16 rows of 32 bytes by 32 rows of 16: 8192 multiply-adds, so that eight rounds are four products. The instructions are written out, see ops/cpu/vector_amx.h.
enum : size_t { kOpsPerProduct = 2 * 16 * 16 * 32 };

struct TileConfig {
  uint8_t palette = 1, start_row = 0, reserved[14] = {};
  uint16_t row_bytes[16] = {64, 64, 64, 64, 32, 32, 64, 64};
  uint8_t rows[16] = {16, 16, 16, 16, 16, 16, 8, 8};
};

}  // namespace

uint64_t AmxInt8(size_t rounds) {
  const TileConfig config;
  alignas(64) int32_t sums[16 * 16] = {};
  asm volatile("ldtilecfg %0" : : "m"(config));
  asm volatile("tilezero %%tmm0\n\ttilezero %%tmm1\n\ttilezero %%tmm2\n\ttilezero %%tmm3\n\t"
               "tilezero %%tmm4\n\ttilezero %%tmm5\n\ttilezero %%tmm6\n\ttilezero %%tmm7" : :);
  for (size_t i = 0; i < (rounds * kInt8OpsPerRound - 1) / (4 * kOpsPerProduct) + 1; ++i) {
    asm volatile("tdpbssd %%tmm6, %%tmm4, %%tmm0\n\ttdpbssd %%tmm7, %%tmm4, %%tmm1\n\t"
                 "tdpbssd %%tmm6, %%tmm5, %%tmm2\n\ttdpbssd %%tmm7, %%tmm5, %%tmm3" : :);
  }
  asm volatile("tilestored %%tmm0, (%0,%1,1)\n\ttilerelease" : : "r"(sums), "r"(size_t{64}) : "memory");
  return static_cast<uint64_t>(sums[0]);
}

}  // namespace teetee::bench
#endif
