// Weight bytes from a file: any bytes either are refused or give the same bits on every instruction set.
#include <cstdint>
#include <cstring>
#include <vector>

#include "base/check.h"
#include "ops/packed_matrix.h"

using namespace teetee;
using namespace teetee::ops;

namespace {

constexpr size_t kMaxRows = 64;

std::vector<float> Compute(Isa isa, DType dtype, size_t rows, size_t k, ByteView bytes, bool* packed) {
  auto matrix = PackedMatrix::Pack(isa, dtype, rows, k, bytes);
  *packed = matrix.has_value();
  if (!matrix) return {};
  std::vector<float> x(2 * k), out(2 * rows + rows * k);
  for (size_t i = 0; i < x.size(); ++i) x[i] = static_cast<float>(static_cast<int>(i * 37 % 251) - 125);
  Activations activations;
  TT_CHECK(activations.Set(isa, x.data(), 2, k, IsQuantised(dtype)).has_value());
  ThreadPool pool(1);
  MatMul(*matrix, activations, 2, out.data(), pool);
  for (size_t r = 0; r < rows; ++r) matrix->Row(r, out.data() + 2 * rows + r * k);
  return out;
}

// Weights near the largest float overflow to NaN, whose payload IEEE leaves open.
bool SameBits(float a, float b) {
  return (a != a && b != b) || std::memcmp(&a, &b, sizeof a) == 0;
}

}  // namespace

// Byte 0: type; byte 1: columns in blocks; then the tensor.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 3) return 0;
  auto dtype = DTypeFromGguf(data[0] % 48);
  if (!dtype) return 0;
  const size_t k = (1 + data[1] % 4) * BlockElements(*dtype);
  ByteView bytes(data + 2, size - 2);
  const size_t rows = bytes.size() / *RowBytes(*dtype, k);
  if (rows == 0 || rows > kMaxRows) return 0;
  TT_CHECK(bytes.size() == *TensorBytes(*dtype, rows, k) ||
           !PackedMatrix::Pack(Isa::kScalar, *dtype, rows, k, bytes));
  bytes = bytes.first(*TensorBytes(*dtype, rows, k));
  bool scalar_packed, best_packed;
  std::vector<float> a = Compute(Isa::kScalar, *dtype, rows, k, bytes, &scalar_packed);
  std::vector<float> b = Compute(BestIsa(), *dtype, rows, k, bytes, &best_packed);
  TT_CHECK(scalar_packed == best_packed);
  for (size_t i = 0; i < a.size(); ++i) TT_CHECK(SameBits(a[i], b[i]));
  return 0;
}
