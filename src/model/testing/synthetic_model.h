// A Llama model made from a seed, with all its matrices in one weight type: wide enough for the super-blocks of 256 weights
// (width 256, feed-forward 768), or, for float types, of odd widths (64 and 172). For tests that compare bits.
#pragma once

#include "base/bytes.h"
#include "ops/dtype.h"

namespace teetee::model::testing {

// Every weight type that the engine computes with.
inline constexpr ops::DType kAllTypes[] = {
    ops::DType::kF32,  ops::DType::kF16,    ops::DType::kBF16,   ops::DType::kQ4_0, ops::DType::kQ4_1, ops::DType::kQ5_0,
    ops::DType::kQ5_1, ops::DType::kQ8_0,   ops::DType::kQ2_K,   ops::DType::kQ3_K, ops::DType::kQ4_K, ops::DType::kQ5_K,
    ops::DType::kQ6_K, ops::DType::kIQ4_NL, ops::DType::kIQ4_XS, ops::DType::kMXFP4};

inline constexpr size_t kSyntheticBlocks = 3;
inline constexpr uint32_t kSyntheticVocab = 96;
inline constexpr size_t kSyntheticContext = 320;

Bytes BuildSyntheticModel(ops::DType dtype, uint64_t seed);  // a GGUF file

}  // namespace teetee::model::testing
