// AVX-512: products of the types with super-blocks of 256 weights.
#if defined(__x86_64__)

#include "ops/cpu/avx512_kernels.h"
#include "ops/cpu/avx512.h"
#include "ops/cpu/matmul_quantised.h"

namespace teetee::ops::cpu {

void Avx512MatMulK(const MatMulArgs& args);

namespace {

void Trap(const MatMulArgs&) { __builtin_trap(); }  // Avx512MatMul takes the others

}  // namespace

void Avx512MatMulK(const MatMulArgs& args) {
  MatMulSuperBlocks<Zmm, Trap>(args);
}

}  // namespace teetee::ops::cpu

#endif
