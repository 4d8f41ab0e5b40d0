// HKDF with SHA-256 (RFC 5869). Thread-compatible. Cannot fail.
#pragma once

#include "base/bytes.h"
#include "base/secret.h"

namespace teetee::crypto {

inline constexpr size_t kMaxHkdfOutput = 255 * 32;  // bytes

Secret<32> HkdfExtract(ByteView salt, ByteView input_key);
// Writes `size` bytes. REQUIRES: size <= kMaxHkdfOutput.
void HkdfExpand(ByteView pseudorandom_key, ByteView info, uint8_t* out, size_t size);

// info starts with a label that names protocol, use and version.
template <size_t N>
Secret<N> HkdfExpand(ByteView pseudorandom_key, ByteView info) {
  static_assert(N <= kMaxHkdfOutput);
  Secret<N> out;
  HkdfExpand(pseudorandom_key, info, out.data(), N);
  return out;
}

}  // namespace teetee::crypto
