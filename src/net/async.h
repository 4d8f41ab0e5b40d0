// Coroutines of the service side: Boost.Asio awaitables and the few tools that every module above
// needs. The only header of the project that shows Asio.
//
// Threads: everything here belongs to one io_context that one thread runs. An object is made, used
// and destroyed on that thread; nothing is locked. Only OnThread() leaves it, and comes back.
// Errors: tasks return Result. Cancellation (WithTimeout, TaskGroup) makes the pending operation
// return or throw and every later co_await of that task throw
// boost::system::system_error(operation_aborted): clean up in destructors. WithTimeout and
// TaskGroup turn that exception into a value again; nobody else has to catch it.
// g++ 12: give a coroutine its arguments by value, and name a temporary before the co_await that
// uses it.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>
#include <deque>
#include <memory>
#include <optional>
#include <string_view>
#include <type_traits>
#include <utility>

#include "base/result.h"

// g++ 12 mistakes Asio's paired operator new and delete of coroutine frames for a mismatch, in the
// code that inlines them.
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wmismatched-new-delete"
#endif

namespace teetee::net {

namespace asio = boost::asio;

template <class T>
using Task = asio::awaitable<T>;
using Executor = asio::any_io_executor;
using IoContext = asio::io_context;
using ThreadPool = asio::thread_pool;
using SteadyClock = std::chrono::steady_clock;
using Millis = std::chrono::milliseconds;

inline constexpr Millis kNoTimeout = Millis::max();

// Runs a task that nobody waits for. `what` names it in the log line that an exception leaves
// behind.
void Spawn(const Executor& executor, Task<void> task, std::string_view what = "task");

Task<Executor> CurrentExecutor();
// Longer than a day is cut to a day: callers that wait longer loop.
Task<void> Sleep(Millis duration);

// What an escaped exception is as a value: kCancelled for a cancelled operation, kInternal for
// anything else.
Error ErrorOfException(std::exception_ptr exception);

// The task's result, or kDeadlineExceeded after `limit`. The task is then cancelled, and this
// returns when it has ended: work that does not end on cancellation (OnThread) holds it up.
template <class T>
Task<Result<T>> WithTimeout(Task<Result<T>> task, Millis limit);

// A latch: waiters pass while it is set. It may be destroyed while tasks wait; those then wait
// until they are cancelled.
class Event {
 public:
  explicit Event(const Executor& executor);
  ~Event();
  Event(Event&&) = default;

  void Set();  // wakes all waiters
  void Reset();
  bool is_set() const { return state_->set; }
  Task<void> Wait() { return WaitOn(state_); }

 private:
  struct State {
    explicit State(const Executor& executor);
    asio::steady_timer timer;
    bool set = false;
  };
  static Task<void> WaitOn(std::shared_ptr<State> state);
  std::shared_ptr<State> state_;
};

// One holder at a time, strictly first come first served. The lock is released by destroying the
// guard.
class AsyncMutex {
 public:
  explicit AsyncMutex(const Executor& executor);

  class Guard;
  Task<Guard> Lock() { return LockOn(state_); }
  size_t waiting() const;

 private:
  struct State;
  class Waiter;
  static Task<Guard> LockOn(std::shared_ptr<State> state);
  std::shared_ptr<State> state_;
};

class AsyncMutex::Guard {
 public:
  Guard() = default;
  Guard(Guard&&) noexcept = default;
  Guard& operator=(Guard&&) = delete;
  ~Guard();

 private:
  friend class AsyncMutex;
  explicit Guard(std::shared_ptr<State> state);
  std::shared_ptr<State> state_;
};

// A bounded queue between tasks. Close() ends it: Push then fails, Pop still yields what is left
// and then nothing. The queue may be destroyed while tasks wait on it (that closes it).
template <class T>
class AsyncQueue {
 public:
  // REQUIRES: capacity > 0 items.
  AsyncQueue(const Executor& executor, size_t capacity)
      : state_(std::make_shared<State>(executor, capacity)) {}
  ~AsyncQueue() {
    if (state_) Close();
  }
  AsyncQueue(AsyncQueue&&) = default;

  bool TryPush(T item);  // false: full or closed
  Task<bool> Push(T item) {
    return PushTo(state_, std::move(item));
  }                                                         // waits for room; false: closed
  Task<std::optional<T>> Pop() { return PopFrom(state_); }  // waits; nothing: closed and empty
  void Close();
  bool closed() const { return state_->closed; }
  size_t size() const { return state_->items.size(); }

 private:
  struct State {
    State(const Executor& executor, size_t most)
        : capacity(most), readable(executor), writable(executor) {}
    size_t capacity;
    std::deque<T> items;
    bool closed = false;
    Event readable, writable;
  };
  static Task<bool> PushTo(std::shared_ptr<State> state, T item);
  static Task<std::optional<T>> PopFrom(std::shared_ptr<State> state);
  std::shared_ptr<State> state_;
};

// Tasks that belong together: cancelled together, waited for together. Destroying the group cancels
// what still runs, which unwinds on a later turn of the loop: whoever owns what the tasks use calls
// Cancel() and Join() first.
class TaskGroup {
 public:
  explicit TaskGroup(const Executor& executor);
  ~TaskGroup();

  void Spawn(Task<void> task, std::string_view what = "task");
  void Cancel();      // all that run now (called outside the event loop: all when it runs next)
  Task<void> Join();  // returns when none runs
  size_t running() const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

// Runs a blocking function on the pool and resumes here. The function must not touch objects of
// this thread. A cancelled task still waits for the function's end.
template <class Fn>
Task<std::invoke_result_t<Fn>> OnThread(ThreadPool& pool, Fn fn);

// ---- implementation of the templates ----

template <class T>
Task<std::optional<Result<T>>> CatchAll(Task<Result<T>> task) {
  std::exception_ptr failure;
  try {
    Result<T> result = co_await std::move(task);
    co_return std::optional<Result<T>>(std::move(result));
  } catch (...) {
    failure = std::current_exception();
  }
  co_return std::optional<Result<T>>(ErrorOfException(failure));
}

template <class T>
Task<Result<T>> WithTimeout(Task<Result<T>> task, Millis limit) {
  // operator|| waits for one *success*, so both operands return and never throw.
  using asio::experimental::awaitable_operators::operator||;
  auto limit_reached = [](Millis duration) -> Task<bool> {
    co_await Sleep(duration);
    co_return true;
  };
  auto outcome = co_await (CatchAll(std::move(task)) || limit_reached(limit));
  if (outcome.index() == 0 && std::get<0>(outcome)) co_return *std::move(std::get<0>(outcome));
  co_return Error(Code::kDeadlineExceeded,
                  "no result within " + std::to_string(limit.count()) + " ms");
}

template <class T>
bool AsyncQueue<T>::TryPush(T item) {
  if (state_->closed || state_->items.size() >= state_->capacity) return false;
  state_->items.push_back(std::move(item));
  state_->readable.Set();
  return true;
}

template <class T>
void AsyncQueue<T>::Close() {
  state_->closed = true;
  state_->readable.Set();
  state_->writable.Set();
}

template <class T>
Task<bool> AsyncQueue<T>::PushTo(std::shared_ptr<State> state, T item) {
  while (!state->closed && state->items.size() >= state->capacity) {
    state->writable.Reset();
    co_await state->writable.Wait();
  }
  if (state->closed) co_return false;
  state->items.push_back(std::move(item));
  state->readable.Set();
  co_return true;
}

template <class T>
Task<std::optional<T>> AsyncQueue<T>::PopFrom(std::shared_ptr<State> state) {
  while (!state->closed && state->items.empty()) {
    state->readable.Reset();
    co_await state->readable.Wait();
  }
  if (state->items.empty()) co_return std::nullopt;
  std::optional<T> item(std::move(state->items.front()));
  state->items.pop_front();
  state->writable.Set();
  co_return item;
}

template <class Fn>
Task<std::invoke_result_t<Fn>> OnThread(ThreadPool& pool, Fn fn) {
  using Value = std::invoke_result_t<Fn>;
  // A running function cannot be cancelled, and Asio's cancellation across executors would race
  // with its end.
  auto uncancelled = asio::bind_cancellation_slot(asio::cancellation_slot(), asio::use_awaitable);
  if constexpr (std::is_void_v<Value>) {
    auto body = [](Fn run) -> Task<void> {
      run();
      co_return;
    };
    co_await asio::co_spawn(pool, body(std::move(fn)), uncancelled);
  } else {
    auto body = [](Fn run) -> Task<std::optional<Value>> { co_return std::optional<Value>(run()); };
    std::optional<Value> value = co_await asio::co_spawn(pool, body(std::move(fn)), uncancelled);
    co_return *std::move(value);
  }
}

}  // namespace teetee::net
