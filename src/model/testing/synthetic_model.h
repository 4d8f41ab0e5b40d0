// A Llama model made from a seed, with all its matrices in one weight type: wide enough for the super-blocks of 256 weights
// (width 256, feed-forward 768), or, for float types, of odd widths (64 and 172). For tests that compare bits.
#pragma once

#include "base/bytes.h"
#include "ops/dtype.h"

namespace teetee::model::testing {

inline constexpr size_t kSyntheticBlocks = 3;
inline constexpr uint32_t kSyntheticVocab = 96;
inline constexpr size_t kSyntheticContext = 320;

Bytes BuildSyntheticModel(ops::DType dtype, uint64_t seed);  // a GGUF file

}  // namespace teetee::model::testing
