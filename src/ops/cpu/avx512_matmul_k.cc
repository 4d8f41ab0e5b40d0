// AVX-512: products of the types with super-blocks of 256 weights.
#if defined(__x86_64__)

#include "ops/cpu/avx512_kernels.h"
#include "ops/cpu/avx512.h"
#include "ops/cpu/matmul_quantised.h"

namespace teetee::ops::cpu {

void Avx512MatMulK(const MatMulArgs& args);

void Avx512MatMulK(const MatMulArgs& args) {
  switch (args.dtype) {
    case DType::kQ2_K:
      return MatMulQuantised<Zmm, Q2_K>(args);
    case DType::kQ3_K:
      return MatMulQuantised<Zmm, Q3_K>(args);
    case DType::kQ4_K:
      return MatMulQuantised<Zmm, Q4_K>(args);
    case DType::kQ5_K:
      return MatMulQuantised<Zmm, Q5_K>(args);
    case DType::kQ6_K:
      return MatMulQuantised<Zmm, Q6_K>(args);
    case DType::kIQ4_XS:
      return MatMulQuantised<Zmm, IQ4_XS>(args);
    default:
      __builtin_trap();  // Avx512MatMul takes the others
  }
}

}  // namespace teetee::ops::cpu

#endif
