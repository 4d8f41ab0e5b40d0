// AVX-512: products of float types and of quantised types with one scale per 32 weights.
#if defined(__x86_64__)

#include "ops/cpu/avx512_kernels.h"
#include "ops/cpu/avx512.h"
#include "ops/cpu/matmul_float.h"
#include "ops/cpu/matmul_quantised.h"

namespace teetee::ops::cpu {

void Avx512MatMulK(const MatMulArgs& args);  // avx512_matmul_k.cc

void Avx512MatMul(const MatMulArgs& args) {
  switch (args.dtype) {
    case DType::kF32:
      return MatMulFloat<Zmm, DType::kF32>(args);
    case DType::kF16:
      return MatMulFloat<Zmm, DType::kF16>(args);
    case DType::kBF16:
      return MatMulFloat<Zmm, DType::kBF16>(args);
    default:
      return MatMulBlocks<Zmm, Avx512MatMulK>(args);
  }
}

}  // namespace teetee::ops::cpu

#endif
