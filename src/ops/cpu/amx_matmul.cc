// AMX: products of quantised types with one scale per 32 weights.
#if defined(__x86_64__)

#include "ops/cpu/amx_kernels.h"
#include "ops/cpu/avx512_kernels.h"
#include "ops/cpu/amx.h"
#include "ops/cpu/matmul_quantised.h"

namespace teetee::ops::cpu {

void AmxMatMul(const MatMulArgs& args) {
  // So few rows wait for memory; kLeastTileRows / 2 of them are a group of that size.
  if (args.n_grouped <= kLeastTileRows / 2) return Avx512MatMul(args);
  switch (args.dtype) {
    case DType::kQ8_0:
      return MatMulQuantised<Tmm, Q8_0>(args);
    case DType::kQ4_0:
      return MatMulQuantised<Tmm, Q4_0>(args);
    case DType::kQ4_1:
      return MatMulQuantised<Tmm, Q4_1>(args);
    case DType::kQ5_0:
      return MatMulQuantised<Tmm, Q5_0>(args);
    case DType::kQ5_1:
      return MatMulQuantised<Tmm, Q5_1>(args);
    case DType::kIQ4_NL:
      return MatMulQuantised<Tmm, IQ4_NL>(args);
    case DType::kMXFP4:
      return MatMulQuantised<Tmm, MXFP4>(args);
    default:
      return AmxMatMulK(args);
  }
}

}  // namespace teetee::ops::cpu

#endif
