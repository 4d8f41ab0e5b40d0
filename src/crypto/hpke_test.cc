#include "crypto/hpke.h"

#include <gtest/gtest.h>

#include <map>
#include <string>

#include "crypto/kdf.h"

namespace teetee::crypto {
namespace {

Bytes Hex(std::string_view text) { return *FromHex(text); }

TEST(Hkdf, Rfc5869Cases1To3) {
  const Secret<32> prk1 = HkdfExtract(Hex("000102030405060708090a0b0c"), Bytes(22, 0x0b));
  EXPECT_EQ(ToHex(prk1.view()), "077709362c2e32df0ddc3f0dc47bba6390b6c73bb50f9c3122ec844ad7c2b3e5");
  EXPECT_EQ(ToHex(HkdfExpand<42>(prk1.view(), Hex("f0f1f2f3f4f5f6f7f8f9")).view()),
            "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865");
  Bytes ikm, salt, info;
  for (int i = 0; i < 80; ++i) {
    ikm.push_back(static_cast<uint8_t>(i));
    salt.push_back(static_cast<uint8_t>(0x60 + i));
    info.push_back(static_cast<uint8_t>(0xb0 + i));
  }
  EXPECT_EQ(
      ToHex(HkdfExpand<82>(HkdfExtract(salt, ikm).view(), info).view()),
      "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c59045a99cac7827271cb41c65e"
      "590e09da3275600c2f09b8367793a9aca3db71cc30c58179ec3e87c14c01d5c1f3434f1d87");
  EXPECT_EQ(ToHex(HkdfExpand<42>(HkdfExtract({}, Bytes(22, 0x0b)).view(), {}).view()),
            "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8");
}

TEST(Aead, RefusesEveryChange) {
  const AeadKey key(ByteArray<16>{1, 2, 3});
  const AeadNonce nonce{9};
  const Bytes aad = {4, 5};
  const Bytes sealed = AeadSeal(key, nonce, aad, AsBytes("hello"));
  ASSERT_EQ(sealed.size(), 5 + kAeadTagSize);
  EXPECT_EQ(AsText(*AeadOpen(key, nonce, aad, sealed)), "hello");
  for (size_t bit = 0; bit < sealed.size() * 8; ++bit) {
    Bytes bad = sealed;
    bad[bit / 8] ^= static_cast<uint8_t>(1 << bit % 8);
    EXPECT_EQ(AeadOpen(key, nonce, aad, bad).error().code(), Code::kUnauthenticated);
  }
  for (size_t size = 0; size < sealed.size(); ++size) {
    EXPECT_FALSE(AeadOpen(key, nonce, aad, ByteView(sealed).first(size)));
  }
  EXPECT_FALSE(AeadOpen(key, AeadNonce{8}, aad, sealed));
  EXPECT_FALSE(AeadOpen(key, nonce, {}, sealed));
  EXPECT_FALSE(AeadOpen(AeadKey(ByteArray<16>{1}), nonce, aad, sealed));
}

TEST(Aead, EmptyMessageStillAuthenticates) {
  const AeadKey key;
  const Bytes sealed = AeadSeal(key, {}, {}, {});  // NIST GCM test case 1
  EXPECT_EQ(ToHex(sealed), "58e2fccefa7e3061367f1d57a4e7455a");
  EXPECT_TRUE(AeadOpen(key, {}, {}, sealed)->empty());
}

TEST(X25519, RefusesLowOrderPoints) {
  // RFC 7748 section 6.1 and the list of RFC 7748's security considerations: u = 0, 1, the two of
  // order 8, p-1, p, p+1.
  const X25519Key key = X25519Key::Generate();
  for (const char* point : {"0000000000000000000000000000000000000000000000000000000000000000",
                            "0100000000000000000000000000000000000000000000000000000000000000",
                            "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
                            "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
                            "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
                            "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
                            "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"}) {
    const X25519PublicKey peer = *FromHexFixed<32>(point);
    auto agreed = key.Agree(peer);
    ASSERT_FALSE(agreed) << point;
    EXPECT_EQ(agreed.error().code(), Code::kUnauthenticated);
    EXPECT_FALSE(HpkeSender::Setup(peer, {}));
    EXPECT_FALSE(HpkeRecipient::Setup(peer, key, {}));
  }
}

TEST(X25519, Rfc7748Section61) {
  const X25519Key alice(Secret<32>(
      *FromHexFixed<32>("77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a")));
  const X25519Key bob(Secret<32>(
      *FromHexFixed<32>("5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb")));
  EXPECT_EQ(ToHex(alice.public_key()),
            "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a");
  EXPECT_EQ(ToHex(bob.public_key()),
            "de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f");
  EXPECT_EQ(ToHex(alice.Agree(bob.public_key())->view()),
            "4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742");
  EXPECT_TRUE(alice.Agree(bob.public_key())->Equals(*bob.Agree(alice.public_key())));
}

// RFC 9180 appendix A.1.1: all encryptions and exports.
class HpkeVectors : public testing::Test {
 protected:
  const Bytes info_ = Hex("4f6465206f6e2061204772656369616e2055726e");
  const Bytes plaintext_ = Hex("4265617574792069732074727574682c20747275746820626561757479");
  const X25519Key ephemeral_ =
      HpkeDeriveKeyPair(Hex("7268600d403fce431561aef583ee1613527cff655c1343f29812e66706df3234"));
  const X25519Key recipient_ =
      HpkeDeriveKeyPair(Hex("6db9df30aa07dd42ee5e8181afdb977e538f5e1fec8a06223f33f7013e525037"));
  HpkeSender Sender() const {
    return *HpkeSender::SetupWithEphemeral(recipient_.public_key(), info_, ephemeral_);
  }
  HpkeRecipient Recipient() const {
    return *HpkeRecipient::Setup(ephemeral_.public_key(), recipient_, info_);
  }
};

TEST_F(HpkeVectors, DerivesTheKeys) {
  EXPECT_EQ(ToHex(ephemeral_.secret().view()),
            "52c4a758a802cd8b936eceea314432798d5baf2d7e9235dc084ab1b9cfa2f736");
  EXPECT_EQ(ToHex(ephemeral_.public_key()),
            "37fda3567bdbd628e88668c3c8d7e97d1d1253b6d4ea6d44c150f741f1bf4431");
  EXPECT_EQ(ToHex(recipient_.secret().view()),
            "4612c550263fc8ad58375df3f557aac531d26850903e55a9f23f21d8534e8ac8");
  EXPECT_EQ(ToHex(recipient_.public_key()),
            "3948cfe0ad1ddb695d780e59077195da6c56506b027329794ab02bca80815c4d");
}

TEST_F(HpkeVectors, EncryptionsOfSequence0To256) {
  const std::map<int, std::string> expected = {{0,
                                                "f938558b5d72f1a23810b4be2ab4f84331acc02fc97babc53a"
                                                "52ae8218a355a96d8770ac83d07bea87e13c512a"},
                                               {1,
                                                "af2d7e9ac9ae7e270f46ba1f975be53c09f8d875bdc8535458"
                                                "c2494e8a6eab251c03d0c22a56b8ca42c2063b84"},
                                               {2,
                                                "498dfcabd92e8acedc281e85af1cb4e3e31c7dc394a1ca20e1"
                                                "73cb72516491588d96a19ad4a683518973dcc180"},
                                               {4,
                                                "583bd32bc67a5994bb8ceaca813d369bca7b2a42408cddef5e"
                                                "22f880b631215a09fc0012bc69fccaa251c0246d"},
                                               {255,
                                                "7175db9717964058640a3a11fb9007941a5d1757fda1a6935c"
                                                "805c21af32505bf106deefec4a49ac38d71c9e0a"},
                                               {256,
                                                "957f9800542b0b8891badb026d79cc54597cb2d225b54c00c5"
                                                "238c25d05c30e3fbeda97d2e0e1aba483a2df9f2"}};
  HpkeSender sender = Sender();
  HpkeRecipient recipient = Recipient();
  EXPECT_EQ(sender.enc(), ephemeral_.public_key());
  for (int i = 0; i <= 256; ++i) {
    const std::string aad = "Count-" + std::to_string(i);
    const Bytes sealed = *sender.Seal(AsBytes(aad), plaintext_);
    if (expected.count(i)) {
      EXPECT_EQ(ToHex(sealed), expected.at(i)) << i;
    }
    auto opened = recipient.Open(AsBytes(aad), sealed);
    ASSERT_TRUE(opened) << i;
    EXPECT_EQ(*opened, plaintext_);
  }
}

TEST_F(HpkeVectors, Exports) {
  const std::pair<Bytes, std::string> cases[] = {
      {{}, "3853fe2b4035195a573ffc53856e77058e15d9ea064de3e59f4961d0095250ee"},
      {{0}, "2e8f0b54673c7029649d4eb9d5e33bf1872cf76d623ff164ac185da9e88c21a5"},
      {Hex("54657374436f6e74657874"),
       "e9e43065102c3836401bed8c3c3c75ae46be1639869391d62c61f1ec7af54931"}};
  for (const auto& [context, value] : cases) {
    EXPECT_EQ(ToHex(Sender().Export<32>(context).view()), value);
    EXPECT_EQ(ToHex(Recipient().Export<32>(context).view()), value);
  }
}

TEST_F(HpkeVectors, RefusalsLeaveTheSequenceAlone) {
  HpkeSender sender = Sender();
  HpkeRecipient recipient = Recipient();
  const Bytes first = *sender.Seal({}, plaintext_);
  const Bytes second = *sender.Seal({}, plaintext_);
  EXPECT_FALSE(recipient.Open({}, second));               // out of order
  EXPECT_FALSE(recipient.Open(AsBytes("other"), first));  // other associated data
  EXPECT_EQ(recipient.sequence(), 0u);
  EXPECT_TRUE(recipient.Open({}, first));
  EXPECT_FALSE(recipient.Open({}, first));  // a repeat
  EXPECT_TRUE(recipient.Open({}, second));
  EXPECT_FALSE(HpkeRecipient::Setup(sender.enc(), recipient_, {})->Open({}, first));  // other info
}

TEST_F(HpkeVectors, FreshSendersDiffer) {
  HpkeSender a = *HpkeSender::Setup(recipient_.public_key(), info_);
  HpkeSender b = *HpkeSender::Setup(recipient_.public_key(), info_);
  EXPECT_NE(a.enc(), b.enc());
  auto recipient = HpkeRecipient::Setup(a.enc(), recipient_, info_);
  EXPECT_EQ(*recipient->Open({}, *a.Seal({}, plaintext_)), plaintext_);
}

}  // namespace
}  // namespace teetee::crypto
