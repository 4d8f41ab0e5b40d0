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
    case DType::kQ8_0:
      return MatMulQuantised<Zmm, Q8_0>(args);
    case DType::kQ4_0:
      return MatMulQuantised<Zmm, Q4_0>(args);
    case DType::kQ4_1:
      return MatMulQuantised<Zmm, Q4_1>(args);
    case DType::kQ5_0:
      return MatMulQuantised<Zmm, Q5_0>(args);
    case DType::kQ5_1:
      return MatMulQuantised<Zmm, Q5_1>(args);
    case DType::kIQ4_NL:
      return MatMulQuantised<Zmm, IQ4_NL>(args);
    case DType::kMXFP4:
      return MatMulQuantised<Zmm, MXFP4>(args);
    default:
      return Avx512MatMulK(args);
  }
}

}  // namespace teetee::ops::cpu

#endif
