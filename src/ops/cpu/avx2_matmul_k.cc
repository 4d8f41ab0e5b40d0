// AVX2: products of the types with super-blocks of 256 weights.
#if defined(__x86_64__)

#include "ops/cpu/avx2_kernels.h"
#include "ops/cpu/vector_avx2.h"
#include "ops/cpu/matmul_quantised.h"

namespace teetee::ops::cpu {

void Avx2MatMulK(const MatMulArgs& args);

void Avx2MatMulK(const MatMulArgs& args) {
  switch (args.dtype) {
    case DType::kQ2_K:
      return MatMulQuantised<Avx2, Q2_K>(args);
    case DType::kQ3_K:
      return MatMulQuantised<Avx2, Q3_K>(args);
    case DType::kQ4_K:
      return MatMulQuantised<Avx2, Q4_K>(args);
    case DType::kQ5_K:
      return MatMulQuantised<Avx2, Q5_K>(args);
    case DType::kQ6_K:
      return MatMulQuantised<Avx2, Q6_K>(args);
    case DType::kIQ4_XS:
      return MatMulQuantised<Avx2, IQ4_XS>(args);
    default:
      __builtin_trap();  // Avx2MatMul takes the others
  }
}

}  // namespace teetee::ops::cpu

#endif
