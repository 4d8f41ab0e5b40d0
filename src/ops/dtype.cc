#include "ops/dtype.h"

#include <limits>
#include <string>

#include "base/check.h"

namespace teetee::ops {
namespace {

struct TypeInfo {
  DType dtype;
  std::string_view name;
  size_t elements;  // per block
  size_t bytes;     // per block
};

constexpr TypeInfo kTypes[] = {
    {DType::kF32, "F32", 1, 4},         {DType::kF16, "F16", 1, 2},
    {DType::kQ4_0, "Q4_0", 32, 18},     {DType::kQ4_1, "Q4_1", 32, 20},
    {DType::kQ5_0, "Q5_0", 32, 22},     {DType::kQ5_1, "Q5_1", 32, 24},
    {DType::kQ8_0, "Q8_0", 32, 34},     {DType::kQ2_K, "Q2_K", 256, 84},
    {DType::kQ3_K, "Q3_K", 256, 110},   {DType::kQ4_K, "Q4_K", 256, 144},
    {DType::kQ5_K, "Q5_K", 256, 176},   {DType::kQ6_K, "Q6_K", 256, 210},
    {DType::kIQ4_NL, "IQ4_NL", 32, 18}, {DType::kIQ4_XS, "IQ4_XS", 256, 136},
    {DType::kBF16, "BF16", 1, 2},       {DType::kMXFP4, "MXFP4", 32, 17},
};

const TypeInfo& Info(DType dtype) {
  for (const TypeInfo& info : kTypes) {
    if (info.dtype == dtype) return info;
  }
  CheckFailed("dtype is one of kTypes", __FILE__, __LINE__);
}

}  // namespace

Result<DType> DTypeFromGguf(uint32_t id) {
  for (const TypeInfo& info : kTypes) {
    if (static_cast<uint32_t>(info.dtype) == id) return info.dtype;
  }
  return Error(Code::kUnimplemented, "no kernels for GGUF tensor type " + std::to_string(id));
}

std::string_view DTypeName(DType dtype) { return Info(dtype).name; }

Result<DType> ParseDType(std::string_view name) {
  for (const TypeInfo& info : kTypes) {
    if (info.name == name) return info.dtype;
  }
  return Error(Code::kInvalidArgument, "unknown tensor type name");
}

size_t BlockElements(DType dtype) { return Info(dtype).elements; }
size_t BlockBytes(DType dtype) { return Info(dtype).bytes; }
bool IsQuantised(DType dtype) { return Info(dtype).elements > 1; }

Result<size_t> RowBytes(DType dtype, size_t k) {
  const TypeInfo& info = Info(dtype);
  if (k == 0 || k % info.elements != 0) {
    return Error(Code::kInvalidArgument, "row of " + std::to_string(k) + " elements is no multiple of the " +
                                             std::string(info.name) + " block of " +
                                             std::to_string(info.elements));
  }
  size_t blocks = k / info.elements;
  if (blocks > std::numeric_limits<size_t>::max() / info.bytes) {
    return Error(Code::kInvalidArgument, "row size overflows");
  }
  return blocks * info.bytes;
}

Result<size_t> TensorBytes(DType dtype, size_t rows, size_t k) {
  size_t row_bytes = TT_TRY(RowBytes(dtype, k));
  if (rows == 0 || rows > std::numeric_limits<size_t>::max() / row_bytes) {
    return Error(Code::kInvalidArgument, "tensor has no rows or its size overflows");
  }
  return rows * row_bytes;
}

}  // namespace teetee::ops
