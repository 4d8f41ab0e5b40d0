#include "crypto/hpke.h"

#include <limits>
#include <string_view>

#include "base/check.h"
#include "crypto/kdf.h"

namespace teetee::crypto {
namespace {

constexpr std::string_view kVersion = "HPKE-v1";
constexpr uint8_t kKemSuite[] = {'K', 'E', 'M', 0x00, 0x20};
constexpr uint8_t kHpkeSuite[] = {'H', 'P', 'K', 'E', 0x00, 0x20, 0x00, 0x01, 0x00, 0x01};
constexpr uint8_t kModeBase = 0;

// RFC 9180 section 4: LabeledExtract. The labelled input holds a secret, so it is wiped.
Secret<32> LabeledExtract(ByteView suite, ByteView salt, std::string_view label, ByteView input) {
  ByteWriter writer;
  writer.Raw(kVersion).Raw(suite).Raw(label).Raw(input);
  Bytes labeled = writer.Take();
  Secret<32> out = HkdfExtract(salt, labeled);
  SecureZero(labeled.data(), labeled.size());
  return out;
}

void LabeledExpand(ByteView suite, const Secret<32>& prk, std::string_view label, ByteView info,
                   uint8_t* out, size_t size) {
  ByteWriter writer;
  writer.U16Be(static_cast<uint16_t>(size)).Raw(kVersion).Raw(suite).Raw(label).Raw(info);
  HkdfExpand(prk.view(), writer.bytes(), out, size);
}

template <size_t N>
Secret<N> LabeledExpand(ByteView suite, const Secret<32>& prk, std::string_view label,
                        ByteView info) {
  Secret<N> out;
  LabeledExpand(suite, prk, label, info, out.data(), N);
  return out;
}

// RFC 9180 section 4.1: ExtractAndExpand over the agreed secret and both public keys.
Secret<32> KemSecret(const Secret<32>& agreed, const HpkeEnc& enc,
                     const X25519PublicKey& recipient) {
  const Secret<32> prk = LabeledExtract(kKemSuite, {}, "eae_prk", agreed.view());
  ByteWriter kem_context;
  kem_context.Raw(enc).Raw(recipient);
  return LabeledExpand<32>(kKemSuite, prk, "shared_secret", kem_context.bytes());
}

}  // namespace

HpkeContext::HpkeContext(const Secret<32>& shared_secret, ByteView info) {
  const Secret<32> psk_id_hash = LabeledExtract(kHpkeSuite, {}, "psk_id_hash", {});
  const Secret<32> info_hash = LabeledExtract(kHpkeSuite, {}, "info_hash", info);
  ByteWriter context;
  context.U8(kModeBase).Raw(psk_id_hash.view()).Raw(info_hash.view());
  const Secret<32> secret = LabeledExtract(kHpkeSuite, shared_secret.view(), "secret", {});
  key_ = LabeledExpand<16>(kHpkeSuite, secret, "key", context.bytes());
  LabeledExpand(kHpkeSuite, secret, "base_nonce", context.bytes(), base_nonce_.data(),
                base_nonce_.size());
  exporter_secret_ = LabeledExpand<32>(kHpkeSuite, secret, "exp", context.bytes());
}

void HpkeContext::Export(ByteView exporter_context, uint8_t* out, size_t size) const {
  LabeledExpand(kHpkeSuite, exporter_secret_, "sec", exporter_context, out, size);
}

Result<AeadNonce> HpkeContext::Nonce() const {
  if (sequence_ == std::numeric_limits<uint64_t>::max()) {
    return Error(Code::kResourceExhausted, "HPKE: the context's message limit is reached");
  }
  return SequenceNonce(base_nonce_, sequence_);
}

Result<HpkeSender> HpkeSender::Setup(const X25519PublicKey& recipient, ByteView info) {
  return SetupWithEphemeral(recipient, info, X25519Key::Generate());
}

Result<HpkeSender> HpkeSender::SetupWithEphemeral(const X25519PublicKey& recipient, ByteView info,
                                                  const X25519Key& ephemeral) {
  const Secret<32> agreed = TT_TRY(ephemeral.Agree(recipient));
  const HpkeEnc& enc = ephemeral.public_key();
  return HpkeSender(enc, KemSecret(agreed, enc, recipient), info);
}

Result<Bytes> HpkeSender::Seal(ByteView associated_data, ByteView plaintext) {
  const AeadNonce nonce = TT_TRY(Nonce());
  Bytes out = AeadSeal(key_, nonce, associated_data, plaintext);
  ++sequence_;
  return out;
}

Result<HpkeRecipient> HpkeRecipient::Setup(const HpkeEnc& enc, const X25519Key& recipient,
                                           ByteView info) {
  const Secret<32> agreed = TT_TRY(recipient.Agree(enc));
  return HpkeRecipient(KemSecret(agreed, enc, recipient.public_key()), info);
}

Result<Bytes> HpkeRecipient::Open(ByteView associated_data, ByteView ciphertext) {
  const AeadNonce nonce = TT_TRY(Nonce());
  Bytes out = TT_TRY(AeadOpen(key_, nonce, associated_data, ciphertext));
  ++sequence_;
  return out;
}

X25519Key HpkeDeriveKeyPair(ByteView input_key) {
  TT_CHECK(input_key.size() >= 32);
  const Secret<32> prk = LabeledExtract(kKemSuite, {}, "dkp_prk", input_key);
  return X25519Key(LabeledExpand<32>(kKemSuite, prk, "sk", {}));
}

}  // namespace teetee::crypto
