// The lanes and tiles of the AMX translation units, as avx512.h has those of AVX-512.
#pragma once

#if defined(TEETEE_EMULATE_AVX512)
#include "ops/testing/vector_emulated.h"
#else
#include "ops/cpu/vector_amx.h"
#endif

namespace teetee::ops::cpu {
namespace {

#if defined(TEETEE_EMULATE_AVX512)
using Tmm = EmulatedTiles;
#else
using Tmm = Amx;
#endif

}  // namespace
}  // namespace teetee::ops::cpu
