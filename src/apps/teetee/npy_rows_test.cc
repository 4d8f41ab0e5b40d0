#include "apps/teetee/npy_rows.h"

#include <gtest/gtest.h>

#include <vector>

#include "base/file.h"

namespace teetee::cli {
namespace {

std::string Path() { return ::testing::TempDir() + "rows.npy"; }

TEST(NpyRows, RefusesAPathThatCannotBeMade) {
  EXPECT_EQ(NpyRows().Open("/nonexistent/rows.npy", 1, 1).error().code(), Code::kUnavailable);
}

TEST(NpyRows, SaysWhenRowsAreMissing) {
  NpyRows rows;
  ASSERT_TRUE(rows.Open(Path(), 2, 1));
  ASSERT_TRUE(rows.Write(std::vector<float>{1}));
  EXPECT_EQ(rows.Close().error().code(), Code::kDataLoss);
}

TEST(NpyRows, WritesHeaderAndRowsThatNumPyReads) {
  NpyRows rows;
  ASSERT_TRUE(rows.Open(Path(), 2, 3));
  ASSERT_TRUE(rows.Write(std::vector<float>{1, 2, 3}));
  ASSERT_TRUE(rows.Write(std::vector<float>{4, 5, -0.5f}));
  ASSERT_TRUE(rows.Close());
  const Bytes file = *ReadFile(Path());
  ASSERT_EQ(file.size(), 128u + 24u);
  const std::string head(AsText(ByteView(file).subspan(0, 128)));
  EXPECT_EQ(head.substr(0, 10), std::string("\x93NUMPY\x01\x00\x76\x00", 10));
  EXPECT_NE(head.find("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }"),
            std::string::npos);
  EXPECT_EQ(head.back(), '\n');
  EXPECT_EQ(ToHex(ByteView(file).subspan(128 + 20)), "000000bf");
}

}  // namespace
}  // namespace teetee::cli
