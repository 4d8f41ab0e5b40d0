// AMX: products of quantised types with one scale per 32 weights.
#if defined(__x86_64__)

#include "ops/cpu/amx_kernels.h"
#include "ops/cpu/avx512_kernels.h"
#include "ops/cpu/avx512.h"
#include "ops/cpu/matmul_quantised.h"

namespace teetee::ops::cpu {

void AmxMatMul(const MatMulArgs& args) {
  // So few rows wait for memory; kLeastTileRows / 2 of them are a group of that size.
  if (args.n_grouped <= kLeastTileRows / 2) return Avx512MatMul(args);
  MatMulBlocks<Tmm, AmxMatMulK>(args);
}

}  // namespace teetee::ops::cpu

#endif
