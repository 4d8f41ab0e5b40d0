// What stages and the conductor refuse, and what becomes of a pipeline whose parts die, stall or lie. The model is made by rule.
#include "pipeline/stage.h"

#include <gtest/gtest.h>

#include "crypto/random.h"
#include "model/testing/tiny_model.h"
#include "net/testing/run.h"
#include "pipeline/testing/cluster.h"

namespace teetee::pipeline {
namespace {

using net::testing::RunTask;
using testing::Cluster;
using testing::ClusterSettings;
using testing::MemoryLink;

class Stage : public ::testing::Test {
 protected:
  Cluster& Make(ClusterSettings settings) {
    model::testing::TinyModel tiny;
    auto file = model::GgufFile::Parse(tiny.Build());
    EXPECT_TRUE(file) << file.error().message();
    cluster_ = std::make_unique<Cluster>(io_, *file, settings);
    return *cluster_;
  }
  // Fails instead of hanging, well before the limits that are not under test.
  void Run(net::Task<void> task) { RunTask(io_, std::move(task), std::chrono::seconds(20)); }

  net::IoContext io_;
  std::unique_ptr<Cluster> cluster_;
};

// Lets the others run until `done`, or fails.
template <class Done>
net::Task<void> Until(Done done) {
  for (int i = 0; i < 2000 && !done(); ++i) co_await net::Sleep(net::Millis(1));
  EXPECT_TRUE(done());
}

// g++ 12 takes no list of initialisers inside a coroutine.
constexpr bool kBoth[] = {false, true};
std::vector<uint32_t> One(uint32_t id) { return {id}; }
const std::vector<uint32_t> kPrompt{1, 5, 9};

net::Task<Result<std::unique_ptr<HeadSequence>>> OpenAndFeed(Cluster& cluster, uint32_t steps) {
  auto sequence = co_await cluster.conductor().Open(cluster.Spec(kPrompt, 20));
  TT_CO_CHECK(sequence);
  std::vector<uint32_t> feed = kPrompt;
  for (uint32_t i = 0; i < steps; ++i) {
    auto token = co_await (*sequence)->Next(feed);
    TT_CO_CHECK(token);
    feed.assign(1, token->id);
  }
  co_return sequence;
}

ActFrame ActOf(const SequenceId& id, uint32_t generation, uint64_t position, uint32_t rows, float value) {
  return {{id, generation}, position, rows, 8, Sampling::kLast, 0, std::vector<float>(size_t{8} * rows, value)};
}

OpenFrame OpenFor(const Cluster& cluster, uint32_t slot, uint32_t slots) {
  OpenFrame open;
  open.head.sequence = crypto::RandomArray<16>();
  open.prompt_tokens = 2;
  open.max_positions = 10;
  open.deadline_ms = 60'000;
  open.plan = cluster.plan();
  if (slot + 1 == slots) open.sampler.emplace();
  return open;
}

net::Task<Result<Link::Message>> Ask(std::shared_ptr<MemoryLink> link, uint8_t type, Bytes payload) {
  Status sent = co_await link->Send(type, std::move(payload));
  TT_CO_CHECK(sent);
  co_return co_await net::WithTimeout(link->Receive(), net::Millis(5000));
}

net::Task<Code> Refusal(std::shared_ptr<MemoryLink> link, OpenFrame open) {
  Bytes bytes = Serialize(open);
  auto answer = co_await Ask(link, kOpen, std::move(bytes));
  if (!answer) co_return answer.error().code();
  if (answer->type != kError) {
    ADD_FAILURE() << "opened";
    co_return Code::kInternal;
  }
  auto error = ParseError(answer->payload);
  co_return error ? error->code : Code::kInternal;
}

TEST_F(Stage, OnlyThePlansHeadOpensSequences) {
  Cluster& cluster = Make({.slots = 3});
  Run([&]() -> net::Task<void> {
    attest::Claims stranger = cluster.claims(0);
    stranger.signing_address = crypto::RandomArray<20>();
    EXPECT_EQ(co_await Refusal(cluster.Connect(stranger, 1), OpenFor(cluster, 1, 3)), Code::kPermissionDenied);
    EXPECT_EQ(co_await Refusal(cluster.Connect(cluster.claims(2), 1), OpenFor(cluster, 1, 3)), Code::kPermissionDenied);
    attest::Claims other_slot = cluster.claims(0);  // the head's key, but attested for another slot
    other_slot.slot = 2;
    EXPECT_EQ(co_await Refusal(cluster.Connect(other_slot, 1), OpenFor(cluster, 1, 3)), Code::kPermissionDenied);
  }());
  EXPECT_EQ(cluster.stage(1).counters().refused, 3u);
  EXPECT_EQ(cluster.stage(1).counters().opened, 0u);
}

TEST_F(Stage, RefusesPlansAndSettingsThatAreNotItsOwn) {
  Cluster& cluster = Make({.slots = 2});
  Run([&]() -> net::Task<void> {
    auto link = cluster.Connect(cluster.claims(0), 1);
    OpenFrame open = OpenFor(cluster, 1, 2);
    open.plan.model[0] ^= 1;
    EXPECT_EQ(co_await Refusal(link, open), Code::kInvalidArgument);
    open = OpenFor(cluster, 1, 2);
    open.plan.nodes[1].key[0] ^= 1;
    EXPECT_EQ(co_await Refusal(link, open), Code::kPermissionDenied);
    open = OpenFor(cluster, 1, 2);
    open.plan.nodes.push_back(protocol::PlanNode(open.plan.nodes[1]));
    open.plan.nodes.back().slot = 2;
    EXPECT_EQ(co_await Refusal(link, open), Code::kInvalidArgument);
    open = OpenFor(cluster, 1, 2);
    open.sampler.reset();
    EXPECT_EQ(co_await Refusal(link, open), Code::kInvalidArgument);
    open = OpenFor(cluster, 1, 2);
    open.prompt_tokens = 0;
    EXPECT_EQ(co_await Refusal(link, open), Code::kInvalidArgument);
    open = OpenFor(cluster, 1, 2);
    open.prompt_tokens = 11;
    EXPECT_EQ(co_await Refusal(link, open), Code::kInvalidArgument);
    open = OpenFor(cluster, 1, 2);
    open.sampler->settings.top_p = 2;
    EXPECT_EQ(co_await Refusal(link, open), Code::kInvalidArgument);
  }());
  EXPECT_EQ(cluster.reserved(), 0u);
}

TEST_F(Stage, RefusesAHeadWhoseEvidenceIsOldAndASecondSequenceOfOneId) {
  Cluster& cluster = Make({.slots = 2});
  Run([&]() -> net::Task<void> {
    auto link = cluster.Connect(cluster.claims(0), 1);
    cluster.wires().back().listener->set_fresh(false);
    EXPECT_EQ(co_await Refusal(link, OpenFor(cluster, 1, 2)), Code::kUnauthenticated);
    cluster.wires().back().listener->set_fresh(true);
    OpenFrame open = OpenFor(cluster, 1, 2);
    Bytes bytes = Serialize(open);
    auto opened = co_await Ask(link, kOpen, bytes);
    CO_ASSERT_OK(opened);
    EXPECT_EQ(opened->type, kOpenOk);
    EXPECT_EQ(co_await Refusal(link, open), Code::kFailedPrecondition);
    EXPECT_EQ(cluster.stage(1).sequences(), 1u);
    link->Close();
    co_await Until([&] { return cluster.stage(1).sequences() == 0 && cluster.reserved() == 0; });
  }());
}

TEST_F(Stage, ActOfANodeThatThePlanDoesNotAllowEndsItsLinkAndNothingElse) {
  Cluster& cluster = Make({.slots = 3});
  Run([&]() -> net::Task<void> {
    SequenceId id{};
    auto learn = [&](Link::Message m) -> std::optional<Link::Message> {
      ByteReader reader(m.payload);
      id = ReadHead(reader)->sequence;
      return m;
    };
    auto sequence = co_await OpenAndFeed(cluster, 1);
    CO_ASSERT_OK(sequence);
    for (auto& wire : cluster.wires()) {
      if (wire.from == 0 && wire.to == 1) wire.dialler->set_filter(learn);
    }
    auto token = co_await (*sequence)->Next(One(4));
    CO_ASSERT_OK(token);
    ActFrame act = ActOf(id, 0, 4, 1, 1.0f);
    attest::Claims stranger = cluster.claims(1);
    stranger.signing_address = crypto::RandomArray<20>();
    for (bool by_head : kBoth) {
      auto link = cluster.Connect(by_head ? cluster.claims(0) : stranger, 2);
      Bytes bytes = Serialize(act);
      (void)co_await link->Send(kAct, std::move(bytes));
      co_await Until([&] { return link->closed(); });
    }
    auto still = co_await (*sequence)->Next(One(4));
    CO_ASSERT_OK(still);
    EXPECT_EQ(still->position, 5u);
    auto closed = co_await (*sequence)->Close(CloseReason::kEnd);
    EXPECT_TRUE(closed);
  }());
}

constexpr uint8_t kUnknownTypes[] = {0, kOpenOk, kToken, kClosed, 255};
constexpr uint8_t kParsedTypes[] = {kOpen, kAct};

TEST_F(Stage, AStageThatWasRestartedSinceTheClientSawItIsNotUsed) {
  Cluster& cluster = Make({.slots = 3});
  Run([&]() -> net::Task<void> {
    SequenceSpec spec = cluster.Spec(kPrompt, 4);
    spec.plan.nodes[1].boot[0] ^= 1;
    auto sequence = co_await cluster.conductor().Open(std::move(spec));
    CO_ASSERT_TRUE(!sequence);
    EXPECT_EQ(sequence.error().code(), Code::kFailedPrecondition);
    co_await Until([&] { return cluster.open_sequences() == 0 && cluster.reserved() == 0; });
  }());
}

TEST_F(Stage, FramesThatNoStageTakesEndTheLink) {
  Cluster& cluster = Make({.slots = 2});
  Run([&]() -> net::Task<void> {
    for (uint8_t type : kUnknownTypes) {
      auto link = cluster.Connect(cluster.claims(0), 1);
      (void)co_await link->Send(type, Bytes(40));
      co_await Until([&] { return link->closed(); });
    }
    for (uint8_t type : kParsedTypes) {  // malformed
      auto link = cluster.Connect(cluster.claims(0), 1);
      (void)co_await link->Send(type, Bytes(21));
      co_await Until([&] { return link->closed(); });
    }
  }());
}

struct WrongAct {
  uint64_t position;
  uint32_t rows;
  Code code;
};
constexpr WrongAct kWrongActs[] = {
    {1, 1, Code::kFailedPrecondition}, {0, 11, Code::kResourceExhausted}, {~uint64_t{0}, 2, Code::kFailedPrecondition}};

TEST_F(Stage, WrongPositionsTooManyRowsAndOtherGenerations) {
  Cluster& cluster = Make({.slots = 2});
  Run([&]() -> net::Task<void> {
    for (const WrongAct& c : kWrongActs) {
      auto link = cluster.Connect(cluster.claims(0), 1);
      OpenFrame open = OpenFor(cluster, 1, 2);
      Bytes bytes = Serialize(open);
      auto opened = co_await Ask(link, kOpen, std::move(bytes));
      CO_ASSERT_OK(opened);
      ActFrame act = ActOf(open.head.sequence, 1, c.position, c.rows, 0.5f);
      bytes = Serialize(act);  // another generation: dropped
      (void)co_await link->Send(kAct, std::move(bytes));
      act.head.generation = 0;
      bytes = Serialize(act);
      auto answer = co_await Ask(link, kAct, std::move(bytes));
      CO_ASSERT_OK(answer);
      CO_ASSERT_TRUE(answer->type == kError);
      EXPECT_EQ(ParseError(answer->payload)->code, c.code);
      EXPECT_EQ(cluster.stage(1).sequences(), 0u);
    }
    EXPECT_EQ(cluster.stage(1).counters().failed, 3u);
  }());
}

TEST_F(Stage, TooManySequencesAreRefusedAndLeaveNothingBehind) {
  Cluster& cluster = Make({.slots = 3, .limits = {.max_sequences = 2}});
  Run([&]() -> net::Task<void> {
    auto one = co_await OpenAndFeed(cluster, 1);
    CO_ASSERT_OK(one);
    auto two = co_await OpenAndFeed(cluster, 1);
    CO_ASSERT_OK(two);
    auto three = co_await OpenAndFeed(cluster, 1);
    CO_ASSERT_TRUE(!three);
    EXPECT_EQ(three.error().code(), Code::kResourceExhausted);
    // A stage alone is full: the head takes back what it reserved elsewhere.
    auto link = cluster.Connect(cluster.claims(0), 1);
    EXPECT_EQ(co_await Refusal(link, OpenFor(cluster, 1, 3)), Code::kResourceExhausted);
    EXPECT_TRUE((co_await (*one)->Close(CloseReason::kEnd)).has_value());
    EXPECT_TRUE((co_await (*two)->Close(CloseReason::kEnd)).has_value());
    one->reset();
    two->reset();
    co_await Until([&] { return cluster.reserved() == 0; });
    auto four = co_await OpenAndFeed(cluster, 1);
    CO_ASSERT_OK(four);
    EXPECT_TRUE((co_await (*four)->Close(CloseReason::kEnd)).has_value());
  }());
}

TEST_F(Stage, OneFullStageUndoesTheWholeOpening) {
  Cluster& cluster = Make({.slots = 3, .limits = {.max_sequences = 1}});
  Run([&]() -> net::Task<void> {
    auto link = cluster.Connect(cluster.claims(0), 1);
    Bytes bytes = Serialize(OpenFor(cluster, 1, 3));
    auto taken = co_await Ask(link, kOpen, std::move(bytes));
    CO_ASSERT_OK(taken);
    auto refused = co_await OpenAndFeed(cluster, 1);
    CO_ASSERT_TRUE(!refused);
    EXPECT_EQ(refused.error().code(), Code::kResourceExhausted);
    co_await Until([&] { return cluster.stage(2).sequences() == 0 && cluster.reserved() == 1; });
    link->Close();
    co_await Until([&] { return cluster.reserved() == 0; });
  }());
}

TEST_F(Stage, CancelReachesEveryStage) {
  Cluster& cluster = Make({.slots = 3});
  Run([&]() -> net::Task<void> {
    auto sequence = co_await OpenAndFeed(cluster, 3);
    CO_ASSERT_OK(sequence);
    EXPECT_EQ(cluster.open_sequences(), 2u);
    auto proofs = co_await (*sequence)->Close(CloseReason::kCancel);
    CO_ASSERT_OK(proofs);
    EXPECT_EQ(proofs->size(), 2u);
    EXPECT_EQ(proofs->back().work.tokens_out, 3u) << "what was delivered counts";
    EXPECT_EQ(cluster.open_sequences(), 0u);
    sequence->reset();
    co_await Until([&] { return cluster.reserved() == 0; });
    EXPECT_EQ(cluster.stage(1).counters().cancelled, 1u);
    EXPECT_EQ(cluster.stage(2).counters().cancelled, 1u);
  }());
}

TEST_F(Stage, ASequenceThatIsDroppedFreesEveryStage) {
  Cluster& cluster = Make({.slots = 3});
  Run([&]() -> net::Task<void> {
    {
      auto sequence = co_await OpenAndFeed(cluster, 2);
      CO_ASSERT_OK(sequence);
    }
    co_await Until([&] { return cluster.open_sequences() == 0 && cluster.reserved() == 0; });
    EXPECT_EQ(cluster.stage(1).counters().failed, 1u);
  }());
}

TEST_F(Stage, AStageThatDiesMidAnswerEndsItAtOnceAndFreesTheOthers) {
  for (uint32_t victim : {1u, 2u}) {
    SCOPED_TRACE(victim);
    Cluster& cluster = Make({.slots = 3});
    Run([&]() -> net::Task<void> {
      auto sequence = co_await OpenAndFeed(cluster, 2);
      CO_ASSERT_OK(sequence);
      cluster.Kill(victim);
      auto started = net::SteadyClock::now();
      auto token = co_await (*sequence)->Next(One(3));
      CO_ASSERT_TRUE(!token);
      EXPECT_EQ(token.error().code(), Code::kUnavailable);
      EXPECT_LT(net::SteadyClock::now() - started, std::chrono::seconds(2));
      auto closed = co_await (*sequence)->Close(CloseReason::kEnd);
      EXPECT_FALSE(closed) << "a proof is missing: nobody may be charged";
      sequence->reset();
      co_await Until([&] { return cluster.open_sequences() == 0 && cluster.reserved() == 0; });
      auto again = co_await OpenAndFeed(cluster, 1);
      EXPECT_FALSE(again);
      co_await Until([&] { return cluster.reserved() == 0; });
    }());
    cluster_.reset();
  }
}

TEST_F(Stage, ADataLinkThatDiesAloneEndsTheAnswerToo) {
  Cluster& cluster = Make({.slots = 3});
  Run([&]() -> net::Task<void> {
    auto sequence = co_await OpenAndFeed(cluster, 1);
    CO_ASSERT_OK(sequence);
    for (auto& wire : cluster.wires()) {
      if (wire.from == 1 && wire.to == 2) wire.dialler->Close();
    }
    auto token = co_await (*sequence)->Next(One(3));
    CO_ASSERT_TRUE(!token);
    EXPECT_EQ(token.error().code(), Code::kUnavailable);
    sequence->reset();
    co_await Until([&] { return cluster.reserved() == 0; });
    auto again = co_await OpenAndFeed(cluster, 2);  // dialled anew
    CO_ASSERT_OK(again);
    EXPECT_TRUE((co_await (*again)->Close(CloseReason::kEnd)).has_value());
  }());
}

std::optional<Link::Message> Drop(Link::Message) { return std::nullopt; }

TEST_F(Stage, StalledStagesRunIntoTheLimits) {
  ConductorSettings limits;
  limits.token_limit = net::Millis(60);
  limits.close_limit = net::Millis(60);
  Cluster& cluster = Make({.slots = 3, .conductor = limits, .idle_limit = net::Millis(300)});
  Run([&]() -> net::Task<void> {
    auto sequence = co_await OpenAndFeed(cluster, 1);
    CO_ASSERT_OK(sequence);
    for (auto& wire : cluster.wires()) {
      wire.dialler->set_filter(Drop);
      wire.listener->set_filter(Drop);
    }
    auto token = co_await (*sequence)->Next(One(3));
    CO_ASSERT_TRUE(!token);
    EXPECT_EQ(token.error().code(), Code::kDeadlineExceeded);
    auto closed = co_await (*sequence)->Close(CloseReason::kEnd);
    CO_ASSERT_TRUE(!closed);
    EXPECT_EQ(closed.error().code(), Code::kDeadlineExceeded);
    sequence->reset();
    co_await Until([&] { return cluster.open_sequences() == 0 && cluster.reserved() == 0; });  // by the idle limit
  }());
}

// What the tail sends to the head, changed on its way.
net::Task<Code> NextWithLie(Cluster& cluster, std::function<std::optional<Link::Message>(Link::Message)> lie) {
  auto sequence = co_await OpenAndFeed(cluster, 1);
  if (!sequence) co_return sequence.error().code();
  for (auto& wire : cluster.wires()) {
    if (wire.from == 0 && wire.to == 2) wire.listener->set_filter(lie);
  }
  auto token = co_await (*sequence)->Next(One(3));
  if (!token) co_return token.error().code();
  ADD_FAILURE() << "the lie was believed";
  co_return Code::kNotFound;
}

ClusterSettings Three() { return {.slots = 3}; }

TEST_F(Stage, TheHeadBelievesNoOtherPositionNoOtherFrameAndNoOtherSender) {
  auto expect = [&](Code code, std::function<std::optional<Link::Message>(Link::Message)> lie) {
    Cluster& cluster = Make(Three());
    Code found{};
    Run([&]() -> net::Task<void> { found = co_await NextWithLie(cluster, lie); }());
    EXPECT_EQ(found, code);
    cluster_.reset();
  };
  expect(Code::kInternal, [](Link::Message m) {
    TokenFrame token = *ParseToken(m.payload);
    token.position += 1;
    m.payload = Serialize(token);
    return m;
  });
  expect(Code::kInternal, [](Link::Message m) {
    m.type = kClosed;
    return m;
  });
  expect(Code::kInvalidArgument, [](Link::Message m) {
    m.payload.resize(21);
    return m;
  });
  expect(Code::kUnavailable, [](Link::Message m) {
    m.payload.resize(7);
    return m;
  });
}

net::Task<void> SendFrame(std::shared_ptr<MemoryLink> link, Link::Message frame) {
  (void)co_await link->Send(frame.type, std::move(frame.payload));
}

// Stage 1 says twice that it is ready, and stage 2 has not spoken.
TEST_F(Stage, ASlotThatAnswersTwiceDoesNotCountAsTwo) {
  Cluster& cluster = Make({.slots = 3});
  Run([&]() -> net::Task<void> {
    auto first = co_await OpenAndFeed(cluster, 1);  // dials
    CO_ASSERT_OK(first);
    auto closed = co_await (*first)->Close(CloseReason::kEnd);
    CO_ASSERT_OK(closed);
    for (auto& wire : cluster.wires()) {
      if (wire.from != 0) continue;
      auto again = std::make_shared<bool>(true);
      auto twice = [&, again, link = std::weak_ptr(wire.listener)](Link::Message m) -> std::optional<Link::Message> {
        if (m.type == kOpenOk && std::exchange(*again, false)) net::Spawn(io_.get_executor(), SendFrame(link.lock(), m));
        return m;
      };
      if (wire.to == 1) wire.listener->set_filter(twice);
      if (wire.to == 2) wire.listener->set_filter(Drop);
    }
    auto sequence = co_await cluster.conductor().Open(cluster.Spec(kPrompt, 4));
    CO_ASSERT_TRUE(!sequence);
    EXPECT_EQ(sequence.error().code(), Code::kInternal) << sequence.error().message();
    co_await Until([&] { return cluster.open_sequences() == 0; });
  }());
}

TEST_F(Stage, AMiddleStageMayNotSendTokens) {
  Cluster& cluster = Make({.slots = 3});
  Run([&]() -> net::Task<void> {
    auto sequence = co_await OpenAndFeed(cluster, 1);
    CO_ASSERT_OK(sequence);
    for (auto& wire : cluster.wires()) {
      if (wire.from != 0) continue;
      if (wire.to == 2) {
        wire.listener->set_filter([&](Link::Message m) -> std::optional<Link::Message> {
          for (auto& other : cluster.wires()) {  // the same bytes, by the wrong stage
            if (other.from == 0 && other.to == 1) net::Spawn(io_.get_executor(), SendFrame(other.listener, m));
          }
          return std::nullopt;
        });
      }
    }
    auto token = co_await (*sequence)->Next(One(3));
    CO_ASSERT_TRUE(!token);
    EXPECT_EQ(token.error().code(), Code::kInternal);
  }());
}

TEST_F(Stage, NotFiniteRowsEndTheLink) {
  Cluster& cluster = Make({.slots = 2});
  Run([&]() -> net::Task<void> {
    auto link = cluster.Connect(cluster.claims(0), 1);
    OpenFrame open = OpenFor(cluster, 1, 2);
    Bytes bytes = Serialize(open);
    auto opened = co_await Ask(link, kOpen, std::move(bytes));
    CO_ASSERT_OK(opened);
    ActFrame act = ActOf(open.head.sequence, 0, 0, 1, std::numeric_limits<float>::infinity());
    bytes = Serialize(act);
    (void)co_await link->Send(kAct, std::move(bytes));
    co_await Until([&] { return link->closed() && cluster.stage(1).sequences() == 0 && cluster.reserved() == 0; });
  }());
}

}  // namespace
}  // namespace teetee::pipeline
