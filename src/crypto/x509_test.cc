#include "crypto/x509.h"

#include <gtest/gtest.h>

#include "crypto/hash.h"
#include "crypto/p256.h"

namespace teetee::crypto {
namespace {

constexpr int64_t kNow = 1'780'000'000;

CertificateSpec RootSpec() {
  CertificateSpec spec;
  spec.common_name = "test root";
  spec.organization = "test";
  spec.validity = {kNow - 100, kNow + 100};
  spec.is_ca = true;
  spec.path_length = 1;
  spec.key_usage = {false, true, true};
  return spec;
}

CertificateSpec LeafSpec() {
  CertificateSpec spec;
  spec.common_name = "test leaf";
  spec.serial = {0x01, 0x02};
  spec.validity = {kNow, kNow + 10};
  spec.key_usage = {true, false, false};
  spec.extensions = {{"2.23.133.5.4.9", {1, 2, 3}, false}};
  spec.dns_names = {"node.test"};
  return spec;
}

struct Chain {
  P256Key root_key = P256Key::Generate();
  P256Key leaf_key = P256Key::Generate();
  Certificate root = *BuildSelfSigned(RootSpec(), root_key);
  Certificate leaf = *BuildCertificate(LeafSpec(), leaf_key.PublicKey(), Issuer{root, root_key});
};

TEST(P256, RefusesChangedMessageSignatureAndKey) {
  P256Key key = P256Key::Generate();
  Bytes message = {1, 2, 3};
  P256Signature signature = key.Sign(message);
  EXPECT_TRUE(P256Verify(key.PublicKey(), message, signature));
  P256Signature bad = signature;
  bad[40] ^= 1;
  EXPECT_FALSE(P256Verify(key.PublicKey(), message, bad));
  EXPECT_FALSE(P256Verify(key.PublicKey(), Bytes{1, 2, 4}, signature));
  EXPECT_FALSE(P256Verify(P256Key::Generate().PublicKey(), message, signature));
  P256PublicKey off_curve = key.PublicKey();
  off_curve[63] ^= 1;
  EXPECT_FALSE(P256Verify(off_curve, message, signature));
  EXPECT_FALSE(P256Verify(key.PublicKey(), message, P256Signature{}));  // r = s = 0
  EXPECT_FALSE(P256Verify(P256PublicKey{}, message, signature));
}

// FIPS 186 verification vector of RFC 6979 appendix A.2.5 (P-256, SHA-256, message "sample").
TEST(P256, VerifiesRfc6979) {
  auto key = *FromHexFixed<64>(
      "60fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb6"
      "7903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177a3c294d4462299");
  auto signature = *FromHexFixed<64>(
      "efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716"
      "f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8");
  EXPECT_TRUE(P256Verify(key, AsBytes("sample"), signature));
  EXPECT_FALSE(P256Verify(key, AsBytes("test"), signature));
}

TEST(P256, KeysSurviveEncoding) {
  P256Key key = P256Key::Generate();
  EXPECT_EQ(P256Key::FromPem(key.ToPem())->PublicKey(), key.PublicKey());
  EXPECT_EQ(P256Key::FromDer(key.ToDer())->PublicKey(), key.PublicKey());
  EXPECT_EQ(key.SpkiHash(), Sha256(key.SpkiDer()));
  EXPECT_FALSE(P256Key::FromPem("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"));
  Bytes der = key.ToDer();
  der.push_back(0);
  EXPECT_FALSE(P256Key::FromDer(der));
}

TEST(X509, RefusesWrongIssuerAndChangedBytes) {
  Chain chain;
  EXPECT_TRUE(chain.root.CheckSignedBy(chain.root));
  EXPECT_TRUE(chain.leaf.CheckSignedBy(chain.root));
  EXPECT_FALSE(chain.leaf.CheckSignedBy(chain.leaf));
  Chain other;  // the same names under another key
  EXPECT_EQ(other.root.subject_der(), chain.root.subject_der());
  EXPECT_FALSE(chain.leaf.CheckSignedBy(other.root));
  for (size_t bit = 0; bit < chain.leaf.der().size() * 8; ++bit) {
    Bytes changed = chain.leaf.der();
    changed[bit / 8] ^= static_cast<uint8_t>(1u << (bit % 8));
    auto parsed = Certificate::FromDer(changed);
    EXPECT_FALSE(parsed && parsed->CheckSignedBy(chain.root)) << "byte " << bit / 8;
  }
}

TEST(X509, RefusesTrailingBytesAndForeignCriticalExtensions) {
  Chain chain;
  Bytes longer = chain.leaf.der();
  longer.push_back(0);
  EXPECT_FALSE(Certificate::FromDer(longer));
  EXPECT_FALSE(Certificate::FromDer({}));
  CertificateSpec spec = LeafSpec();
  spec.extensions[0].critical = true;
  EXPECT_FALSE(BuildSelfSigned(spec, chain.leaf_key));
  spec = LeafSpec();
  spec.extensions.push_back(spec.extensions[0]);
  EXPECT_FALSE(BuildSelfSigned(spec, chain.leaf_key));
  spec = LeafSpec();
  spec.dns_names = {"a,DNS:b"};
  EXPECT_FALSE(BuildSelfSigned(spec, chain.leaf_key));
}

TEST(X509, ReadsFields) {
  Chain chain;
  EXPECT_EQ(chain.leaf.subject_common_name(), "test leaf");
  EXPECT_EQ(chain.leaf.issuer_common_name(), "test root");
  EXPECT_EQ(chain.leaf.serial(), (Bytes{1, 2}));
  EXPECT_EQ(chain.leaf.validity(), (Validity{kNow, kNow + 10}));
  EXPECT_TRUE(chain.root.is_ca());
  EXPECT_EQ(chain.root.path_length(), 1);
  EXPECT_FALSE(chain.leaf.is_ca());
  EXPECT_EQ(chain.leaf.key_usage(), (KeyUsage{true, false, false}));
  EXPECT_EQ(chain.leaf.public_key(), chain.leaf_key.PublicKey());
  EXPECT_EQ(chain.leaf.spki_hash(), chain.leaf_key.SpkiHash());
  EXPECT_EQ(*chain.leaf.Extension("2.23.133.5.4.9"), (Bytes{1, 2, 3}));
  EXPECT_EQ(chain.leaf.Extension("1.2.3").error().code(), Code::kNotFound);
}

TEST(X509, PemChainsAreBounded) {
  Chain chain;
  std::string pem = chain.leaf.ToPem() + chain.root.ToPem();
  EXPECT_EQ(ParsePemChain(pem, 2)->size(), 2u);
  EXPECT_EQ((*ParsePemChain(pem, 2))[0].der(), chain.leaf.der());
  EXPECT_FALSE(ParsePemChain(pem, 1));
  EXPECT_FALSE(ParsePemChain(pem + "x", 3));
  EXPECT_FALSE(ParsePemChain("x" + pem, 3));
  EXPECT_FALSE(ParsePemChain(pem.substr(0, pem.size() - 10), 3));
  EXPECT_TRUE(ParsePemChain(" \n", 3)->empty());
}

TEST(X509, CrlsNameTheRevoked) {
  Chain chain;
  Issuer issuer{chain.root, chain.root_key};
  Crl empty = *Crl::FromDer(*BuildCrl({{kNow, kNow + 5}, {}}, issuer));
  EXPECT_FALSE(empty.IsRevoked(chain.leaf));
  EXPECT_EQ(empty.updates(), (Validity{kNow, kNow + 5}));
  Bytes der = *BuildCrl({{kNow, kNow + 5}, {{9}, {1, 2}}}, issuer);
  Crl crl = *Crl::FromDer(der);
  EXPECT_TRUE(crl.IsRevoked(chain.leaf));
  EXPECT_TRUE(crl.CheckSignedBy(chain.root));
  EXPECT_FALSE(crl.CheckSignedBy(chain.leaf));
  EXPECT_FALSE(crl.CheckSignedBy(Chain().root));
  for (size_t bit = 0; bit < der.size() * 8; ++bit) {
    Bytes changed = der;
    changed[bit / 8] ^= static_cast<uint8_t>(1u << (bit % 8));
    auto parsed = Crl::FromDer(changed);
    EXPECT_FALSE(parsed && parsed->CheckSignedBy(chain.root)) << "byte " << bit / 8;
  }
  der.push_back(0);
  EXPECT_FALSE(Crl::FromDer(der));
}

}  // namespace
}  // namespace teetee::crypto
