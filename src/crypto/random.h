// The operating system's randomness. The only source of keys, nonces and ids.
#pragma once

#include "base/bytes.h"
#include "base/secret.h"

namespace teetee::crypto {

void RandomBytes(uint8_t* out, size_t size);  // aborts if the system has none

template <size_t N>
ByteArray<N> RandomArray() {
  ByteArray<N> out;
  RandomBytes(out.data(), N);
  return out;
}

template <size_t N>
Secret<N> RandomSecret() {
  Secret<N> out;
  RandomBytes(out.data(), N);
  return out;
}

}  // namespace teetee::crypto
