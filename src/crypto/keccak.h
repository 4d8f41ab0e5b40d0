// Keccak-256 as Ethereum uses it: the Keccak submission with rate 1088 and padding 0x01, not
// SHA3-256 of FIPS 202 (padding 0x06). Cannot fail. Thread-compatible.
#pragma once

#include <string_view>

#include "base/bytes.h"

namespace teetee::crypto {

Hash32 Keccak256(ByteView data);
inline Hash32 Keccak256(std::string_view text) { return Keccak256(AsBytes(text)); }

// For data that does not lie in one piece. Copies continue independently.
class Keccak256Stream {
 public:
  Keccak256Stream& Update(ByteView data);
  Keccak256Stream& Update(std::string_view text) { return Update(AsBytes(text)); }
  Hash32 Finish();  // call once

 private:
  static constexpr size_t kRate = 136;  // bytes absorbed per permutation
  void AbsorbBlock(const uint8_t* block);

  std::array<uint64_t, 25> state_{};
  ByteArray<kRate> pending_{};
  size_t pending_size_ = 0;
};

}  // namespace teetee::crypto
