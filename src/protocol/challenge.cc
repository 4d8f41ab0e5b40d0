#include "protocol/challenge.h"

#include "crypto/hash.h"
#include "crypto/random.h"

namespace teetee::protocol {
namespace {

constexpr std::string_view kMagic = "TTC1";
constexpr std::string_view kAnswerMagic = "TTA1";
constexpr std::string_view kInfo = "teetee challenge v1";
constexpr std::string_view kExport = "teetee challenge answer v1";

Hash32 AnswerOf(const crypto::HpkeContext& context, ByteView secret) {
  return crypto::HmacSha256(context.Export<32>(AsBytes(kExport)).view(), secret);
}

}  // namespace

Result<ChallengeParts> ParseChallenge(ByteView wire) {
  if (wire.size() != kChallengeSize) {
    return Error(Code::kInvalidArgument, "challenge: " + std::to_string(wire.size()) + " bytes, expected " + std::to_string(kChallengeSize));
  }
  ByteReader reader(wire);
  if (AsText(TT_TRY(reader.View(kMagic.size()))) != kMagic) return Error(Code::kInvalidArgument, "challenge: wrong magic");
  ChallengeParts parts;
  parts.enc = TT_TRY(reader.Array<crypto::kHpkeEncSize>());
  parts.ciphertext = TT_TRY(reader.View(reader.remaining()));
  return parts;
}

Result<Challenge> Challenge::Make(const crypto::X25519PublicKey& key, const crypto::Address& node) {
  auto sender = TT_TRY(crypto::HpkeSender::Setup(key, AsBytes(kInfo)));
  const auto secret = crypto::RandomArray<32>();
  Bytes sealed = TT_TRY(sender.Seal(node, secret));
  Bytes wire = ByteWriter().Raw(kMagic).Raw(sender.enc()).Raw(sealed).Take();
  return Challenge(std::move(wire), AnswerOf(sender, secret));
}

Status Challenge::Check(ByteView answer) const {
  const bool shaped = answer.size() == kChallengeAnswerSize && AsText(answer.first(kAnswerMagic.size())) == kAnswerMagic;
  if (!shaped) return Error(Code::kUnauthenticated, "challenge: the answer is malformed");
  if (!ConstantTimeEqual(answer.subspan(kAnswerMagic.size()), expected_)) {
    return Error(Code::kUnauthenticated, "challenge: the node does not hold the key that its evidence claims");
  }
  return Ok{};
}

Result<Bytes> AnswerChallenge(ByteView wire, const crypto::X25519Key& key, const crypto::Address& node) {
  const ChallengeParts parts = TT_TRY(ParseChallenge(wire));
  auto recipient = TT_TRY(crypto::HpkeRecipient::Setup(parts.enc, key, AsBytes(kInfo)));
  auto secret = recipient.Open(node, parts.ciphertext);
  if (!secret || secret->size() != 32) {
    return Error(Code::kUnauthenticated, "challenge: it does not open with this node's key; fetch its evidence again");
  }
  return ByteWriter().Raw(kAnswerMagic).Raw(AnswerOf(recipient, *secret)).Take();
}

}  // namespace teetee::protocol
