#include "crypto/hash.h"

#include <openssl/evp.h>

#include "base/check.h"

namespace teetee::crypto {
namespace {

template <size_t N>
ByteArray<N> Digest(const EVP_MD* md, ByteView data) {
  ByteArray<N> out;
  unsigned size = 0;
  TT_CHECK(EVP_Digest(data.data(), data.size(), out.data(), &size, md, nullptr) == 1 && size == N);
  return out;
}

constexpr size_t kBlock = 64;  // bytes, SHA-256 block

}  // namespace

Hash32 Sha256(ByteView data) { return Digest<32>(EVP_sha256(), data); }
Hash48 Sha384(ByteView data) { return Digest<48>(EVP_sha384(), data); }
Hash64 Sha512(ByteView data) { return Digest<64>(EVP_sha512(), data); }

struct Sha256Stream::State {
  State() : context(EVP_MD_CTX_new()) {
    TT_CHECK(context != nullptr && EVP_DigestInit_ex(context, EVP_sha256(), nullptr) == 1);
  }
  ~State() { EVP_MD_CTX_free(context); }
  EVP_MD_CTX* context;
};

Sha256Stream::Sha256Stream() : state_(std::make_unique<State>()) {}
Sha256Stream::~Sha256Stream() = default;
Sha256Stream::Sha256Stream(Sha256Stream&&) noexcept = default;
Sha256Stream& Sha256Stream::operator=(Sha256Stream&&) noexcept = default;

Sha256Stream& Sha256Stream::Update(ByteView data) {
  TT_CHECK(EVP_DigestUpdate(state_->context, data.data(), data.size()) == 1);
  return *this;
}

Hash32 Sha256Stream::Finish() {
  Hash32 out;
  unsigned size = 0;
  TT_CHECK(EVP_DigestFinal_ex(state_->context, out.data(), &size) == 1 && size == 32);
  return out;
}

HmacSha256Stream::HmacSha256Stream(ByteView key) {
  ByteArray<kBlock> block{};
  if (key.size() > kBlock) {
    Hash32 hashed = Sha256(key);
    std::memcpy(block.data(), hashed.data(), hashed.size());
  } else if (!key.empty()) {
    std::memcpy(block.data(), key.data(), key.size());
  }
  ByteArray<kBlock> inner;
  for (size_t i = 0; i < kBlock; ++i) {
    inner[i] = block[i] ^ 0x36;
    outer_pad_[i / 32][i % 32] = block[i] ^ 0x5c;
  }
  inner_.Update(inner);
}

HmacSha256Stream& HmacSha256Stream::Update(ByteView data) {
  inner_.Update(data);
  return *this;
}

Hash32 HmacSha256Stream::Finish() {
  Hash32 inner = inner_.Finish();
  Sha256Stream outer;
  outer.Update(outer_pad_[0]).Update(outer_pad_[1]).Update(inner);
  return outer.Finish();
}

Hash32 HmacSha256(ByteView key, ByteView data) {
  HmacSha256Stream mac(key);
  mac.Update(data);
  return mac.Finish();
}

}  // namespace teetee::crypto
