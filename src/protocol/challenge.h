// A challenge shows that a node holds the HPKE key which its evidence claims: only its holder reads what was sealed to
// it. Whoever relays challenge and answer learns nothing and can forge neither. Source: docs/formats/sealed-request.md
// section 5. Thread-compatible.
#pragma once

#include "crypto/hpke.h"
#include "crypto/secp256k1.h"

namespace teetee::protocol {

inline constexpr size_t kChallengeSize = 4 + crypto::kHpkeEncSize + 32 + 16;  // bytes
inline constexpr size_t kChallengeAnswerSize = 4 + 32;

struct ChallengeParts {
  crypto::HpkeEnc enc{};
  ByteView ciphertext;  // of `wire`
};
// kInvalidArgument for anything but a challenge of exactly kChallengeSize bytes.
Result<ChallengeParts> ParseChallenge(ByteView wire);

// One challenge, the asking side.
class Challenge {
 public:
  // Draws what is to be read. kUnauthenticated: the key is of low order.
  static Result<Challenge> Make(const crypto::X25519PublicKey& key, const crypto::Address& node);
  const Bytes& wire() const { return wire_; }
  // kUnauthenticated: whoever answered does not hold the key.
  Status Check(ByteView answer) const;

 private:
  Challenge(Bytes wire, const Hash32& expected) : wire_(std::move(wire)), expected_(expected) {}
  Bytes wire_;
  Hash32 expected_;
};

// The node's side. kUnauthenticated: it does not open with this key, or is for another node.
Result<Bytes> AnswerChallenge(ByteView wire, const crypto::X25519Key& key, const crypto::Address& node);

}  // namespace teetee::protocol
