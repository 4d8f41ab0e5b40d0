#include "ops/cpu/kernels.h"

#include "base/check.h"

namespace teetee::ops::cpu {

const Kernels& KernelsFor(Isa isa) {
  TT_CHECK(IsaSupported(isa));
#if defined(__x86_64__)
  // AVX-512 machines run the AVX2 kernels until they have their own (IsaNote says so).
  if (isa != Isa::kScalar) return kAvx2Kernels;
#endif
  return kScalarKernels;
}

}  // namespace teetee::ops::cpu
