#include "gateway/history.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <numeric>

#include "crypto/hash.h"
#include "gateway/answer_clock.h"
#include "gateway/rate_limit.h"

namespace teetee::gateway {
namespace {

constexpr uint64_t kNow = 1'800'000'000;  // a whole hour
const Address kKey{1}, kOther{2};

class HistoryTest : public ::testing::Test {
 public:
  void SetUp() override {
    std::string pattern = ::testing::TempDir() + "teetee-history-XXXXXX";
    folder_ = ::mkdtemp(pattern.data());
    Open();
  }
  void TearDown() override {
    history_ = nullptr;
    std::filesystem::remove_all(folder_);
  }
  void Open() {
    history_ = nullptr;
    auto opened = History::Open(folder_ + "/history.db");
    ASSERT_TRUE(opened) << opened.error().message();
    history_ = *std::move(opened);
  }
  static NodeCounters Counters(uint64_t started, uint64_t tokens) { return {started, tokens / 10, tokens, tokens * 2, static_cast<double>(tokens) / 4}; }
  uint64_t TokensIn(Range range, uint64_t now) {
    EXPECT_TRUE(history_->Flush(now));
    const auto points = *history_->Usage(kKey, range, now);
    return std::accumulate(points.begin(), points.end(), uint64_t{0}, [](uint64_t sum, auto& p) { return sum + p.used.tokens_in; });
  }

  std::string folder_;
  std::unique_ptr<History> history_;
};

TEST_F(HistoryTest, WhatANodeCountedBeforeItWasMetIsNotUsage) {
  history_->NoteProbe(kKey, Counters(5, 1000), kNow);
  EXPECT_EQ(TokensIn(Range::kHour, kNow), 0u);
  history_->NoteProbe(kKey, Counters(5, 1300), kNow + 3);
  EXPECT_EQ(TokensIn(Range::kHour, kNow + 3), 300u);
}

TEST_F(HistoryTest, ARestartedNodeCountsFromZero) {
  history_->NoteProbe(kKey, Counters(5, 1000), kNow);
  history_->NoteProbe(kKey, Counters(9, 40), kNow + 10);
  EXPECT_EQ(TokensIn(Range::kDay, kNow + 10), 40u);
  history_->NoteProbe(kKey, Counters(11, 2000), kNow + 20);  // more than before, and yet a new run
  EXPECT_EQ(TokensIn(Range::kDay, kNow + 20), 2040u);
}

TEST_F(HistoryTest, CountersThatRunBackwardsAddNoHugeNumber) {
  history_->NoteProbe(kKey, Counters(5, 1000), kNow);
  history_->NoteProbe(kKey, Counters(5, 990), kNow + 10);
  EXPECT_EQ(TokensIn(Range::kHour, kNow + 10), 990u);
}

TEST_F(HistoryTest, AGatewayThatWasDownLosesAndDoublesNothing) {
  history_->NoteProbe(kKey, Counters(5, 100), kNow);
  EXPECT_TRUE(history_->Flush(kNow));
  Open();
  history_->NoteProbe(kKey, Counters(5, 150), kNow + 60);
  EXPECT_EQ(TokensIn(Range::kHour, kNow + 60), 50u);
}

TEST_F(HistoryTest, EveryRangeHasItsPointsAndTheSameSum) {
  history_->NoteProbe(kKey, Counters(5, 0), kNow);
  for (uint64_t i = 1; i <= 5; ++i) history_->NoteProbe(kKey, Counters(5, i * 10), kNow + i * 60);
  const uint64_t now = kNow + 300;
  for (Range range : {Range::kHour, Range::kDay, Range::kMonth}) {
    EXPECT_EQ(TokensIn(range, now), 50u);
    const auto points = *history_->Usage(kKey, range, now);
    EXPECT_EQ(points.size(), ShapeOf(range).points);
    EXPECT_LE(points.back().t, now);
    EXPECT_GT(points.back().t + ShapeOf(range).step, now);
    EXPECT_EQ(points[1].t - points[0].t, ShapeOf(range).step);
  }
  EXPECT_EQ(history_->Usage(kKey, Range::kHour, now)->back().used.tokens_in, 10u);
  const auto others = *history_->Usage(kOther, Range::kHour, now);
  EXPECT_EQ(others.back().used.tokens_in, 0u);
}

TEST_F(HistoryTest, UpIsTheShareOfProbesThatWereAnswered) {
  for (int i = 0; i < 3; ++i) history_->NoteProbe(kKey, Counters(5, 0), kNow);
  history_->NoteProbe(kKey, std::nullopt, kNow);
  EXPECT_TRUE(history_->Flush(kNow));
  EXPECT_DOUBLE_EQ(history_->Usage(kKey, Range::kHour, kNow)->back().up, 0.75);
  EXPECT_EQ(history_->Usage(kKey, Range::kHour, kNow)->front().probes, 0u);
}

TEST_F(HistoryTest, OldPointsAreDroppedAndNewOnesStay) {
  history_->NoteProbe(kKey, Counters(5, 0), kNow);
  history_->NoteProbe(kKey, Counters(5, 10), kNow);
  EXPECT_TRUE(history_->Flush(kNow));
  const uint64_t later = kNow + 3 * 3600;
  history_->NoteProbe(kKey, Counters(5, 15), later);
  EXPECT_TRUE(history_->Flush(later));
  EXPECT_EQ((*history_->Usage(kKey, Range::kHour, kNow)).back().used.tokens_in, 0u) << "minutes are kept for two hours";
  EXPECT_EQ(TokensIn(Range::kDay, later), 15u);
  EXPECT_TRUE(history_->Flush(kNow + 50 * 86'400));
  EXPECT_EQ(TokensIn(Range::kMonth, later), 0u) << "forty days";
}

TEST_F(HistoryTest, SpeedIsTheMeanOfTheLastDay) {
  const Hash32 model{7};
  EXPECT_FALSE(*history_->SpeedOf(model, kNow));
  history_->NoteAnswer(kKey, model, {100, 20}, kNow);
  history_->NoteAnswer(kKey, model, {300, 40}, kNow + 60);
  history_->NoteAnswer(kKey, model, {200, 0}, kNow + 60);  // too short for a rate
  EXPECT_TRUE(history_->Flush(kNow + 60));
  const auto speed = *history_->SpeedOf(model, kNow + 60);
  ASSERT_TRUE(speed);
  EXPECT_DOUBLE_EQ(speed->ttft_ms, 200);
  EXPECT_DOUBLE_EQ(speed->tokens_per_second, 30);
  EXPECT_EQ(speed->samples, 3u);
  EXPECT_FALSE(*history_->SpeedOf(model, kNow + 2 * 86'400));
  const auto points = *history_->Usage(kKey, Range::kHour, kNow + 60);
  EXPECT_DOUBLE_EQ(points.back().ttft_ms, 250);
}

TEST_F(HistoryTest, EvidenceIsKeptAsItWasNewestFirstAndBounded) {
  EXPECT_TRUE(history_->NoteEvidence(kKey, "simulated", "first", kNow));
  EXPECT_TRUE(history_->NoteEvidence(kKey, "simulated", "first", kNow + 1)) << "no news";
  EXPECT_TRUE(history_->NoteEvidence(kKey, "simulated", "second", kNow + 2));
  auto notes = *history_->EvidenceOf(kKey);
  ASSERT_EQ(notes.size(), 2u);
  EXPECT_EQ(notes[0].at, kNow + 2);
  EXPECT_EQ(notes[1].at, kNow);
  EXPECT_EQ(notes[1].sha256, crypto::Sha256(AsBytes("first")));
  EXPECT_EQ(**history_->EvidenceAnswer(kKey, notes[1].sha256), "first");
  EXPECT_FALSE(*history_->EvidenceAnswer(kOther, notes[1].sha256));
  for (size_t i = 0; i < History::kMaxEvidence; ++i) EXPECT_TRUE(history_->NoteEvidence(kKey, "simulated", std::to_string(i), kNow));
  EXPECT_EQ(history_->EvidenceOf(kKey)->size(), History::kMaxEvidence);
  EXPECT_FALSE(*history_->EvidenceAnswer(kKey, notes[1].sha256)) << "the oldest is gone";
}

TEST_F(HistoryTest, ADamagedFileIsNamed) {
  history_ = nullptr;
  std::ofstream(folder_ + "/history.db") << "this is no database, and long enough to be looked at as one";
  for (const char* rest : {"-wal", "-shm"}) std::filesystem::remove(folder_ + "/history.db" + rest);
  auto opened = History::Open(folder_ + "/history.db");
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code(), Code::kDataLoss);
  EXPECT_NE(opened.error().message().find("history.db"), std::string::npos);
}

// ---- the clock of an answer

class ClockTest : public ::testing::Test {
 public:
  static Bytes Chunk(size_t size = 16) { return ByteWriter().U32Le(static_cast<uint32_t>(size)).Zeros(size).Take(); }
  AnswerClock::Time At(int ms) const { return start_ + std::chrono::milliseconds(ms); }
  // Preamble at 1 ms, the first chunk at 100 ms, one each 50 ms, receipt and end with the last.
  AnswerClock Streamed(size_t text_chunks) {
    AnswerClock clock(start_);
    clock.Feed(Bytes(36, 1), At(1));
    int ms = 100;
    for (size_t i = 0; i < text_chunks; ++i, ms += 50) clock.Feed(Chunk(), At(ms));
    clock.Feed(Chunk(), At(ms + 500));
    clock.Feed(Chunk(), At(ms + 500));
    return clock;
  }
  AnswerClock::Time start_ = net::SteadyClock::now();
};

TEST_F(ClockTest, ShortAnswersAndNoAnswersHaveNoSpeed) {
  EXPECT_FALSE(AnswerClock(start_).Speed());
  EXPECT_FALSE(Streamed(AnswerClock::kMinChunks - 1).Speed());
  AnswerClock noise(start_);
  noise.Feed(Bytes(1000, 0xff), At(5));
  EXPECT_FALSE(noise.Speed());
}

TEST_F(ClockTest, TimesTheFirstChunkAndTheChunksOfText) {
  const auto speed = Streamed(11).Speed();
  ASSERT_TRUE(speed);
  EXPECT_DOUBLE_EQ(speed->ttft_ms, 100);
  EXPECT_DOUBLE_EQ(speed->chunks_per_second, 20) << "ten more in half a second; receipt and end do not count";
}

// ---- rate limit

TEST(RateLimit, RefusesAfterTheBurstAndForgivesWithTime) {
  RateLimit limit({.per_minute = 60, .burst = 2});
  const auto now = net::SteadyClock::now();
  EXPECT_TRUE(limit.Take("a", now));
  EXPECT_TRUE(limit.Take("a", now));
  EXPECT_EQ(limit.Take("a", now).error().code(), Code::kResourceExhausted);
  EXPECT_TRUE(limit.Take("b", now)) << "another address";
  EXPECT_TRUE(limit.Take("a", now + std::chrono::seconds(1)));
  EXPECT_FALSE(limit.Take("a", now + std::chrono::seconds(1)));
}

TEST(RateLimit, ManyAddressesAreForgottenNotHoarded) {
  RateLimit limit({.per_minute = 1, .burst = 1});
  const auto now = net::SteadyClock::now();
  for (size_t i = 0; i <= RateLimit::kMaxAddresses; ++i) EXPECT_TRUE(limit.Take(std::to_string(i), now + std::chrono::milliseconds(i)));
  const auto later = now + std::chrono::milliseconds(RateLimit::kMaxAddresses + 1);
  EXPECT_FALSE(limit.Take(std::to_string(RateLimit::kMaxAddresses), later));
  EXPECT_TRUE(limit.Take("0", later)) << "the idlest was forgotten";
}

}  // namespace
}  // namespace teetee::gateway
