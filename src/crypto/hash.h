// SHA-2 (FIPS 180-4) and HMAC (RFC 2104), one-shot and incremental. Thread-compatible. Cannot fail.
#pragma once

#include <memory>
#include <string_view>

#include "base/bytes.h"

namespace teetee::crypto {

using Hash64 = ByteArray<64>;

Hash32 Sha256(ByteView data);
Hash48 Sha384(ByteView data);
Hash64 Sha512(ByteView data);
Hash32 HmacSha256(ByteView key, ByteView data);

// Incremental SHA-256 for data that does not lie in one piece.
class Sha256Stream {
 public:
  Sha256Stream();
  ~Sha256Stream();
  Sha256Stream(Sha256Stream&&) noexcept;
  Sha256Stream& operator=(Sha256Stream&&) noexcept;
  Sha256Stream& Update(ByteView data);
  Sha256Stream& Update(std::string_view text) { return Update(AsBytes(text)); }
  Hash32 Finish();  // call once

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// Incremental HMAC-SHA-256, for commitments over streams (activations of a sequence).
class HmacSha256Stream {
 public:
  explicit HmacSha256Stream(ByteView key);
  HmacSha256Stream& Update(ByteView data);
  Hash32 Finish();  // call once

 private:
  Hash32 outer_pad_[2];
  Sha256Stream inner_;
};

}  // namespace teetee::crypto
