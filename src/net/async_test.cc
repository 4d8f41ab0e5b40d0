#include "net/async.h"

#include <gtest/gtest.h>

#include <thread>

#include "net/testing/run.h"

namespace teetee::net {
namespace {

using testing::RunTask;

Task<Result<int>> Answer(Millis after, int value) {
  co_await Sleep(after);
  co_return value;
}

Task<Result<int>> Throws() {
  co_await Sleep(Millis(1));
  throw std::runtime_error("text that must not be shown");
}

TEST(WithTimeout, ReportsALateTaskAsDeadlineExceeded) {
  IoContext io;
  auto body = []() -> Task<void> {
    auto start = SteadyClock::now();
    auto late = co_await WithTimeout(Answer(Millis(60'000), 1), Millis(20));
    CO_ASSERT_TRUE(!late);
    EXPECT_EQ(late.error().code(), Code::kDeadlineExceeded);
    EXPECT_LT(SteadyClock::now() - start, std::chrono::seconds(5));
    auto in_time = co_await WithTimeout(Answer(Millis(1), 7), Millis(60'000));
    CO_ASSERT_OK(in_time);
    EXPECT_EQ(*in_time, 7);
  };
  RunTask(io, body());
}

TEST(WithTimeout, TurnsAnExceptionIntoAValueAtOnce) {
  IoContext io;
  auto body = []() -> Task<void> {
    auto start = SteadyClock::now();
    auto result = co_await WithTimeout(Throws(), Millis(60'000));
    CO_ASSERT_TRUE(!result);
    EXPECT_EQ(result.error().code(), Code::kInternal);
    EXPECT_EQ(result.error().message().find("text that"), std::string::npos);
    EXPECT_LT(SteadyClock::now() - start, std::chrono::seconds(5));
  };
  RunTask(io, body());
}

TEST(WithTimeout, NestsAndCancelsWhatIsInside) {
  IoContext io;
  bool unwound = false;
  auto inner = [](bool* flag) -> Task<Result<int>> {
    struct Mark {
      bool* flag;
      ~Mark() { *flag = true; }
    } mark{flag};
    co_return co_await WithTimeout(Answer(Millis(60'000), 1), Millis(50'000));
  };
  auto body = [&]() -> Task<void> {
    auto result = co_await WithTimeout(inner(&unwound), Millis(20));
    CO_ASSERT_TRUE(!result);
    EXPECT_EQ(result.error().code(), Code::kDeadlineExceeded);
    EXPECT_TRUE(unwound);
  };
  RunTask(io, body());
}

TEST(Event, WakesAllWaitersAndSurvivesItsOwner) {
  IoContext io;
  int woken = 0;
  auto wait = [&](Event* event) -> Task<void> {
    co_await event->Wait();
    ++woken;
  };
  auto body = [&]() -> Task<void> {
    Executor executor = co_await CurrentExecutor();
    TaskGroup group(executor);
    auto event = std::make_unique<Event>(executor);
    for (int i = 0; i < 3; ++i) group.Spawn(wait(event.get()));
    co_await Sleep(Millis(1));
    EXPECT_EQ(woken, 0);
    event->Set();
    co_await group.Join();
    EXPECT_EQ(woken, 3);
    event->Reset();
    group.Spawn(wait(event.get()));
    co_await Sleep(Millis(1));
    event.reset();
    group.Cancel();
    co_await group.Join();
    EXPECT_EQ(woken, 3);
  };
  RunTask(io, body());
}

TEST(AsyncQueue, HoldsBackTheWriterWhenFull) {
  IoContext io;
  auto writer = [](AsyncQueue<int>* queue, int* pushed) -> Task<void> {
    for (int i = 0; i < 10; ++i) {
      bool taken = co_await queue->Push(i);
      if (!taken) co_return;
      ++*pushed;
    }
    queue->Close();
  };
  auto body = [&]() -> Task<void> {
    Executor executor = co_await CurrentExecutor();
    AsyncQueue<int> queue(executor, 2);
    int pushed = 0;
    TaskGroup group(executor);
    group.Spawn(writer(&queue, &pushed));
    co_await Sleep(Millis(5));
    EXPECT_EQ(pushed, 2);
    EXPECT_FALSE(queue.TryPush(99));
    for (int i = 0; i < 10; ++i) {
      std::optional<int> item = co_await queue.Pop();
      EXPECT_EQ(item, i);
    }
    std::optional<int> end = co_await queue.Pop();
    EXPECT_FALSE(end.has_value());
    co_await group.Join();
  };
  RunTask(io, body());
}

TEST(AsyncQueue, RefusesAfterClose) {
  IoContext io;
  auto body = []() -> Task<void> {
    AsyncQueue<int> queue(co_await CurrentExecutor(), 2);
    queue.TryPush(5);
    queue.Close();
    bool pushed = co_await queue.Push(6);
    EXPECT_FALSE(pushed);
    std::optional<int> left = co_await queue.Pop();
    EXPECT_EQ(left, 5);
    std::optional<int> end = co_await queue.Pop();
    EXPECT_FALSE(end.has_value());
  };
  RunTask(io, body());
}

TEST(AsyncMutex, LetsOneInAtATime) {
  IoContext io;
  int inside = 0, most = 0;
  auto enter = [&](AsyncMutex* mutex) -> Task<void> {
    auto guard = co_await mutex->Lock();
    most = std::max(most, ++inside);
    co_await Sleep(Millis(1));
    --inside;
  };
  auto body = [&]() -> Task<void> {
    Executor executor = co_await CurrentExecutor();
    AsyncMutex mutex(executor);
    TaskGroup group(executor);
    for (int i = 0; i < 20; ++i) group.Spawn(enter(&mutex));
    co_await group.Join();
    EXPECT_EQ(most, 1);
    EXPECT_EQ(inside, 0);
  };
  RunTask(io, body());
}

TEST(AsyncMutex, KeepsTheOrderAndSurvivesCancelledWaiters) {
  IoContext io;
  std::vector<int> order;
  auto enter = [&](AsyncMutex* mutex, int id) -> Task<void> {
    auto guard = co_await mutex->Lock();
    order.push_back(id);
  };
  auto body = [&]() -> Task<void> {
    Executor executor = co_await CurrentExecutor();
    AsyncMutex mutex(executor);
    TaskGroup kept(executor), cancelled(executor);
    {
      auto guard = co_await mutex.Lock();
      for (int i = 0; i < 9; ++i) (i % 2 ? cancelled : kept).Spawn(enter(&mutex, i));
      co_await Sleep(Millis(0));
      EXPECT_EQ(mutex.waiting(), 9u);
      cancelled.Cancel();
      co_await cancelled.Join();
      EXPECT_EQ(mutex.waiting(), 5u);
    }
    co_await kept.Join();
    EXPECT_EQ(order, (std::vector<int>{0, 2, 4, 6, 8}));
    auto guard = co_await mutex.Lock();
    EXPECT_EQ(mutex.waiting(), 0u);
  };
  RunTask(io, body());
}

TEST(TaskGroup, CancelEndsSleepersAndJoinWaits) {
  IoContext io;
  auto sleeper = []() -> Task<void> { co_await Sleep(Millis(60'000)); };
  auto body = [&]() -> Task<void> {
    TaskGroup group(co_await CurrentExecutor());
    for (int i = 0; i < 5; ++i) group.Spawn(sleeper());
    co_await Sleep(Millis(1));
    EXPECT_EQ(group.running(), 5u);
    group.Cancel();
    co_await group.Join();
    EXPECT_EQ(group.running(), 0u);
  };
  RunTask(io, body());
}

// Asio 1.81 throws out of io_context::run() when a task ends cancelled before it has waited once.
TEST(TaskGroup, CancelBeforeTheFirstStepNeverRunsTheTask) {
  IoContext io;
  bool ran = false;
  auto task = [&]() -> Task<void> {
    ran = true;
    co_await Sleep(Millis(60'000));
  };
  TaskGroup group(io.get_executor());
  asio::post(io, [&] { group.Cancel(); });
  group.Spawn(task());
  EXPECT_NO_THROW(io.run_for(std::chrono::seconds(60)));
  EXPECT_FALSE(ran);
  EXPECT_EQ(group.running(), 0u);
}

TEST(TaskGroup, ATaskMayCancelItsOwnGroupBeforeItWaits) {
  IoContext io;
  int after = 0;
  auto body = [&]() -> Task<void> {
    TaskGroup group(co_await CurrentExecutor());
    auto task = [&]() -> Task<void> {
      group.Cancel();
      co_await Sleep(Millis(60'000));
      ++after;
    };
    group.Spawn(task());
    co_await group.Join();
  };
  RunTask(io, body());
  EXPECT_EQ(after, 0);
}

TEST(OnThread, ComputesElsewhereAndResumesHere) {
  IoContext io;
  ThreadPool pool(1);
  auto body = [&]() -> Task<void> {
    auto here = std::this_thread::get_id();
    auto there = co_await OnThread(pool, [] { return std::this_thread::get_id(); });
    EXPECT_NE(here, there);
    EXPECT_EQ(here, std::this_thread::get_id());
    auto moved = co_await OnThread(pool, [] { return std::make_unique<int>(3); });
    EXPECT_EQ(*moved, 3);
    bool ran = false;
    co_await OnThread(pool, [&ran] { ran = true; });
    EXPECT_TRUE(ran);
  };
  RunTask(io, body());
  pool.join();
}

}  // namespace
}  // namespace teetee::net
