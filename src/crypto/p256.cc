#include "crypto/p256.h"

#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>

#include "base/check.h"
#include "crypto/hash.h"
#include "crypto/p256_state.h"

namespace teetee::crypto {
namespace {

constexpr size_t kMaxKeyText = 4096;  // bytes of PEM or DER

// The queue of OpenSSL is per thread; whoever leaves errors there confuses the next TLS call.
struct ErrorQueueGuard {
  ~ErrorQueueGuard() { ERR_clear_error(); }
};

Bytes DerSignature(const P256Signature& raw) {
  EcdsaSigPtr signature(ECDSA_SIG_new());
  BnPtr r(BN_bin2bn(raw.data(), 32, nullptr));
  BnPtr s(BN_bin2bn(raw.data() + 32, 32, nullptr));
  TT_CHECK(signature != nullptr && r != nullptr && s != nullptr);
  TT_CHECK(ECDSA_SIG_set0(signature.get(), r.release(), s.release()) == 1);
  uint8_t* der = nullptr;
  int size = i2d_ECDSA_SIG(signature.get(), &der);
  TT_CHECK(size > 0);
  Bytes out(der, der + size);
  OPENSSL_free(der);
  return out;
}

P256Signature RawSignature(ByteView der) {
  const uint8_t* at = der.data();
  EcdsaSigPtr signature(d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(der.size())));
  TT_CHECK(signature != nullptr);
  P256Signature out;
  TT_CHECK(BN_bn2binpad(ECDSA_SIG_get0_r(signature.get()), out.data(), 32) == 32);
  TT_CHECK(BN_bn2binpad(ECDSA_SIG_get0_s(signature.get()), out.data() + 32, 32) == 32);
  return out;
}

Bytes Contents(BIO* bio) {
  char* data = nullptr;
  long size = BIO_get_mem_data(bio, &data);
  return Bytes(data, data + size);
}

}  // namespace

bool IsP256(EVP_PKEY* key) {
  char group[32];
  size_t size = 0;
  return key != nullptr && EVP_PKEY_is_a(key, "EC") == 1 &&
         EVP_PKEY_get_group_name(key, group, sizeof group, &size) == 1 &&
         std::string_view(group, size) == "prime256v1";
}

Result<PkeyPtr> PublicKeyFromPoint(const P256PublicKey& point) {
  ByteArray<65> octets;
  octets[0] = 0x04;
  std::memcpy(octets.data() + 1, point.data(), point.size());
  char group[] = "prime256v1";
  OSSL_PARAM params[] = {
      OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group, 0),
      OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, octets.data(), octets.size()),
      OSSL_PARAM_construct_end()};
  PkeyCtxPtr context(EVP_PKEY_CTX_new_from_name(nullptr, "EC", nullptr));
  EVP_PKEY* key = nullptr;
  if (context == nullptr || EVP_PKEY_fromdata_init(context.get()) != 1 ||
      EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY, params) != 1) {
    return Error(Code::kUnauthenticated, "P-256 public key is no point of the curve");
  }
  return PkeyPtr(key);
}

P256PublicKey PointOf(EVP_PKEY* key) {
  P256PublicKey out;
  auto half = [key](const char* name, uint8_t* at) {
    BIGNUM* value = nullptr;
    TT_CHECK(EVP_PKEY_get_bn_param(key, name, &value) == 1);
    BnPtr owner(value);
    TT_CHECK(BN_bn2binpad(value, at, 32) == 32);
  };
  half(OSSL_PKEY_PARAM_EC_PUB_X, out.data());
  half(OSSL_PKEY_PARAM_EC_PUB_Y, out.data() + 32);
  return out;
}

Status P256Verify(const P256PublicKey& point, ByteView message, const P256Signature& signature) {
  ErrorQueueGuard guard;
  PkeyPtr key = TT_TRY(PublicKeyFromPoint(point));
  Bytes der = DerSignature(signature);
  MdCtxPtr context(EVP_MD_CTX_new());
  TT_CHECK(context != nullptr);
  TT_CHECK(EVP_DigestVerifyInit(context.get(), nullptr, EVP_sha256(), nullptr, key.get()) == 1);
  if (EVP_DigestVerify(context.get(), der.data(), der.size(), message.data(), message.size()) !=
      1) {
    return Error(Code::kUnauthenticated, "P-256 signature does not verify");
  }
  return Ok{};
}

P256Key P256Key::Generate() {
  PkeyPtr key(EVP_EC_gen("prime256v1"));
  TT_CHECK(key != nullptr);
  auto state = std::make_shared<State>();
  state->key = std::move(key);
  return P256Key(std::move(state));
}

Result<P256Key> P256Key::FromPem(std::string_view pem) {
  ErrorQueueGuard guard;
  if (pem.size() > kMaxKeyText) return Error(Code::kInvalidArgument, "private key: too long");
  BioPtr bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  TT_CHECK(bio != nullptr);
  auto no_password = [](char*, int, int, void*) { return -1; };
  auto state = std::make_shared<State>();
  state->key.reset(PEM_read_bio_PrivateKey(bio.get(), nullptr, no_password, nullptr));
  if (!IsP256(state->key.get())) return Error(Code::kInvalidArgument, "private key: no P-256 key");
  return P256Key(std::move(state));
}

Result<P256Key> P256Key::FromDer(ByteView der) {
  ErrorQueueGuard guard;
  if (der.size() > kMaxKeyText) return Error(Code::kInvalidArgument, "private key: too long");
  const uint8_t* at = der.data();
  auto state = std::make_shared<State>();
  state->key.reset(d2i_AutoPrivateKey(nullptr, &at, static_cast<long>(der.size())));
  if (!IsP256(state->key.get()) || at != der.data() + der.size()) {
    return Error(Code::kInvalidArgument, "private key: no P-256 key");
  }
  return P256Key(std::move(state));
}

P256PublicKey P256Key::PublicKey() const { return PointOf(state_->key.get()); }

Bytes P256Key::SpkiDer() const {
  uint8_t* der = nullptr;
  int size = i2d_PUBKEY(state_->key.get(), &der);
  TT_CHECK(size > 0);
  Bytes out(der, der + size);
  OPENSSL_free(der);
  return out;
}

Hash32 P256Key::SpkiHash() const { return Sha256(SpkiDer()); }

P256Signature P256Key::Sign(ByteView message) const {
  MdCtxPtr context(EVP_MD_CTX_new());
  TT_CHECK(context != nullptr);
  TT_CHECK(EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(), nullptr, state_->key.get()) ==
           1);
  uint8_t der[80];  // the longest DER form of two 33-byte integers is 72
  size_t size = sizeof der;
  TT_CHECK(EVP_DigestSign(context.get(), der, &size, message.data(), message.size()) == 1);
  return RawSignature(ByteView(der, size));
}

std::string P256Key::ToPem() const {
  BioPtr bio(BIO_new(BIO_s_secmem()));
  TT_CHECK(bio != nullptr);
  TT_CHECK(PEM_write_bio_PKCS8PrivateKey(bio.get(), state_->key.get(), nullptr, nullptr, 0, nullptr,
                                         nullptr) == 1);
  return std::string(AsText(Contents(bio.get())));
}

Bytes P256Key::ToDer() const {
  BioPtr bio(BIO_new(BIO_s_secmem()));
  TT_CHECK(bio != nullptr);
  TT_CHECK(i2d_PKCS8PrivateKey_bio(bio.get(), state_->key.get(), nullptr, nullptr, 0, nullptr,
                                   nullptr) == 1);
  return Contents(bio.get());
}

}  // namespace teetee::crypto
