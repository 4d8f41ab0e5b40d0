#include "protocol/chunk_counter.h"

#include <algorithm>

#include "protocol/sealed.h"

namespace teetee::protocol {

size_t ChunkCounter::Take(ByteView* bytes, size_t wanted) {
  const size_t taken = std::min(bytes->size(), wanted);
  *bytes = bytes->subspan(taken);
  return taken;
}

size_t ChunkCounter::Feed(ByteView bytes) {
  size_t completed = 0;
  while (!broken_ && !bytes.empty()) {
    if (skip_ > 0) {
      skip_ -= Take(&bytes, skip_);
      if (skip_ == 0 && in_chunk_) {
        ++completed;
        in_chunk_ = false;
      }
      continue;
    }
    length_[length_bytes_++] = bytes[0];
    bytes = bytes.subspan(1);
    if (length_bytes_ < 4) continue;
    length_bytes_ = 0;
    skip_ = *ByteReader(length_).U32Le();
    in_chunk_ = true;
    broken_ = skip_ == 0 || skip_ > kMaxChunk;
  }
  return completed;
}

}  // namespace teetee::protocol
