// ECDSA over P-256 with SHA-256 (FIPS 186-5): keys, raw signatures, public points. The seam to
// OpenSSL: no OpenSSL type here. Signatures are malleable (no low-s rule): never use signature
// bytes as an identifier. Thread-safe once made. Foreign keys and signatures yield errors; our own
// key operations cannot fail.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/bytes.h"

namespace teetee::crypto {

using P256Signature = ByteArray<64>;  // r || s, big-endian halves
using P256PublicKey = ByteArray<64>;  // x || y, big-endian halves (no 0x04 prefix)

// kUnauthenticated if the key is no point of the curve or the signature does not verify over
// SHA-256(message).
Status P256Verify(const P256PublicKey& key, ByteView message, const P256Signature& signature);

// A private key. Copies share the one key, which is wiped with the last of them.
class P256Key {
 public:
  struct State;  // p256.cc and x509.cc only

  static P256Key Generate();
  // PKCS#8, unencrypted: PEM text or DER bytes. kInvalidArgument for anything that is no P-256 key.
  static Result<P256Key> FromPem(std::string_view pem);
  static Result<P256Key> FromDer(ByteView der);

  P256PublicKey PublicKey() const;
  Bytes SpkiDer() const;                       // SubjectPublicKeyInfo (RFC 5480)
  Hash32 SpkiHash() const;                     // SHA-256(SpkiDer())
  P256Signature Sign(ByteView message) const;  // over SHA-256(message)

  // PKCS#8, for TLS libraries and key files: secret, never log, write with mode 0600.
  std::string ToPem() const;
  Bytes ToDer() const;

  const State& state() const { return *state_; }

 private:
  explicit P256Key(std::shared_ptr<const State> state) : state_(std::move(state)) {}
  std::shared_ptr<const State> state_;
};

}  // namespace teetee::crypto
