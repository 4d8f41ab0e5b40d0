// AMX: products of the types with super-blocks of 256 weights.
#if defined(__x86_64__)

#include "ops/cpu/amx_kernels.h"
#include "ops/cpu/avx512_kernels.h"
#include "ops/cpu/amx.h"
#include "ops/cpu/matmul_quantised.h"

namespace teetee::ops::cpu {

void AmxMatMulK(const MatMulArgs& args) {
  switch (args.dtype) {
    case DType::kQ2_K:
      return MatMulQuantised<Tmm, Q2_K>(args);
    case DType::kQ3_K:
      return MatMulQuantised<Tmm, Q3_K>(args);
    case DType::kQ4_K:
      return MatMulQuantised<Tmm, Q4_K>(args);
    case DType::kQ5_K:
      return MatMulQuantised<Tmm, Q5_K>(args);
    case DType::kQ6_K:
      return MatMulQuantised<Tmm, Q6_K>(args);
    case DType::kIQ4_XS:
      return MatMulQuantised<Tmm, IQ4_XS>(args);
    default:
      Avx512MatMul(args);  // of floats
  }
}

}  // namespace teetee::ops::cpu

#endif
