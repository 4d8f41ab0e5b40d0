// Instruction sets that kernels exist for. All give the same bits (docs/formats/numerics.md); they differ in speed only.
#pragma once

#include <string_view>

#include "base/result.h"

namespace teetee::ops {

enum class Isa {
  kScalar,  // portable C++
  kAvx2,    // AVX2 + FMA + F16C
  kAvx512,  // AVX-512 F/BW/VL/DQ + VNNI on top of kAvx2
  kAmx,     // AMX int8 on top of kAvx512; not measured yet on a machine that has it, so used only where it is named
};
inline constexpr Isa kAllIsas[] = {Isa::kScalar, Isa::kAvx2, Isa::kAvx512, Isa::kAmx};
inline constexpr Isa kVectorIsas[] = {Isa::kAvx2, Isa::kAvx512, Isa::kAmx};

bool IsaSupported(Isa isa);  // asks the CPU and the operating system, at run time
Isa BestIsa();               // the fastest supported one; not kAmx
std::string_view IsaName(Isa isa);  // "scalar", "avx2", "avx512", "amx"
// The inverse of IsaName. kInvalidArgument for another text, kFailedPrecondition when this machine lacks it.
Result<Isa> ParseIsa(std::string_view name);

}  // namespace teetee::ops
