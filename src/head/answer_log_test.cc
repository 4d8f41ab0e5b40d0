#include "head/answer_log.h"

#include <gtest/gtest.h>

#include "crypto/random.h"
#include "net/testing/run.h"

namespace teetee::head {
namespace {

using net::testing::RunTask;

class Log : public ::testing::Test {
 protected:
  struct Asked {
    protocol::SealedExchange exchange;
    protocol::OpenedRequest opened;
  };
  Asked Ask(int64_t expires = 1000) {
    protocol::SealedHeader header;
    header.request = crypto::RandomArray<16>();
    header.expires = expires;
    header.path = "/v1/chat/completions";
    auto exchange = *protocol::Seal(header, key_.public_key(), Json::MakeObject({{"body", "x"}}));
    auto opened = *protocol::OpenSealed(exchange.wire, key_);
    return {std::move(exchange), std::move(opened)};
  }
  protocol::Control Control(const Asked& asked, std::string op, uint64_t counter) {
    protocol::Control control{asked.opened.header.request, std::move(op), counter, 0, {}};
    control.mac = control.Mac(asked.exchange.control_key);
    return control;
  }
  net::IoContext io_;
  crypto::X25519Key key_ = crypto::X25519Key::Generate();
  AnswerLogLimits limits_{.max_answers = 3, .max_running = 2, .max_answer_bytes = 2000, .keep_seconds = 120};
  AnswerLog log_{io_.get_executor(), limits_};
};

TEST_F(Log, AKnownIdWithOtherBytesIsAReplay) {
  Asked asked = Ask();
  auto unknown = log_.Find(asked.opened.header, asked.exchange.wire);
  ASSERT_TRUE(unknown);
  EXPECT_EQ(*unknown, nullptr);
  auto answer = *log_.Begin(asked.opened, 10);
  EXPECT_EQ(*log_.Find(asked.opened.header, asked.exchange.wire), answer);
  Bytes other = asked.exchange.wire;
  other.back() ^= 1;
  auto replay = log_.Find(asked.opened.header, other);
  ASSERT_FALSE(replay);
  EXPECT_EQ(replay.error().code(), Code::kFailedPrecondition);
}

TEST_F(Log, EveryReaderGetsTheSameBytesWhetherEarlyOrLate) {
  Asked asked = Ask();
  auto answer = *log_.Begin(asked.opened, 10);
  std::vector<Bytes> early, late;
  auto read = [](std::shared_ptr<Answer> from, std::vector<Bytes>* into) -> net::Task<void> {
    for (;;) {
      auto chunk = co_await from->Chunk(into->size());
      if (!chunk) co_return;
      into->push_back(*std::move(chunk));
    }
  };
  auto all = [&]() -> net::Task<void> {
    net::TaskGroup readers(io_.get_executor());
    readers.Spawn(read(answer, &early));
    for (int i = 0; i < 3; ++i) {
      co_await net::Sleep(net::Millis(1));
      answer->Emit(Json(i), i == 2);
    }
    co_await readers.Join();
    co_await read(answer, &late);
  };
  RunTask(io_, all());
  EXPECT_EQ(early.size(), 3u);
  EXPECT_EQ(early, late);
  Bytes stream = answer->Preamble();
  for (const Bytes& chunk : late) stream.insert(stream.end(), chunk.begin(), chunk.end());
  auto events = asked.exchange.opener.Push(stream);
  ASSERT_TRUE(events);
  EXPECT_EQ(events->size(), 3u);
  EXPECT_TRUE(asked.exchange.opener.finished());
  answer->Emit(Json(9), true);
  EXPECT_TRUE(answer->finished());
}

TEST_F(Log, ControlNeedsTheKeyAndARisingCounter) {
  Asked asked = Ask(), other = Ask();
  ASSERT_TRUE(log_.Begin(asked.opened, 10));
  auto code = [&](const protocol::Control& control) {
    auto found = log_.ForControl(control);
    return found ? Code{} : found.error().code();
  };
  EXPECT_EQ(code(Control(other, "cancel", 1)), Code::kNotFound);
  protocol::Control forged = Control(asked, "cancel", 1);
  forged.mac = forged.Mac(other.exchange.control_key);
  EXPECT_EQ(code(forged), Code::kNotFound);
  EXPECT_EQ(code(Control(asked, "cancel", 0)), Code::kNotFound);
  EXPECT_EQ(code(Control(asked, "cancel", 2)), Code{});
  EXPECT_EQ(code(Control(asked, "cancel", 2)), Code::kNotFound) << "replayed";
  EXPECT_EQ(code(Control(asked, "cancel", 1)), Code::kNotFound);
  protocol::Control moved = Control(asked, "resume", 3);
  moved.from = 5;
  EXPECT_EQ(code(moved), Code::kNotFound);
  EXPECT_EQ(code(Control(asked, "resume", 3)), Code{});
  EXPECT_EQ(log_.ForControl(Control(other, "cancel", 1)).error().message(), log_.ForControl(forged).error().message());
}

TEST_F(Log, LimitsOfRunningAndKeptAnswers) {
  auto first = *log_.Begin(Ask(100).opened, 10);
  auto second = *log_.Begin(Ask(100).opened, 10);
  EXPECT_EQ(log_.Begin(Ask().opened, 10).error().code(), Code::kResourceExhausted);
  first->Emit(Json(1), true);
  second->Emit(Json(1), true);
  EXPECT_EQ(log_.running(), 0u);
  ASSERT_TRUE(log_.Begin(Ask().opened, 10));
  EXPECT_EQ(log_.Begin(Ask().opened, 220).error().code(), Code::kResourceExhausted) << "three are kept";
  EXPECT_TRUE(log_.Begin(Ask().opened, 221));
  EXPECT_EQ(log_.kept(), 2u) << "the finished ones are forgotten, the running one is not";
}

TEST_F(Log, AnAnswerThatGrowsTooLargeIsStopped) {
  Asked asked = Ask();
  auto answer = *log_.Begin(asked.opened, 10);
  for (int i = 0; i < 50; ++i) answer->Emit(Json(std::string(400, 'x')));
  EXPECT_TRUE(answer->cancelled());
  EXPECT_LT(answer->bytes(), 4000u);
  answer->Emit(Json("end"), true);
  EXPECT_TRUE(answer->finished());
}

}  // namespace
}  // namespace teetee::head
