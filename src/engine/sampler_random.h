// The counter-based random numbers of sampling: Philox4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3",
// SC 2011; known answers from Random123). Pure functions. Source: docs/formats/numerics.md section 10.
#pragma once

#include <array>
#include <cstdint>

namespace teetee::engine {

std::array<uint32_t, 4> Philox(std::array<uint32_t, 4> counter, std::array<uint32_t, 2> key);
uint64_t Draw64(uint64_t seed, uint64_t position, uint64_t stream);

}  // namespace teetee::engine
