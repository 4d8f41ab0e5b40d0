#include "crypto/secp256k1.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <string>

#include "base/file.h"
#include "crypto/keccak.h"
#include "crypto/key_file.h"
#include "crypto/random.h"

namespace teetee::crypto {
namespace {

constexpr char kHalfOrder[] = "7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0";
constexpr char kOrder[] = "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141";

SigningKey KeyOf(std::string_view hex) {
  return *SigningKey::FromSecret(Secret<32>(*FromHexFixed<32>(hex)));
}
std::string Repeat(char c, size_t n) { return std::string(n, c); }

TEST(Secp256k1, RefusesSecretsOutOfRange) {
  EXPECT_FALSE(SigningKey::FromSecret(Secret<32>()));
  EXPECT_FALSE(SigningKey::FromSecret(Secret<32>(*FromHexFixed<32>(kOrder))));
}

TEST(Secp256k1, RefusesMalformedSignatures) {
  const SigningKey key = SigningKey::Generate();
  const Hash32 digest = Keccak256("m");
  const Signature good = key.Sign(digest);
  Signature zero_r = good;
  zero_r.r = {};
  Signature zero_s = good;
  zero_s.s = {};
  Signature order = good;
  order.r = *FromHexFixed<32>(kOrder);
  Signature high = good;
  high.s = *FromHexFixed<32>("7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a1");
  Signature parity = good;
  parity.parity = 2;
  for (const Signature& bad : {zero_r, zero_s, order, high, parity}) {
    auto result = Recover(digest, bad);
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code(), Code::kUnauthenticated);
  }
  EXPECT_FALSE(Recover(digest, ByteView(good.bytes()).first(64)));
  ByteArray<65> bytes = good.bytes();
  bytes[64] = 29;
  EXPECT_FALSE(Recover(digest, bytes));
}

TEST(Secp256k1, HalfTheOrderIsStillLow) {
  Signature edge = SigningKey::Generate().Sign(Keccak256("m"));
  edge.s = *FromHexFixed<32>(kHalfOrder);
  auto result = Recover(Keccak256("m"), edge);
  // A key fits it or not, by chance; but never for the reason of a high s.
  EXPECT_TRUE(result || result.error().message().find("high") == std::string::npos);
}

TEST(Secp256k1, ExpectSignerRefusesOthersAndNobody) {
  const SigningKey key = SigningKey::Generate();
  const Hash32 digest = Keccak256("m");
  const Signature s = key.Sign(digest);
  EXPECT_TRUE(ExpectSigner(key.address(), digest, s.r, s.vs()));
  EXPECT_FALSE(ExpectSigner(SigningKey::Generate().address(), digest, s.r, s.vs()));
  EXPECT_FALSE(ExpectSigner(Address{}, digest, s.r, s.vs()));
  EXPECT_FALSE(ExpectSigner(key.address(), Keccak256("n"), s.r, s.vs()));
}

TEST(Secp256k1, KnownKeyAndAddress) {
  // The first account of the phrase "test test ... junk", which every development chain knows.
  const SigningKey key = KeyOf("ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80");
  EXPECT_EQ(AddressText(key.address()), "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266");
}

TEST(Secp256k1, RecoversItsOwnSignatures) {
  for (int i = 0; i < 64; ++i) {
    const SigningKey key = SigningKey::Generate();
    const Hash32 digest = RandomArray<32>();
    const Signature s = key.Sign(digest);
    EXPECT_EQ(s, key.Sign(digest));  // RFC 6979: no randomness in the nonce
    EXPECT_LE(s.s, *FromHexFixed<32>(kHalfOrder));
    EXPECT_EQ(Signature::FromCompact(s.r, s.vs()), s);
    EXPECT_EQ(*Recover(digest, s.r, s.vs()), key.address());
    EXPECT_EQ(*Recover(digest, s.bytes()), key.address());
  }
}

TEST(Address, RefusesWrongChecksumAndShape) {
  EXPECT_FALSE(ParseAddress("0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92267"));
  EXPECT_FALSE(ParseAddress("0xF39Fd6e51aad88F6F4ce6aB8827279cffFb92266"));
  EXPECT_FALSE(ParseAddress("f39Fd6e51aad88F6F4ce6aB8827279cffFb92266"));
  EXPECT_FALSE(ParseAddress("0xf39Fd6e51aad88F6F4ce6aB8827279cffFb922"));
  EXPECT_FALSE(ParseAddress("0x" + Repeat('g', 40)));
}

TEST(Address, ChecksumText) {  // examples of EIP-55
  for (const char* text :
       {"0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed", "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359",
        "0x52908400098527886E0F7030069857D2E4169EE7",
        "0xde709f2102306220921060314715629080e2fb77"}) {
    auto address = ParseAddress(text);
    ASSERT_TRUE(address) << text;
    EXPECT_EQ(AddressText(*address), text);
    EXPECT_EQ(*ParseAddress(ToHex0x(*address)), *address);
  }
}

class KeyFile : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = testing::TempDir() + "teetee-key-XXXXXX";
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
  }
  void TearDown() override {
    for (const char* name : {"/key", "/link"}) ::unlink((folder_ + name).c_str());
    ::rmdir(folder_.c_str());  // fails if a temporary file was left, and so does Leftovers
  }
  std::string Path() const { return folder_ + "/key"; }
  std::string folder_;
};

TEST_F(KeyFile, RefusesWidePermissionsLinksAndDirt) {
  ASSERT_TRUE(CreateSigningKey(Path()));
  for (mode_t mode : {0640u, 0604u, 0660u, 0644u}) {
    ::chmod(Path().c_str(), mode);
    EXPECT_EQ(LoadSigningKey(Path()).error().code(), Code::kPermissionDenied) << mode;
  }
  ::chmod(Path().c_str(), 0600);
  ASSERT_TRUE(LoadSigningKey(Path()));
  ASSERT_EQ(::symlink(Path().c_str(), (folder_ + "/link").c_str()), 0);
  EXPECT_EQ(LoadSigningKey(folder_ + "/link").error().code(), Code::kPermissionDenied);
  for (const std::string& dirt :
       {std::string(), "0x" + Repeat('1', 63), "0x" + Repeat('1', 65) + "\n", Repeat('1', 66),
        "0x" + Repeat('z', 64), "0x" + Repeat('0', 64), "0x" + Repeat('1', 64) + "\n\n"}) {
    ASSERT_TRUE(WriteFileAtomic(Path(), AsBytes(dirt), 0600));
    auto result = LoadSigningKey(Path());
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code(), Code::kDataLoss);
    EXPECT_EQ(result.error().message().find("1111"), std::string::npos);
  }
}

TEST_F(KeyFile, NeverReplacesAKey) {
  const SigningKey first = *CreateSigningKey(Path());
  EXPECT_EQ(CreateSigningKey(Path()).error().code(), Code::kFailedPrecondition);
  EXPECT_EQ(LoadSigningKey(Path())->address(), first.address());
}

TEST_F(KeyFile, CreatesOnceWithMode0600AndLeavesNothingElse) {
  EXPECT_EQ(LoadSigningKey(Path()).error().code(), Code::kNotFound);
  const SigningKey key = *LoadOrCreateSigningKey(Path());
  EXPECT_EQ(LoadOrCreateSigningKey(Path())->address(), key.address());
  struct stat info;
  ASSERT_EQ(::stat(Path().c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777, 0600u);
  EXPECT_EQ(info.st_nlink, 1u);  // the temporary name is gone
}

}  // namespace
}  // namespace teetee::crypto
