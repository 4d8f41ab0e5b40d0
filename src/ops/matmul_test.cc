// Refusals first; then every type and odd shape must give the scalar bits on every instruction set, batch and thread count.
#include <cmath>
#include <cstring>
#include <limits>

#include <gtest/gtest.h>

#include "ops/packed_matrix.h"
#include "ops/testing/vectors.h"

namespace teetee::ops {
namespace {

constexpr DType kAllTypes[] = {
    DType::kF32,  DType::kF16,  DType::kBF16, DType::kQ4_0, DType::kQ4_1,   DType::kQ5_0,
    DType::kQ5_1, DType::kQ8_0, DType::kQ2_K, DType::kQ3_K, DType::kQ4_K,   DType::kQ5_K,
    DType::kQ6_K, DType::kIQ4_NL, DType::kIQ4_XS, DType::kMXFP4};

std::vector<Isa> VectorIsas() {
  std::vector<Isa> out;
  for (Isa isa : kVectorIsas) {
    if (IsaSupported(isa)) out.push_back(isa);
  }
  return out;
}

Bytes Weights(DType dtype, size_t rows, size_t k, uint64_t seed) {
  Bytes out;
  for (size_t r = 0; r < rows; ++r) {
    Bytes row = IsQuantised(dtype) ? testing::QuantisedRow(dtype, seed + r, k)
                                   : testing::FloatRow(dtype, seed + r, k);
    out.insert(out.end(), row.begin(), row.end());
  }
  return out;
}

std::vector<float> Product(Isa isa, DType dtype, size_t rows, size_t k, const Bytes& w,
                           const std::vector<float>& x, size_t n, size_t threads) {
  auto matrix = PackedMatrix::Pack(isa, dtype, rows, k, w);
  EXPECT_TRUE(matrix.has_value());
  Activations a;
  EXPECT_TRUE(a.Set(isa, x.data(), n, k, IsQuantised(dtype)).has_value());
  std::vector<float> y(n * rows, std::nanf(""));
  ThreadPool pool(threads);
  MatMul(*matrix, a, n, y.data(), pool);
  return y;
}

bool SameBits(const std::vector<float>& a, const std::vector<float>& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0;
}

TEST(PackedMatrix, RefusesWrongSizes) {
  Bytes w = Weights(DType::kQ4_1, 3, 64, 1);
  EXPECT_TRUE(PackedMatrix::Pack(Isa::kScalar, DType::kQ4_1, 3, 64, w).has_value());
  for (auto [rows, k] : {std::pair<size_t, size_t>{3, 48}, {3, 32}, {4, 64}, {0, 64}, {3, 0},
                         {std::numeric_limits<size_t>::max(), 64},
                         {size_t{1} << 62, size_t{1} << 62}}) {
    auto result = PackedMatrix::Pack(Isa::kScalar, DType::kQ4_1, rows, k, w);
    ASSERT_FALSE(result.has_value()) << rows << " " << k;
    EXPECT_EQ(result.error().code(), Code::kInvalidArgument);
  }
}

TEST(PackedMatrix, RefusesScalesAndWeightsThatAreNotFinite) {
  struct Case {
    DType dtype;
    size_t offset;  // of the high byte of a field in the second row
    uint8_t value;
  };
  const Case cases[] = {
      {DType::kQ8_0, 1, 0x7c},     {DType::kQ4_1, 3, 0xfe},  {DType::kQ4_K, 1, 0xfc},
      {DType::kQ4_K, 3, 0x7d},     {DType::kQ6_K, 209, 0x7c}, {DType::kQ2_K, 83, 0x7c},
      {DType::kQ3_K, 109, 0x7f},   {DType::kIQ4_XS, 1, 0x7c}, {DType::kMXFP4, 0, 0xff},
      {DType::kF16, 1, 0x7c}};
  for (Isa isa : {Isa::kScalar, Isa::kAvx2}) {
    if (!IsaSupported(isa)) continue;
    for (const Case& c : cases) {
      Bytes w = Weights(c.dtype, 2, 256, 5);
      EXPECT_TRUE(PackedMatrix::Pack(isa, c.dtype, 2, 256, w).has_value());
      w[w.size() / 2 + c.offset] = c.value;
      auto result = PackedMatrix::Pack(isa, c.dtype, 2, 256, w);
      ASSERT_FALSE(result.has_value()) << DTypeName(c.dtype);
      EXPECT_EQ(result.error().code(), Code::kInvalidArgument);
    }
    for (DType dtype : {DType::kF32, DType::kBF16}) {
      Bytes w = Weights(dtype, 2, 8, 5);
      w[w.size() - 1] = 0xff;
      w[w.size() - 2] = 0x80;  // -infinity
      EXPECT_FALSE(PackedMatrix::Pack(isa, dtype, 2, 8, w).has_value());
      w[w.size() - 2] = 0x7f;  // the largest finite exponent
      EXPECT_TRUE(PackedMatrix::Pack(isa, dtype, 2, 8, w).has_value());
    }
  }
}

TEST(Activations, RefusesWhatIsNotFinite) {
  for (Isa isa : {Isa::kScalar, Isa::kAvx2}) {
    if (!IsaSupported(isa)) continue;
    for (float bad : {std::numeric_limits<float>::infinity(), -std::nanf("")}) {
      for (size_t at : {0, 31, 67, 95}) {
        std::vector<float> x(96, 1.0f);
        Activations a;
        EXPECT_TRUE(a.Set(isa, x.data(), 1, 96, true).has_value());
        x[at] = bad;
        for (bool blocks : {false, true}) {
          Status status = a.Set(isa, x.data(), 1, 96, blocks);
          ASSERT_FALSE(status.has_value());
          EXPECT_EQ(status.error().code(), Code::kInvalidArgument);
        }
      }
    }
    std::vector<float> x(40, 1.0f);
    Activations a;
    EXPECT_FALSE(a.Set(isa, x.data(), 1, 40, true).has_value());
    EXPECT_TRUE(a.Set(isa, x.data(), 1, 40, false).has_value());
  }
}

// Rows longer than the 256 (AMX: 64) blocks that a pass covers, for several groups of activations.
TEST(MatMul, SeveralPassesGiveTheScalarBits) {
  const std::vector<Isa> isas = VectorIsas();
  if (isas.empty()) GTEST_SKIP() << "this machine has only the scalar kernels";
  const size_t rows = 43, k = 8704, n = 19;
  const std::vector<float> x = testing::WideVector(7, n * k);
  for (DType dtype : kAllTypes) {
    const Bytes w = Weights(dtype, rows, k, 500);
    const std::vector<float> expected = Product(Isa::kScalar, dtype, rows, k, w, x, n, 1);
    for (Isa isa : isas) EXPECT_TRUE(SameBits(Product(isa, dtype, rows, k, w, x, n, 2), expected)) << DTypeName(dtype) << " " << IsaName(isa);
  }
}

TEST(MatMul, EveryTypeShapeBatchAndThreadCountGivesTheScalarBits) {
  const std::vector<Isa> isas = VectorIsas();
  if (isas.empty()) GTEST_SKIP() << "this machine has only the scalar kernels";
  uint64_t seed = 10000;
  for (DType dtype : kAllTypes) {
    for (size_t rows : {1, 7, 8, 33, 172}) {
      const size_t k = IsQuantised(dtype) ? 512 : 172;
      const Bytes w = Weights(dtype, rows, k, seed += 1000);
      for (size_t n : {1, 2, 3, 4, 5, 6, 7, 8, 9, 20, 22}) {
        if (rows != 172 && n % 4 != 3) continue;
        const std::vector<float> x = testing::WideVector(seed + 1, n * k);
        const std::vector<float> expected = Product(Isa::kScalar, dtype, rows, k, w, x, n, 1);
        for (Isa isa : isas) {
          for (size_t threads : {1, 2}) {
            EXPECT_TRUE(SameBits(Product(isa, dtype, rows, k, w, x, n, threads), expected))
                << DTypeName(dtype) << " " << IsaName(isa) << " rows " << rows << " n " << n;
          }
        }
      }
    }
  }
}

TEST(MatMul, ARowDoesNotDependOnItsNeighboursInTheBatch) {
  const DType dtype = DType::kQ4_K;
  const size_t rows = 40, k = 512, n = 9;
  const Bytes w = Weights(dtype, rows, k, 77);
  const std::vector<float> x = testing::WideVector(78, n * k);
  const std::vector<float> batch = Product(BestIsa(), dtype, rows, k, w, x, n, 2);
  for (size_t j = 0; j < n; ++j) {
    std::vector<float> one(x.begin() + j * k, x.begin() + (j + 1) * k);
    std::vector<float> y = Product(BestIsa(), dtype, rows, k, w, one, 1, 1);
    EXPECT_TRUE(SameBits(y, {batch.begin() + j * rows, batch.begin() + (j + 1) * rows})) << j;
  }
}

// The inner integer sums at their bounds, where a 16-bit accumulator would wrap first.
TEST(MatMul, ExtremeCodesDoNotOverflow) {
  for (DType dtype : kAllTypes) {
    if (!IsQuantised(dtype)) continue;
    const size_t rows = 16, k = 256;
    for (uint8_t fill : {0x00, 0x7f, 0x80, 0x88, 0xf0, 0xff}) {
      Bytes w;
      for (size_t r = 0; r < rows; ++r) {
        Bytes row = testing::QuantisedRow(dtype, 900 + r, k);
        testing::FillCodes(dtype, fill, &row);
        w.insert(w.end(), row.begin(), row.end());
      }
      for (float sign : {-1.0f, 1.0f}) {
        const std::vector<float> x(4 * k, sign);
        const std::vector<float> expected = Product(Isa::kScalar, dtype, rows, k, w, x, 4, 1);
        for (Isa isa : VectorIsas()) {
          EXPECT_TRUE(SameBits(Product(isa, dtype, rows, k, w, x, 4, 1), expected))
              << DTypeName(dtype) << " fill " << int{fill};
        }
      }
    }
  }
}

TEST(PackedMatrix, RowGivesTheSameBitsFromEveryLayout) {
  for (DType dtype : kAllTypes) {
    const size_t rows = 37, k = 256;
    const Bytes w = Weights(dtype, rows, k, 4242);
    auto scalar = PackedMatrix::Pack(Isa::kScalar, dtype, rows, k, w);
    ASSERT_TRUE(scalar.has_value());
    for (Isa isa : VectorIsas()) {
      auto packed = PackedMatrix::Pack(isa, dtype, rows, k, w);
      ASSERT_TRUE(packed.has_value());
      for (size_t r : {0, 7, 8, 31, 36}) {
        std::vector<float> a(k), b(k);
        scalar->Row(r, a.data());
        packed->Row(r, b.data());
        EXPECT_TRUE(SameBits(a, b)) << DTypeName(dtype) << " row " << r;
      }
    }
  }
}

}  // namespace
}  // namespace teetee::ops
