#include "crypto/secp256k1.h"

#include <secp256k1.h>
#include <secp256k1_recovery.h>

#include <algorithm>
#include <cctype>

#include "base/check.h"
#include "crypto/keccak.h"
#include "crypto/random.h"

namespace teetee::crypto {
namespace {

Address AddressOf(const secp256k1_context* context, const secp256k1_pubkey& key) {
  ByteArray<65> point;
  size_t size = point.size();
  TT_CHECK(secp256k1_ec_pubkey_serialize(context, point.data(), &size, &key,
                                         SECP256K1_EC_UNCOMPRESSED) == 1);
  const Hash32 hash = Keccak256(ByteView(point).subspan(1));  // without the 0x04 in front
  Address out;
  std::memcpy(out.data(), hash.data() + 12, out.size());
  return out;
}

Error BadSignature(const char* why) { return Error(Code::kUnauthenticated, why); }

}  // namespace

std::string AddressText(const Address& address) {
  std::string text = ToHex(address);
  const Hash32 hash = Keccak256(text);
  for (size_t i = 0; i < text.size(); ++i) {
    const int nibble = i % 2 == 0 ? hash[i / 2] >> 4 : hash[i / 2] & 15;
    if (nibble >= 8) text[i] = static_cast<char>(std::toupper(text[i]));
  }
  return "0x" + text;
}

Result<Address> ParseAddress(std::string_view text) {
  if (text.size() != 42 || text.substr(0, 2) != "0x") {
    return Error(Code::kInvalidArgument, "expected an address: 0x and 40 hexadecimal digits");
  }
  const Address address = TT_TRY(FromHexFixed<20>(text));
  const std::string_view digits = text.substr(2);
  const bool lower = std::any_of(digits.begin(), digits.end(), [](char c) { return c >= 'a'; });
  const bool upper =
      std::any_of(digits.begin(), digits.end(), [](char c) { return c >= 'A' && c <= 'F'; });
  if (lower && upper && AddressText(address) != text) {
    return Error(Code::kInvalidArgument,
                 "the address's checksum (EIP-55) is wrong: a digit was mistyped");
  }
  return address;
}

bool IsZero(const Address& address) { return address == Address{}; }

Hash32 Signature::vs() const {
  Hash32 out = s;
  if (parity != 0) out[0] |= 0x80;
  return out;
}

ByteArray<65> Signature::bytes() const {
  ByteArray<65> out;
  std::memcpy(out.data(), r.data(), 32);
  std::memcpy(out.data() + 32, s.data(), 32);
  out[64] = static_cast<uint8_t>(27 + parity);
  return out;
}

Signature Signature::FromCompact(const Hash32& r, const Hash32& vs) {
  Signature out{r, vs, static_cast<uint8_t>(vs[0] >> 7)};
  out.s[0] &= 0x7f;
  return out;
}

struct SigningKey::Context {
  Context() : context(secp256k1_context_create(SECP256K1_CONTEXT_SIGN)) {
    const Secret<32> seed = RandomSecret<32>();
    TT_CHECK(context != nullptr && secp256k1_context_randomize(context, seed.data()) == 1);
  }
  ~Context() { secp256k1_context_destroy(context); }
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;
  secp256k1_context* context;
};

SigningKey::SigningKey(const Secret<32>& secret, std::unique_ptr<Context> context,
                       const Address& address)
    : secret_(secret), context_(std::move(context)), address_(address) {}
SigningKey::~SigningKey() = default;
SigningKey::SigningKey(SigningKey&&) noexcept = default;
SigningKey& SigningKey::operator=(SigningKey&&) noexcept = default;

Result<SigningKey> SigningKey::FromSecret(const Secret<32>& secret) {
  auto context = std::make_unique<Context>();
  secp256k1_pubkey key;
  if (secp256k1_ec_pubkey_create(context->context, &key, secret.data()) != 1) {
    return Error(Code::kInvalidArgument, "not a secp256k1 private key: out of range");
  }
  const Address address = AddressOf(context->context, key);
  return SigningKey(secret, std::move(context), address);
}

SigningKey SigningKey::Generate() {
  auto key = FromSecret(RandomSecret<32>());
  TT_CHECK(key.has_value());  // fails once in 2^128 draws
  return *std::move(key);
}

Signature SigningKey::Sign(const Hash32& digest) const {
  secp256k1_ecdsa_recoverable_signature signature;
  // A null nonce function is RFC 6979; the library's signatures have low s.
  TT_CHECK(secp256k1_ecdsa_sign_recoverable(context_->context, &signature, digest.data(),
                                            secret_.data(), nullptr, nullptr) == 1);
  ByteArray<64> compact;
  int recovery = 0;
  TT_CHECK(secp256k1_ecdsa_recoverable_signature_serialize_compact(
               secp256k1_context_static, compact.data(), &recovery, &signature) == 1);
  // Ids 2 and 3 need an r above the group order, which nobody can find; Ethereum cannot express
  // them.
  TT_CHECK(recovery == 0 || recovery == 1);
  Signature out;
  std::memcpy(out.r.data(), compact.data(), 32);
  std::memcpy(out.s.data(), compact.data() + 32, 32);
  out.parity = static_cast<uint8_t>(recovery);
  return out;
}

Result<Address> Recover(const Hash32& digest, const Signature& signature) {
  const secp256k1_context* context = secp256k1_context_static;  // constant; enough to verify
  if (signature.parity > 1) return BadSignature("signature: recovery id is not 0 or 1");
  ByteArray<64> compact;
  std::memcpy(compact.data(), signature.r.data(), 32);
  std::memcpy(compact.data() + 32, signature.s.data(), 32);
  secp256k1_ecdsa_signature plain;
  if (secp256k1_ecdsa_signature_parse_compact(context, &plain, compact.data()) != 1) {
    return BadSignature("signature: r or s is out of range");
  }
  if (secp256k1_ecdsa_signature_normalize(context, nullptr, &plain) == 1) {
    return BadSignature("signature: s is high (EIP-2)");
  }
  secp256k1_ecdsa_recoverable_signature recoverable;
  secp256k1_pubkey key;
  if (secp256k1_ecdsa_recoverable_signature_parse_compact(context, &recoverable, compact.data(),
                                                          signature.parity) != 1 ||
      secp256k1_ecdsa_recover(context, &key, &recoverable, digest.data()) != 1) {
    return BadSignature("signature: no key fits it");
  }
  return AddressOf(context, key);
}

Result<Address> Recover(const Hash32& digest, const Hash32& r, const Hash32& vs) {
  return Recover(digest, Signature::FromCompact(r, vs));
}

Result<Address> Recover(const Hash32& digest, ByteView signature65) {
  if (signature65.size() != 65) return BadSignature("signature: expected 65 bytes");
  Signature signature;
  std::memcpy(signature.r.data(), signature65.data(), 32);
  std::memcpy(signature.s.data(), signature65.data() + 32, 32);
  const uint8_t v = signature65[64];
  if (v != 0 && v != 1 && v != 27 && v != 28) return BadSignature("signature: v is not 27 or 28");
  signature.parity = v >= 27 ? static_cast<uint8_t>(v - 27) : v;
  return Recover(digest, signature);
}

Status ExpectSigner(const Address& expected, const Hash32& digest, const Hash32& r,
                    const Hash32& vs) {
  const Address signer = TT_TRY(Recover(digest, r, vs));
  if (IsZero(expected) || signer != expected) {
    return BadSignature("signature: signed by another key than expected");
  }
  return Ok{};
}

}  // namespace teetee::crypto
