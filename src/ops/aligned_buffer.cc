#include "ops/aligned_buffer.h"

#include <cstring>

#include "base/check.h"

namespace teetee::ops {

constexpr size_t kCacheLine = 64;

AlignedBuffer::AlignedBuffer(size_t bytes) : size_(bytes) {
  if (bytes == 0) return;
  size_t rounded = (bytes + kCacheLine - 1) / kCacheLine * kCacheLine;
  data_.reset(static_cast<uint8_t*>(std::aligned_alloc(kCacheLine, rounded)));
  TT_CHECK(data_ != nullptr);  // out of memory ends the process
  std::memset(data_.get(), 0, rounded);
}

}  // namespace teetee::ops
