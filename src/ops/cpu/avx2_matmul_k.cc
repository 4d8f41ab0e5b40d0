// AVX2: products of the types with super-blocks of 256 weights.
#if defined(__x86_64__)

#include "ops/cpu/avx2_kernels.h"
#include "ops/cpu/vector_avx2.h"
#include "ops/cpu/matmul_quantised.h"

namespace teetee::ops::cpu {

void Avx2MatMulK(const MatMulArgs& args);

namespace {

void Trap(const MatMulArgs&) { __builtin_trap(); }  // Avx2MatMul takes the others

}  // namespace

void Avx2MatMulK(const MatMulArgs& args) {
  MatMulSuperBlocks<Avx2, Trap>(args);
}

}  // namespace teetee::ops::cpu

#endif
