// Hybrid Public Key Encryption, RFC 9180, base mode, one suite: DHKEM(X25519, HKDF-SHA256) 0x0020,
// HKDF-SHA256 0x0001, AES-128-GCM 0x0001. Everyone who has the recipient's public key can seal;
// nothing proves who did. Thread-compatible.
#pragma once

#include "base/bytes.h"
#include "base/result.h"
#include "base/secret.h"
#include "crypto/aead.h"
#include "crypto/x25519.h"

namespace teetee::crypto {

inline constexpr size_t kHpkeEncSize = 32;  // bytes of the encapsulated key
using HpkeEnc = X25519PublicKey;

// The key schedule's result. A message's nonce follows from its sequence number, which each side
// counts for itself.
class HpkeContext {
 public:
  // Exports a secret that both sides know (RFC 9180 section 5.3); the same before and after any
  // message.
  template <size_t N>
  Secret<N> Export(ByteView exporter_context) const {
    Secret<N> out;
    Export(exporter_context, out.data(), N);
    return out;
  }
  // REQUIRES: size <= 255 * 32.
  void Export(ByteView exporter_context, uint8_t* out, size_t size) const;
  uint64_t sequence() const { return sequence_; }  // of the next message

 protected:
  HpkeContext(const Secret<32>& shared_secret, ByteView info);
  Result<AeadNonce> Nonce() const;  // kResourceExhausted when the counter is at its end

  AeadKey key_;
  uint64_t sequence_ = 0;

 private:
  AeadNonce base_nonce_;
  Secret<32> exporter_secret_;
};

class HpkeSender final : public HpkeContext {
 public:
  // SetupBaseS. kUnauthenticated: the recipient's key is of low order.
  static Result<HpkeSender> Setup(const X25519PublicKey& recipient, ByteView info);
  // For test vectors: the ephemeral key must never serve twice.
  static Result<HpkeSender> SetupWithEphemeral(const X25519PublicKey& recipient, ByteView info,
                                               const X25519Key& ephemeral);

  const HpkeEnc& enc() const { return enc_; }
  Result<Bytes> Seal(ByteView associated_data, ByteView plaintext);

 private:
  HpkeSender(const HpkeEnc& enc, const Secret<32>& shared_secret, ByteView info)
      : HpkeContext(shared_secret, info), enc_(enc) {}
  HpkeEnc enc_;
};

class HpkeRecipient final : public HpkeContext {
 public:
  // SetupBaseR. kUnauthenticated: `enc` is of low order.
  static Result<HpkeRecipient> Setup(const HpkeEnc& enc, const X25519Key& recipient, ByteView info);

  // A message that does not authenticate leaves the sequence as it is.
  Result<Bytes> Open(ByteView associated_data, ByteView ciphertext);

 private:
  using HpkeContext::HpkeContext;
};

// DeriveKeyPair of RFC 9180 section 7.1.3. REQUIRES: at least 32 bytes of input.
X25519Key HpkeDeriveKeyPair(ByteView input_key);

}  // namespace teetee::crypto
