#include "chain/wei.h"

#include <gtest/gtest.h>

#include <string>

namespace teetee::chain {
namespace {

constexpr char kMaxText[] = "340282366920938463463374607431768211455";  // 2^128 - 1

TEST(Wei, RefusesWhatIsNoAmount) {
  for (const char* text :
       {"", "-1", "1.0", "0x1", " 1", "1 ", "1e3", "340282366920938463463374607431768211456",
        "9999999999999999999999999999999999999999"}) {
    EXPECT_FALSE(Wei::ParseDecimal(text)) << text;
  }
  for (const char* text : {"", ".", ".5", "1.", "1.2.3", "0.1234567890123456789", "-0.1", "1,5"}) {
    EXPECT_FALSE(Wei::ParseEth(text)) << text;
  }
}

TEST(Wei, RefusesToWrap) {
  const Wei max = *Wei::ParseDecimal(kMaxText);
  EXPECT_FALSE(max.Plus(Wei(1)));
  EXPECT_FALSE(Wei().Minus(Wei(1)));
  EXPECT_FALSE(max.Times(2));
  EXPECT_TRUE(max.Plus(Wei()));
  EXPECT_TRUE(max.Times(1));
  EXPECT_TRUE(max.Times(0)->is_zero());
  EXPECT_EQ(max.ScaledUp(9, 8), max);  // capped
}

TEST(Wei, PrintsExactly) {
  EXPECT_EQ(Wei::ParseDecimal(kMaxText)->Decimal(), kMaxText);
  EXPECT_EQ(Wei::ParseEth("0.05")->Decimal(), "50000000000000000");
  EXPECT_EQ(Wei::ParseEth("1000000000")->Eth(), "1000000000 ETH");
  EXPECT_EQ(Wei(1).Eth(), "0.000000000000000001 ETH");
  EXPECT_EQ(Wei().Eth(), "0 ETH");
  EXPECT_EQ(Wei::ParseEth("12.30")->Eth(), "12.3 ETH");
}

TEST(Wei, ScalesUp) {
  EXPECT_EQ(Wei(8).ScaledUp(9, 8), Wei(9));
  EXPECT_EQ(Wei(9).ScaledUp(9, 8), Wei(11));  // 10.125 is not enough for the nodes' rule
  EXPECT_EQ(Wei().ScaledUp(9, 8), Wei());
}

TEST(Wei, CostOfTheLargestReceiptFits) {
  const Wei cost = CostOf(~0u, ~0u, ~uint64_t{0}, ~uint64_t{0});
  EXPECT_EQ(cost.Decimal(), "158456324991635187031078862850");
  EXPECT_EQ(CostOf(10, 20, 3, 5), Wei(130));
}

TEST(Quantity, RefusesAndReadsBack) {
  for (const char* text : {"", "0x", "10", "0xg", "0x 1", "0x1ffffffffffffffffffffffffffffffff0"}) {
    EXPECT_FALSE(ParseQuantity(text)) << text;
  }
  EXPECT_FALSE(ParseQuantity64("0x10000000000000000"));
  EXPECT_EQ(*ParseQuantity64("0xffffffffffffffff"), ~uint64_t{0});
  EXPECT_EQ(Quantity(0), "0x0");
  EXPECT_EQ(Quantity(0x1f), "0x1f");
}

TEST(WordOf, RefusesWhatDoesNotFit) {
  Word wide{};
  wide[15] = 1;
  EXPECT_FALSE(Uint128Of(wide));
  wide = {};
  wide[11] = 1;
  EXPECT_FALSE(AddressOf(wide));
  EXPECT_EQ(*Uint128Of(WordOf(Uint128{77})), Uint128{77});
}

}  // namespace
}  // namespace teetee::chain
