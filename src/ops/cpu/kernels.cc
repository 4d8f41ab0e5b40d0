#include "ops/cpu/kernels.h"

#include "base/check.h"

namespace teetee::ops::cpu {

const Kernels& KernelsFor(Isa isa) {
  TT_CHECK(IsaSupported(isa));
  return kScalarKernels;
}

}  // namespace teetee::ops::cpu
