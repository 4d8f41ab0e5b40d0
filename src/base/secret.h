// A fixed-size secret: wiped on destruction, never printed, compared in constant time. Move empties the source.
#pragma once

#include <cstring>

#include "base/bytes.h"

namespace teetee {

void SecureZero(void* data, size_t size);  // not removed by the optimiser

template <size_t N>
class Secret {
 public:
  Secret() = default;
  explicit Secret(const ByteArray<N>& bytes) : bytes_(bytes) {}
  Secret(const Secret&) = default;
  Secret& operator=(const Secret&) = default;
  Secret(Secret&& other) noexcept : bytes_(other.bytes_) { other.Wipe(); }
  Secret& operator=(Secret&& other) noexcept {
    if (this != &other) {
      bytes_ = other.bytes_;
      other.Wipe();
    }
    return *this;
  }
  ~Secret() { Wipe(); }

  ByteView view() const { return bytes_; }
  uint8_t* data() { return bytes_.data(); }
  const uint8_t* data() const { return bytes_.data(); }
  static constexpr size_t size() { return N; }
  bool Equals(const Secret& other) const { return ConstantTimeEqual(bytes_, other.bytes_); }

 private:
  void Wipe() { SecureZero(bytes_.data(), N); }
  ByteArray<N> bytes_{};
};

}  // namespace teetee
