// Sealed requests: what a client sends to the head through people who must not read it, and the answer's chunks.
// Source: docs/formats/sealed-request.md, RFC 9180. Neither side copies a key out; all errors are free of content.
// Thread-compatible.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "crypto/hpke.h"
#include "crypto/secp256k1.h"

namespace teetee::protocol {

using RequestId = ByteArray<16>;

inline constexpr size_t kMaxSealedRequest = 1u << 20;  // bytes on the wire
inline constexpr size_t kMaxSealedHeader = 4096;
inline constexpr size_t kMaxChunk = 1u << 20;  // ciphertext bytes
inline constexpr int64_t kMaxExpirySeconds = 600;

// The part that the gateway sees, authenticated as associated data.
struct SealedHeader {
  ByteArray<16> boot{};
  int64_t expires = 0;  // unix seconds
  crypto::Address head{};
  Hash32 model{};
  std::string path;  // "/v1/chat/completions", ...
  Hash32 plan{};
  RequestId request{};

  std::string Canonical() const;
  static Result<SealedHeader> Parse(ByteView canonical);
};

// Splits the wire form without opening it. The views live as long as `wire`.
struct SealedParts {
  ByteView header_bytes;
  SealedHeader header;
  crypto::HpkeEnc enc{};
  ByteView ciphertext;
};
Result<SealedParts> ParseSealed(ByteView wire);

// Opens the answer's stream as it comes: feed bytes, take events. After an error the stream is dead.
class ResponseOpener {
 public:
  ResponseOpener(Secret<32> response_secret, const crypto::HpkeEnc& enc);
  // Appends; returns the events that are complete now. kUnauthenticated when a chunk does not verify.
  Result<std::vector<Json>> Push(ByteView bytes);
  bool finished() const { return finished_; }        // the final chunk was read
  uint64_t chunks() const { return next_index_; }     // read so far, where a resumption goes on

 private:
  Result<bool> TakePreamble();
  Result<std::optional<Json>> TakeChunk();

  Secret<32> response_secret_;
  crypto::HpkeEnc enc_;
  Bytes buffer_;
  size_t read_ = 0;
  bool keyed_ = false;
  bool finished_ = false;
  uint64_t next_index_ = 0;
  crypto::AeadKey key_;
  crypto::AeadNonce iv_{};
};

// One sealed request, client side.
struct SealedExchange {
  Bytes wire;
  Secret<32> control_key;
  ResponseOpener opener;
};
// `content` is the JSON of body, plan, payment and secret. kResourceExhausted if it does not fit.
Result<SealedExchange> Seal(const SealedHeader& header, const crypto::X25519PublicKey& head_key,
                            const Json& content);

// Seals the answer, head side.
class ResponseSealer {
 public:
  ResponseSealer(Secret<32> response_secret, const crypto::HpkeEnc& enc);  // draws a fresh nonce
  Bytes Preamble() const;
  Bytes Chunk(const Json& event, bool final);  // REQUIRES: not after the final one

 private:
  ByteArray<32> nonce_;
  crypto::AeadKey key_;
  crypto::AeadNonce iv_{};
  uint64_t index_ = 0;
};

// One sealed request, head side.
struct OpenedRequest {
  SealedHeader header;
  Json content;
  Hash32 wire_hash;  // SHA-256: tells a resumption from a forged repetition
  Secret<32> control_key;
  Secret<32> response_secret;
  crypto::HpkeEnc enc;
};
Result<OpenedRequest> OpenSealed(ByteView wire, const crypto::X25519Key& key);

// Control messages (section 3 of the format).
struct Control {
  RequestId request{};
  std::string op;  // "cancel" or "resume"
  uint64_t counter = 0;
  uint64_t from = 0;
  Hash32 mac{};

  Json ToJson() const;
  static Result<Control> FromJson(const Json& json);
  Hash32 Mac(const Secret<32>& control_key) const;
};

}  // namespace teetee::protocol
