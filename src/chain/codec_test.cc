// RLP, ABI and transactions: what is refused. That what is written is right is shown against viem
// (tests/vectors/chain).
#include <gtest/gtest.h>

#include <string>

#include "chain/abi.h"
#include "chain/rlp.h"
#include "chain/tx.h"

namespace teetee::chain {
namespace {

Bytes Hex(std::string_view text) { return *FromHex(text); }

TEST(Rlp, RefusesOtherSpellingsOfAValue) {
  for (const char* text : {"8100", "817f", "b800", "b80100", "b90001ff", "b83700", "81", "b8",
                           "bfffffffffffffffff", "f80100", "83aabb"}) {
    const Bytes bytes = Hex(text);
    EXPECT_FALSE(RlpReader(bytes).String().has_value() || RlpReader(bytes).List().has_value())
        << text;
  }
  const Bytes zero = Hex("00"), padded = Hex("820001");
  EXPECT_FALSE(RlpReader(zero).Uint());  // zero is the empty string
  EXPECT_FALSE(RlpReader(padded).Uint());
  const Bytes nine = Hex("89010000000000000000");
  EXPECT_FALSE(RlpReader(nine).Uint64());
  EXPECT_TRUE(RlpReader(nine).Uint());
}

TEST(Rlp, RefusesTheWrongKind) {
  const Bytes list = Hex("c0"), string = Hex("80");
  EXPECT_FALSE(RlpReader(list).String());
  EXPECT_FALSE(RlpReader(string).List());
  EXPECT_FALSE(RlpReader(list).ExpectDone());
}

TEST(Rlp, ReadsBackEverySizeAroundTheBorders) {
  for (size_t size : {0u, 1u, 2u, 54u, 55u, 56u, 57u, 255u, 256u, 65535u, 65536u}) {
    const Bytes payload(size, 0x99);
    const Bytes list = RlpList({RlpString(payload), RlpUint(size)});
    RlpReader outer(list);
    RlpReader inner = *outer.List();
    EXPECT_TRUE(outer.done());
    EXPECT_EQ(ToBytes(*inner.String()), payload);
    EXPECT_EQ(*inner.Uint64(), size);
    EXPECT_TRUE(inner.ExpectDone());
  }
}

TEST(Abi, RefusesValuesOutOfTheirType) {
  const Bytes ones(32, 0xff);
  EXPECT_FALSE(AbiReader(ones).Uint(128));
  EXPECT_FALSE(AbiReader(ones).Addr());
  EXPECT_FALSE(AbiReader(ones).Bool());
  EXPECT_FALSE(AbiReader(ones).Bytes26());
  const Bytes two = ToBytes(WordOf(Uint128{2}));
  EXPECT_FALSE(AbiReader(two).Bool());
  const Bytes wide = ToBytes(WordOf(Uint128{1} << 40));
  EXPECT_FALSE(AbiReader(wide).Uint64(40));
  EXPECT_TRUE(AbiReader(wide).Uint64(41));
  EXPECT_FALSE(AbiReader(ByteView(ones).first(31)).Raw());
}

// One offset word, then `tail`.
Bytes WithOffset(uint64_t offset, const std::vector<Word>& tail) {
  ByteWriter out;
  out.Raw(WordOf(Uint128{offset}));
  for (const Word& word : tail) out.Raw(word);
  return out.Take();
}

TEST(Abi, RefusesBadOffsetsLengthsAndPadding) {
  const Word three = WordOf(Uint128{3});
  Word text{'a', 'b', 'c'};
  EXPECT_EQ(*AbiReader(WithOffset(32, {three, text})).Text(10), "abc");
  for (uint64_t offset : {uint64_t{0}, uint64_t{1}, uint64_t{31}, uint64_t{33}, uint64_t{64},
                          uint64_t{96}, uint64_t{128}, ~uint64_t{0} - 31}) {
    EXPECT_FALSE(AbiReader(WithOffset(offset, {three, text})).Text(10)) << offset;
  }
  EXPECT_FALSE(AbiReader(WithOffset(32, {three, text})).Text(2));  // over the limit
  EXPECT_FALSE(AbiReader(WithOffset(32, {three})).Text(10));       // cut off
  EXPECT_FALSE(AbiReader(WithOffset(32, {Word(text)})).Text(10));  // absurd length
  text[3] = 1;
  EXPECT_FALSE(AbiReader(WithOffset(32, {three, text})).Text(10));  // dirty padding
  EXPECT_FALSE(AbiReader(WithOffset(32, {three, text})).StaticArray(1, 10));
  EXPECT_FALSE(AbiReader(WithOffset(32, {WordOf(Uint128{1}), text})).StaticArray(2, 10));
  EXPECT_FALSE(AbiReader(WithOffset(32, {WordOf(Uint128{1}), text})).StaticArray(1, 0));
  EXPECT_TRUE(AbiReader(WithOffset(32, {WordOf(Uint128{1}), text})).StaticArray(1, 1));
  EXPECT_FALSE(AbiReader(WithOffset(32, {WordOf(~Uint128{0})})).StaticArray(1, ~size_t{0}));
}

class TxTest : public testing::Test {
 protected:
  const crypto::SigningKey key_ = crypto::SigningKey::Generate();
  const Tx tx_{31337, 5, Wei(1), Wei(9), 21000, Address{7}, Wei(12345), {1, 2, 3}};
  const SignedTx signed_ = SignTx(tx_, key_);
};

TEST_F(TxTest, RefusesEveryTruncationAndTail) {
  for (size_t size = 0; size < signed_.raw.size(); ++size) {
    EXPECT_FALSE(DecodeSignedTx(ByteView(signed_.raw).first(size))) << size;
  }
  Bytes longer = signed_.raw;
  longer.push_back(0);
  EXPECT_FALSE(DecodeSignedTx(longer));
}

TEST_F(TxTest, EveryChangedBitIsRefusedOrAnotherSender) {
  for (size_t bit = 0; bit < signed_.raw.size() * 8; ++bit) {
    Bytes bad = signed_.raw;
    bad[bit / 8] ^= static_cast<uint8_t>(1 << bit % 8);
    auto decoded = DecodeSignedTx(bad);
    if (decoded) {
      EXPECT_NE(decoded->from, key_.address()) << bit;
    }
  }
}

TEST_F(TxTest, ReadsBack) {
  auto decoded = DecodeSignedTx(signed_.raw);
  ASSERT_TRUE(decoded);
  EXPECT_EQ(decoded->tx, tx_);
  EXPECT_EQ(decoded->from, key_.address());
  EXPECT_EQ(decoded->hash, signed_.hash);
}

}  // namespace
}  // namespace teetee::chain
