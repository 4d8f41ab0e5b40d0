// The lanes of the AVX-512 translation units, and the tiles of those of AMX. A test program compiles the same units over lanes in portable C++, so that the
// kernels are checked bit for bit on machines that lack the instructions.
#pragma once

#if defined(TEETEE_EMULATE_AVX512)
#include "ops/testing/vector_emulated.h"
#else
#include "ops/cpu/vector_amx.h"
#endif

namespace teetee::ops::cpu {
namespace {

#if defined(TEETEE_EMULATE_AVX512)
using Zmm = Emulated;
using Tmm = EmulatedTiles;
#else
using Zmm = Avx512;
using Tmm = Amx;
#endif

}  // namespace
}  // namespace teetee::ops::cpu
