#include "crypto/aead.h"

#include <openssl/evp.h>

#include <memory>

#include "base/check.h"

namespace teetee::crypto {
namespace {

struct FreeContext {
  void operator()(EVP_CIPHER_CTX* context) const { EVP_CIPHER_CTX_free(context); }
};
using Context = std::unique_ptr<EVP_CIPHER_CTX, FreeContext>;

Context MakeContext(const AeadKey& key, const AeadNonce& nonce, ByteView associated_data,
                    bool seal) {
  Context context(EVP_CIPHER_CTX_new());
  TT_CHECK(context != nullptr);
  TT_CHECK(EVP_CipherInit_ex(context.get(), EVP_aes_128_gcm(), nullptr, key.data(), nonce.data(),
                             seal ? 1 : 0) == 1);
  int n = 0;
  if (!associated_data.empty()) {
    TT_CHECK(EVP_CipherUpdate(context.get(), nullptr, &n, associated_data.data(),
                              static_cast<int>(associated_data.size())) == 1);
  }
  return context;
}

// GCM is a stream: the output is as long as the input, at once.
void Transform(const Context& context, ByteView in, uint8_t* out) {
  if (in.empty()) return;
  int n = 0;
  TT_CHECK(EVP_CipherUpdate(context.get(), out, &n, in.data(), static_cast<int>(in.size())) == 1);
  TT_CHECK(static_cast<size_t>(n) == in.size());
}

}  // namespace

Bytes AeadSeal(const AeadKey& key, const AeadNonce& nonce, ByteView associated_data,
               ByteView plaintext) {
  TT_CHECK(plaintext.size() <= kMaxAeadSize && associated_data.size() <= kMaxAeadSize);
  const Context context = MakeContext(key, nonce, associated_data, true);
  Bytes out(plaintext.size() + kAeadTagSize);
  Transform(context, plaintext, out.data());
  int n = 0;
  uint8_t* tag = out.data() + plaintext.size();
  TT_CHECK(EVP_CipherFinal_ex(context.get(), tag, &n) == 1 && n == 0);
  TT_CHECK(EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_GET_TAG, kAeadTagSize, tag) == 1);
  return out;
}

Result<Bytes> AeadOpen(const AeadKey& key, const AeadNonce& nonce, ByteView associated_data,
                       ByteView ciphertext) {
  if (ciphertext.size() < kAeadTagSize) {
    return Error(Code::kUnauthenticated, "sealed message: shorter than its tag");
  }
  if (ciphertext.size() > kMaxAeadSize || associated_data.size() > kMaxAeadSize) {
    return Error(Code::kResourceExhausted, "sealed message: too long");
  }
  const Context context = MakeContext(key, nonce, associated_data, false);
  const size_t size = ciphertext.size() - kAeadTagSize;
  Bytes out(size);
  Transform(context, ciphertext.first(size), out.data());
  ByteArray<kAeadTagSize> tag;
  std::memcpy(tag.data(), ciphertext.data() + size, tag.size());
  TT_CHECK(EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_SET_TAG, kAeadTagSize, tag.data()) ==
           1);
  int n = 0;
  uint8_t rest[16];
  if (EVP_CipherFinal_ex(context.get(), rest, &n) != 1) {
    SecureZero(out.data(), out.size());
    return Error(Code::kUnauthenticated, "sealed message: does not authenticate");
  }
  return out;
}

AeadNonce SequenceNonce(const AeadNonce& base, uint64_t sequence) {
  AeadNonce out = base;
  for (size_t i = 0; i < 8; ++i) out[11 - i] ^= static_cast<uint8_t>(sequence >> (8 * i));
  return out;
}

}  // namespace teetee::crypto
