// AES-128-GCM (NIST SP 800-38D) with a 12-byte nonce and a 16-byte tag behind the ciphertext. A
// nonce must never come twice under one key: callers count. Thread-compatible.
#pragma once

#include "base/bytes.h"
#include "base/result.h"
#include "base/secret.h"

namespace teetee::crypto {

using AeadKey = Secret<16>;
using AeadNonce = ByteArray<12>;
inline constexpr size_t kAeadTagSize = 16;
inline constexpr size_t kMaxAeadSize = 1u << 30;  // bytes of one message

// Returns ciphertext || tag. REQUIRES: sizes up to kMaxAeadSize.
Bytes AeadSeal(const AeadKey& key, const AeadNonce& nonce, ByteView associated_data,
               ByteView plaintext);
// kUnauthenticated if anything differs from what was sealed; nothing of the plaintext comes out
// then.
Result<Bytes> AeadOpen(const AeadKey& key, const AeadNonce& nonce, ByteView associated_data,
                       ByteView ciphertext);

// The nonce of message `sequence`: base XOR sequence, big-endian, as in RFC 9180 section 5.2 and
// RFC 8446 section 5.3.
AeadNonce SequenceNonce(const AeadNonce& base, uint64_t sequence);

}  // namespace teetee::crypto
