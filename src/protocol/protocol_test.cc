#include <gtest/gtest.h>

#include "chain/eip712.h"
#include "crypto/merkle.h"
#include "crypto/random.h"
#include "protocol/challenge.h"
#include "protocol/chunk_counter.h"
#include "protocol/outbox.h"
#include "protocol/payment.h"
#include "protocol/plan.h"
#include "protocol/receipt.h"
#include "protocol/sealed.h"

namespace teetee::protocol {
namespace {

Plan TwoStages() {
  Plan plan;
  plan.model = crypto::RandomArray<32>();
  plan.policy = crypto::RandomArray<32>();
  plan.nodes = {{0, crypto::RandomArray<20>(), "127.0.0.1:1"}, {1, crypto::RandomArray<20>(), "127.0.0.1:2"}};
  return plan;
}

TEST(Plan, RefusesMissingSlotsWrongOrderAndTwoHeads) {
  Plan plan = TwoStages();
  auto refuses = [](Plan p) { return !Plan::FromJson(p.ToJson()).has_value(); };
  EXPECT_FALSE(refuses(plan));
  Plan gap = plan;
  gap.nodes[1].slot = 2;
  EXPECT_TRUE(refuses(gap));
  Plan two_heads = plan;
  two_heads.nodes[1].slot = 0;
  EXPECT_TRUE(refuses(two_heads));
  Plan headless = plan;
  headless.nodes.erase(headless.nodes.begin());
  EXPECT_TRUE(refuses(headless));
  Plan twice = plan;
  twice.nodes.push_back(twice.nodes[1]);
  EXPECT_TRUE(refuses(twice));
}

TEST(Plan, HashCoversEveryField) {
  Plan plan = TwoStages();
  Plan other = plan;
  other.nodes[1].channel = "127.0.0.1:3";
  EXPECT_NE(plan.Hash(), other.Hash());
  EXPECT_EQ(*Plan::FromJson(plan.ToJson()), plan);
}

struct Pair {
  crypto::X25519Key key = crypto::X25519Key::Generate();
  SealedHeader header;
  Json content = Json::MakeObject({{"body", "the secret prompt"}});
  Pair() {
    header.boot = crypto::RandomArray<16>();
    header.request = crypto::RandomArray<16>();
    header.expires = 1'800'000'000;
    header.path = "/v1/chat/completions";
  }
  SealedExchange Make() { return *Seal(header, key.public_key(), content); }
};

TEST(Sealed, EveryFlippedBitIsRefused) {
  Pair pair;
  Bytes wire = pair.Make().wire;
  for (size_t bit = 0; bit < wire.size() * 8; bit += 37) {
    Bytes changed = wire;
    changed[bit / 8] ^= static_cast<uint8_t>(1u << (bit % 8));
    EXPECT_FALSE(OpenSealed(changed, pair.key)) << bit;
  }
  for (size_t size = 0; size < wire.size(); size += 101) {
    EXPECT_FALSE(OpenSealed(ByteView(wire).first(size), pair.key));
  }
  EXPECT_FALSE(OpenSealed(wire, crypto::X25519Key::Generate()));
}

TEST(Sealed, OpensToTheSameContentAndHidesIt) {
  Pair pair;
  SealedExchange exchange = pair.Make();
  EXPECT_EQ(AsText(exchange.wire).find("secret prompt"), std::string_view::npos);
  auto opened = OpenSealed(exchange.wire, pair.key);
  ASSERT_TRUE(opened) << opened.error().message();
  EXPECT_EQ(opened->content, pair.content);
  EXPECT_TRUE(opened->control_key.Equals(exchange.control_key));
}

TEST(Sealed, PlaintextGetsAHint) {
  auto refused = ParseSealed(AsBytes("{\"model\":\"x\"}"));
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message().find("teetee proxy"), std::string::npos);
}

struct Stream {
  Pair pair;
  SealedExchange exchange = pair.Make();
  OpenedRequest opened = *OpenSealed(exchange.wire, pair.key);
  ResponseSealer sealer{opened.response_secret, opened.enc};
};

TEST(SealedAnswer, ComesBackWholeHoweverItIsCut) {
  Stream s;
  Bytes bytes = s.sealer.Preamble();
  for (int i = 0; i < 5; ++i) {
    Bytes chunk = s.sealer.Chunk(Json(std::string(static_cast<size_t>(i) * 300, 'x')), i == 4);
    bytes.insert(bytes.end(), chunk.begin(), chunk.end());
  }
  std::vector<Json> events;
  for (size_t at = 0; at < bytes.size(); at += 97) {
    auto part = s.exchange.opener.Push(ByteView(bytes).subspan(at, std::min<size_t>(97, bytes.size() - at)));
    ASSERT_TRUE(part) << part.error().message();
    events.insert(events.end(), part->begin(), part->end());
  }
  ASSERT_EQ(events.size(), 5u);
  EXPECT_EQ(events[3].as_string().size(), 900u);
  EXPECT_TRUE(s.exchange.opener.finished());
}

TEST(SealedAnswer, RefusesDroppedReorderedAndForgedChunks) {
  Stream s;
  Bytes preamble = s.sealer.Preamble(), one = s.sealer.Chunk(Json(1), false), two = s.sealer.Chunk(Json(2), true);
  {
    ResponseOpener opener = s.exchange.opener;
    ASSERT_TRUE(opener.Push(preamble));
    EXPECT_FALSE(opener.Push(two));
  }
  {
    ResponseOpener opener = s.exchange.opener;
    ASSERT_TRUE(opener.Push(preamble));
    one[10] ^= 1;
    EXPECT_FALSE(opener.Push(one));
    one[10] ^= 1;
  }
  ResponseOpener opener = s.exchange.opener;
  ASSERT_TRUE(opener.Push(preamble));
  ASSERT_TRUE(opener.Push(one));
  EXPECT_FALSE(opener.finished());
  ASSERT_TRUE(opener.Push(two));
  EXPECT_TRUE(opener.finished());
  EXPECT_FALSE(opener.Push(one));
}

TEST(Control, MacCoversEveryField) {
  Secret<32> key = crypto::RandomSecret<32>();
  Control control{crypto::RandomArray<16>(), "cancel", 1, 0, {}};
  Hash32 mac = control.Mac(key);
  Control other = control;
  other.op = "resume";
  EXPECT_NE(other.Mac(key), mac);
  other = control;
  other.counter = 2;
  EXPECT_NE(other.Mac(key), mac);
  other = control;
  other.from = 1;
  EXPECT_NE(other.Mac(key), mac);
}

TEST(ChunkCounter, CountsTheChunksOfAnAnswerHoweverItIsCut) {
  Bytes answer(36, 7);
  for (uint32_t size : {16u, 300u, 1u}) {
    ByteWriter chunk;
    chunk.U32Le(size).Zeros(size);
    const Bytes bytes = chunk.Take();
    answer.insert(answer.end(), bytes.begin(), bytes.end());
  }
  for (size_t part : {size_t{1}, size_t{5}, size_t{37}, answer.size()}) {
    ChunkCounter counter;
    size_t count = 0;
    for (size_t at = 0; at < answer.size(); at += part)
      count += counter.Feed(ByteView(answer).subspan(at, std::min(part, answer.size() - at)));
    EXPECT_EQ(count, 3u) << part;
  }
}

TEST(ChunkCounter, AnImpossibleLengthEndsTheCount) {
  for (uint32_t size : {0u, uint32_t{kMaxChunk} + 1, 0xffffffffu}) {
    ByteWriter answer;
    answer.Zeros(36).U32Le(size).Zeros(100).U32Le(1).Zeros(1);
    ChunkCounter counter;
    EXPECT_EQ(counter.Feed(answer.Take()), 0u) << size;
  }
}

TEST(Challenge, OnlyTheNamedNodeWithTheKeyAnswers) {
  auto key = crypto::X25519Key::Generate(), other = crypto::X25519Key::Generate();
  const crypto::Address node = crypto::RandomArray<20>(), another = crypto::RandomArray<20>();
  Challenge challenge = *Challenge::Make(key.public_key(), node);
  EXPECT_EQ(challenge.wire().size(), kChallengeSize);
  EXPECT_EQ(AnswerChallenge(challenge.wire(), other, node).error().code(), Code::kUnauthenticated);
  EXPECT_EQ(AnswerChallenge(challenge.wire(), key, another).error().code(), Code::kUnauthenticated);
  Bytes answer = *AnswerChallenge(challenge.wire(), key, node);
  EXPECT_TRUE(challenge.Check(answer));
  Challenge later = *Challenge::Make(key.public_key(), node);
  EXPECT_FALSE(later.Check(answer)) << "an answer of before";
}

TEST(Challenge, EveryFlippedBitIsRefused) {
  auto key = crypto::X25519Key::Generate();
  const crypto::Address node = crypto::RandomArray<20>();
  Challenge challenge = *Challenge::Make(key.public_key(), node);
  for (size_t i = 0; i < kChallengeSize; ++i) {
    Bytes wire = challenge.wire();
    wire[i] ^= 0x80;
    auto answer = AnswerChallenge(wire, key, node);
    EXPECT_FALSE(answer && challenge.Check(*answer)) << i;
  }
  Bytes answer = *AnswerChallenge(challenge.wire(), key, node);
  for (size_t i = 0; i < answer.size(); ++i) {
    Bytes wrong = answer;
    wrong[i] ^= 1;
    EXPECT_FALSE(challenge.Check(wrong)) << i;
  }
}

TEST(Challenge, RefusesEverySizeButOne) {
  for (size_t size : {size_t{0}, size_t{3}, kChallengeSize - 1, kChallengeSize + 1, size_t{1} << 20}) {
    Bytes wire(size, 0);
    if (size >= 4) std::memcpy(wire.data(), "TTC1", 4);
    EXPECT_EQ(ParseChallenge(wire).error().code(), Code::kInvalidArgument) << size;
    EXPECT_FALSE(Challenge::Make(crypto::X25519Key::Generate().public_key(), {})->Check(wire));
  }
}

TEST(Payment, RoundTripsAndRefusesUnknownKinds) {
  TabPayment tab{crypto::RandomArray<20>(), 3, chain::Wei(12345), {crypto::RandomArray<32>(), crypto::RandomArray<32>()}};
  auto back = PaymentFromJson(PaymentJson(tab));
  ASSERT_TRUE(back);
  EXPECT_EQ(std::get<TabPayment>(*back).total, tab.total);
  EXPECT_FALSE(PaymentFromJson(Json::MakeObject({{"kind", "gift"}})));
  Json broken = PaymentJson(tab);
  broken.Set("total", "-1");
  EXPECT_FALSE(PaymentFromJson(broken));
}

ReceiptDocument Document() {
  ReceiptDocument d;
  d.receipt.cost = chain::Wei(77);
  d.receipt.tokens_in = 5;
  d.transcript.mode = "tab";
  d.transcript.finish = "stop";
  d.transcript.stages.resize(2);
  d.transcript.stages[1].slot = 1;
  d.work.push_back({crypto::RandomArray<20>(), 1, chain::Wei(9), {}});
  d.receipt.transcript = d.transcript.Hash();
  return d;
}

TEST(Receipt, DocumentRoundTripsAndRefusesUnknownMembers) {
  Json json = Document().ToJson();
  auto back = ReceiptDocument::FromJson(json);
  ASSERT_TRUE(back) << back.error().message();
  EXPECT_EQ(back->ToJson(), json);
  EXPECT_EQ(back->transcript.Hash(), back->receipt.transcript);
  json.Set("more", 1);
  EXPECT_FALSE(ReceiptDocument::FromJson(json));
}

TEST(Receipt, CommitmentsNeedTheSecret) {
  Secret<32> a = crypto::RandomSecret<32>(), b = crypto::RandomSecret<32>();
  EXPECT_NE(CommitInput(a, "hi"), CommitInput(b, "hi"));
  EXPECT_NE(CommitOutput(a, {"x", "y"}), CommitOutput(a, {"xy"}));
  EXPECT_FALSE(ActivationKey(a, 0).Equals(ActivationKey(a, 1)));
}

TEST(Outbox, RefusesLeavesThatDoNotHashToTheRoot) {
  BatchEntry batch;
  batch.leaves = {Document().receipt};
  batch.batch.count = 1;
  batch.batch.root = crypto::MerkleTree({chain::StructHash(batch.leaves[0])}).root();
  OutboxEntry entry{4, batch};
  auto back = OutboxEntry::FromJson(entry.ToJson());
  ASSERT_TRUE(back) << back.error().message();
  EXPECT_EQ(back->n, 4u);
  batch.batch.root[0] ^= 1;
  EXPECT_FALSE(OutboxEntry::FromJson(OutboxEntry{4, batch}.ToJson()));
}

}  // namespace
}  // namespace teetee::protocol
