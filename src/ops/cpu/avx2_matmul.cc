// AVX2: products of float types and of quantised types with one scale per 32 weights.
#if defined(__x86_64__)

#include "ops/cpu/avx2_kernels.h"
#include "ops/cpu/vector_avx2.h"
#include "ops/cpu/matmul_float.h"
#include "ops/cpu/matmul_quantised.h"

namespace teetee::ops::cpu {

void Avx2MatMulK(const MatMulArgs& args);  // avx2_matmul_k.cc

void Avx2MatMul(const MatMulArgs& args) {
  switch (args.dtype) {
    case DType::kF32:
      return MatMulFloat<Avx2, DType::kF32>(args);
    case DType::kF16:
      return MatMulFloat<Avx2, DType::kF16>(args);
    case DType::kBF16:
      return MatMulFloat<Avx2, DType::kBF16>(args);
    default:
      return MatMulBlocks<Avx2, Avx2MatMulK>(args);
  }
}

}  // namespace teetee::ops::cpu

#endif
