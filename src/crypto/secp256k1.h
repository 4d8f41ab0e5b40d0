// ECDSA over secp256k1 as Ethereum uses it: deterministic nonces (RFC 6979), low s (EIP-2), compact
// form (EIP-2098), addresses (last 20 bytes of the public key's Keccak-256) with checksummed text
// (EIP-55).
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"
#include "base/secret.h"

namespace teetee::crypto {

using Address = ByteArray<20>;

std::string AddressText(const Address& address);  // "0x" and mixed case by EIP-55
// 0x and 40 digits. All lower or all upper case is taken as it is; mixed case must be the right
// checksum.
Result<Address> ParseAddress(std::string_view text);
bool IsZero(const Address& address);

struct Signature {
  Hash32 r{};
  Hash32 s{};          // low: at most half of the group order
  uint8_t parity = 0;  // of the y coordinate of the nonce point: 0 or 1

  Hash32 vs() const;            // EIP-2098: s with parity in the top bit
  ByteArray<65> bytes() const;  // r || s || 27 + parity, as wallets write it
  static Signature FromCompact(const Hash32& r, const Hash32& vs);  // unchecked; Recover checks
  bool operator==(const Signature&) const = default;
};

// A private key with its address. Movable, not copyable. Signing is thread-safe.
class SigningKey {
 public:
  // kInvalidArgument: zero, or not below the group order.
  static Result<SigningKey> FromSecret(const Secret<32>& secret);
  static SigningKey Generate();
  ~SigningKey();
  SigningKey(SigningKey&&) noexcept;
  SigningKey& operator=(SigningKey&&) noexcept;

  const Address& address() const { return address_; }
  // The caller writes it to a key file or seals it, and nothing else.
  const Secret<32>& secret() const { return secret_; }
  Signature Sign(const Hash32& digest) const;

 private:
  struct Context;
  SigningKey(const Secret<32>& secret, std::unique_ptr<Context> context, const Address& address);

  Secret<32> secret_;
  std::unique_ptr<Context> context_;  // blinded against side channels, hence one per key
  Address address_;
};

// Who signed the digest. kUnauthenticated: malformed, high s, or no key fits. The result says who
// signed, not that the signer is the right one: compare it.
Result<Address> Recover(const Hash32& digest, const Signature& signature);
Result<Address> Recover(const Hash32& digest, const Hash32& r, const Hash32& vs);
// 65 bytes r || s || v with v 27 or 28 (or 0 or 1, which some wallets write).
Result<Address> Recover(const Hash32& digest, ByteView signature65);

// kUnauthenticated unless `expected` signed; a zero `expected` never did.
Status ExpectSigner(const Address& expected, const Hash32& digest, const Hash32& r,
                    const Hash32& vs);

}  // namespace teetee::crypto
