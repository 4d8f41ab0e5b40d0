// The insides of P256Key, shared by p256.cc and x509.cc.
#pragma once

#include "crypto/openssl_ptr.h"
#include "crypto/p256.h"

namespace teetee::crypto {

struct P256Key::State {
  PkeyPtr key;
};

// True for a P-256 public or private key given by its named curve.
bool IsP256(EVP_PKEY* key);
P256PublicKey PointOf(EVP_PKEY* key);  // REQUIRES IsP256(key)
Result<PkeyPtr> PublicKeyFromPoint(const P256PublicKey& point);

}  // namespace teetee::crypto
