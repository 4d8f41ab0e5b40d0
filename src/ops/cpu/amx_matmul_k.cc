// AMX: products of the types with super-blocks of 256 weights.
#if defined(__x86_64__)

#include "ops/cpu/amx_kernels.h"
#include "ops/cpu/avx512_kernels.h"
#include "ops/cpu/avx512.h"
#include "ops/cpu/matmul_quantised.h"

namespace teetee::ops::cpu {

void AmxMatMulK(const MatMulArgs& args) {
  MatMulSuperBlocks<Tmm, Avx512MatMul>(args);  // others: of floats
}

}  // namespace teetee::ops::cpu

#endif
