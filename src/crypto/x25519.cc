#include "crypto/x25519.h"

#include <openssl/evp.h>

#include <memory>

#include "base/check.h"
#include "crypto/random.h"

namespace teetee::crypto {
namespace {

struct FreeKey {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};
struct FreeContext {
  void operator()(EVP_PKEY_CTX* context) const { EVP_PKEY_CTX_free(context); }
};
using Key = std::unique_ptr<EVP_PKEY, FreeKey>;

Key PrivateKey(const Secret<32>& secret) {
  Key key(EVP_PKEY_new_raw_private_key(EVP_PKEY_X25519, nullptr, secret.data(), secret.size()));
  TT_CHECK(key != nullptr);
  return key;
}

}  // namespace

X25519Key X25519Key::Generate() { return X25519Key(RandomSecret<32>()); }

X25519Key::X25519Key(const Secret<32>& secret) : secret_(secret) {
  const Key key = PrivateKey(secret_);
  size_t size = public_key_.size();
  TT_CHECK(EVP_PKEY_get_raw_public_key(key.get(), public_key_.data(), &size) == 1 && size == 32);
}

Result<Secret<32>> X25519Key::Agree(const X25519PublicKey& peer) const {
  const Key own = PrivateKey(secret_);
  const Key other(EVP_PKEY_new_raw_public_key(EVP_PKEY_X25519, nullptr, peer.data(), peer.size()));
  const std::unique_ptr<EVP_PKEY_CTX, FreeContext> context(EVP_PKEY_CTX_new(own.get(), nullptr));
  TT_CHECK(other != nullptr && context != nullptr && EVP_PKEY_derive_init(context.get()) == 1);
  Secret<32> shared;
  size_t size = shared.size();
  // OpenSSL fails on an all-zero result; the explicit comparison does not depend on it.
  const bool derived = EVP_PKEY_derive_set_peer(context.get(), other.get()) == 1 &&
                       EVP_PKEY_derive(context.get(), shared.data(), &size) == 1;
  if (!derived || shared.Equals(Secret<32>())) {
    return Error(Code::kUnauthenticated, "X25519: the peer's key is of low order");
  }
  return shared;
}

}  // namespace teetee::crypto
