#include "ops/aligned_buffer.h"

#include <sys/mman.h>

#include <cstdlib>
#include <cstring>

#include "base/check.h"

namespace teetee::ops {
namespace {

constexpr size_t kCacheLine = 64;
constexpr size_t kHugePage = size_t{2} << 20;

size_t RoundUp(size_t bytes, size_t to) { return (bytes + to - 1) / to * to; }

// Weights are read once per token: with pages of 4 KB every 64th line would wait for a translation. Only ranges that a huge page
// fills get one, so nothing is held beyond the size asked for.
uint8_t* MapHuge(size_t bytes) {
  const size_t reserve = bytes + kHugePage;
  void* got = mmap(nullptr, reserve, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  TT_CHECK(got != MAP_FAILED);  // out of memory ends the process
  uint8_t* begin = static_cast<uint8_t*>(got);
  uint8_t* data = reinterpret_cast<uint8_t*>(RoundUp(reinterpret_cast<uintptr_t>(begin), kHugePage));
  if (data != begin) munmap(begin, static_cast<size_t>(data - begin));
  munmap(data + bytes, static_cast<size_t>(begin + reserve - (data + bytes)));
  madvise(data, bytes, MADV_HUGEPAGE);  // where it is refused, small pages serve
  return data;
}

}  // namespace

AlignedBuffer::AlignedBuffer(size_t bytes) : size_(bytes) {
  if (bytes == 0) return;
  if (bytes >= kHugePage) {
    data_ = std::unique_ptr<uint8_t, Free>(MapHuge(RoundUp(bytes, 4096)), Free{RoundUp(bytes, 4096)});
    return;  // zeroed by the system
  }
  const size_t rounded = RoundUp(bytes, kCacheLine);
  data_.reset(static_cast<uint8_t*>(std::aligned_alloc(kCacheLine, rounded)));
  TT_CHECK(data_ != nullptr);  // out of memory ends the process
  std::memset(data_.get(), 0, rounded);
}

void AlignedBuffer::Free::operator()(uint8_t* p) const {
  if (mapped == 0) {
    std::free(p);
  } else {
    munmap(p, mapped);
  }
}

}  // namespace teetee::ops
