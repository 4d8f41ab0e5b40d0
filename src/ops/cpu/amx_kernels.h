// What the AMX translation units give to the table in avx512.cc.
#pragma once

#include "ops/cpu/kernels.h"

namespace teetee::ops::cpu {

void AmxMatMul(const MatMulArgs& args);   // float types as Avx512MatMul
void AmxMatMulK(const MatMulArgs& args);  // types with super-blocks

}  // namespace teetee::ops::cpu
