// binary16 and bfloat16, by integer operations only, so that every machine gives the same bits.
#pragma once

#include <cstdint>

namespace teetee::ops {

float F16ToF32(uint16_t h);   // exact, subnormals too
float Bf16ToF32(uint16_t h);  // exact
// Clamps to +-65504, then rounds to nearest even; subnormals kept. REQUIRES (unchecked): x is finite.
uint16_t F32ToF16(float x);

}  // namespace teetee::ops
