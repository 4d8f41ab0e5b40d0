// X25519 key agreement (RFC 7748). Thread-compatible.
#pragma once

#include "base/bytes.h"
#include "base/result.h"
#include "base/secret.h"

namespace teetee::crypto {

using X25519PublicKey = ByteArray<32>;

class X25519Key {
 public:
  static X25519Key Generate();
  explicit X25519Key(const Secret<32>& secret);  // any 32 bytes are a key

  const X25519PublicKey& public_key() const { return public_key_; }
  const Secret<32>& secret() const { return secret_; }
  // kUnauthenticated if the peer's point is of low order: the result would be known to everyone.
  Result<Secret<32>> Agree(const X25519PublicKey& peer) const;

 private:
  Secret<32> secret_;
  X25519PublicKey public_key_;
};

}  // namespace teetee::crypto
