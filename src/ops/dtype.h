// Element types of weight tensors, with the ids and block sizes of GGUF (github.com/ggml-org/ggml, docs/gguf.md, ggml_type).
// A type that is not listed here cannot be computed with; DTypeFromGguf refuses it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/result.h"

namespace teetee::ops {

enum class DType : uint32_t {
  kF32 = 0,
  kF16 = 1,
  kQ4_0 = 2,
  kQ4_1 = 3,
  kQ5_0 = 6,
  kQ5_1 = 7,
  kQ8_0 = 8,
  kQ2_K = 10,
  kQ3_K = 11,
  kQ4_K = 12,
  kQ5_K = 13,
  kQ6_K = 14,
  kIQ4_NL = 20,
  kIQ4_XS = 23,
  kBF16 = 30,
  kMXFP4 = 39,
};

// kUnimplemented for a GGUF type that this program does not compute with.
Result<DType> DTypeFromGguf(uint32_t id);
std::string_view DTypeName(DType dtype);     // "Q4_K"
Result<DType> ParseDType(std::string_view);  // the inverse of DTypeName; kInvalidArgument
size_t BlockElements(DType dtype);           // 1, 32 or 256
size_t BlockBytes(DType dtype);              // of one such block
bool IsQuantised(DType dtype);               // false for F32, F16, BF16

// Bytes of one row of k elements. kInvalidArgument unless k is a positive multiple of BlockElements and the product fits.
Result<size_t> RowBytes(DType dtype, size_t k);
// Bytes of a (rows, k) tensor; likewise.
Result<size_t> TensorBytes(DType dtype, size_t rows, size_t k);

}  // namespace teetee::ops
