// Counts the chunks of a sealed answer as it passes, by their lengths alone: for relays, which hold no key. Source:
// docs/formats/sealed-request.md section 2. Holds four bytes at most. Thread-compatible.
#pragma once

#include <cstdint>

#include "base/bytes.h"

namespace teetee::protocol {

class ChunkCounter {
 public:
  // Returns how many chunks these bytes completed. What is no sealed answer counts nothing from then on.
  size_t Feed(ByteView bytes);

 private:
  size_t Take(ByteView* bytes, size_t wanted);  // bytes of the current part that are here

  uint64_t skip_ = 36;  // bytes until the next length: first the magic and the nonce
  bool in_chunk_ = false;
  bool broken_ = false;
  uint8_t length_[4]{};
  size_t length_bytes_ = 0;
};

}  // namespace teetee::protocol
