#include "ops/cpu/kernels.h"

#include "base/check.h"

namespace teetee::ops::cpu {

const Kernels& KernelsFor(Isa isa) {
  TT_CHECK(IsaSupported(isa));
#if defined(__x86_64__)
  if (isa == Isa::kAmx) return kAmxKernels;
  if (isa == Isa::kAvx512) return kAvx512Kernels;
  if (isa == Isa::kAvx2) return kAvx2Kernels;
#endif
  return kScalarKernels;
}

}  // namespace teetee::ops::cpu
