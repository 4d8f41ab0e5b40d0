#include "crypto/hash.h"

#include <gtest/gtest.h>

namespace teetee::crypto {
namespace {

TEST(Hash, KnownAnswers) {  // FIPS 180-4 examples
  EXPECT_EQ(ToHex(Sha256(AsBytes("abc"))),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(ToHex(Sha384(AsBytes("abc"))).substr(0, 32), "cb00753f45a35e8bb5a03d699ac65007");
  EXPECT_EQ(ToHex(Sha512(AsBytes("abc"))).substr(0, 32), "ddaf35a193617abacc417349ae204131");
}

TEST(Hash, HmacKnownAnswers) {  // RFC 4231, cases 2 and 6
  EXPECT_EQ(ToHex(HmacSha256(AsBytes("Jefe"), AsBytes("what do ya want for nothing?"))),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  Bytes long_key(131, 0xaa);
  EXPECT_EQ(ToHex(HmacSha256(long_key, AsBytes("Test Using Larger Than Block-Size Key - Hash Key First"))),
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

TEST(Hash, StreamEqualsOneShot) {
  Sha256Stream stream;
  stream.Update("a").Update("").Update("bc");
  EXPECT_EQ(stream.Finish(), Sha256(AsBytes("abc")));
}

}  // namespace
}  // namespace teetee::crypto
