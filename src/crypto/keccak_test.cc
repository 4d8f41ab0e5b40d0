#include "crypto/keccak.h"

#include <gtest/gtest.h>

#include <string>

namespace teetee::crypto {
namespace {

TEST(Keccak, KnownAnswers) {
  EXPECT_EQ(ToHex(Keccak256("")),
            "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470");
  EXPECT_EQ(ToHex(Keccak256("abc")),
            "4e03657aea45a94fc7d47ba826c8d667c0d1e6e33a64a036ec44f58fa12d6c45");
  EXPECT_EQ(ToHex(Keccak256("Transfer(address,address,uint256)")),
            "ddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef");
}

TEST(Keccak, StreamEqualsOneShotForEveryLengthAndCut) {
  const std::string text(410, 'x');
  for (size_t size = 0; size <= text.size(); size += 7) {
    for (size_t cut : {size_t{0}, size / 3, size / 2, size}) {
      Keccak256Stream stream;
      stream.Update(text.substr(0, cut)).Update(text.substr(cut, size - cut));
      EXPECT_EQ(stream.Finish(), Keccak256(text.substr(0, size))) << size << " " << cut;
    }
  }
}

TEST(Keccak, BlockBordersDiffer) {
  // One byte below, at and above the rate take different padding paths.
  EXPECT_NE(Keccak256(std::string(135, 'a')), Keccak256(std::string(136, 'a')));
  EXPECT_EQ(ToHex(Keccak256(std::string(136, 'a'))),
            "a6c4d403279fe3e0af03729caada8374b5ca54d8065329a3ebcaeb4b60aa386e");
}

}  // namespace
}  // namespace teetee::crypto
