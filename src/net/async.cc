#include "net/async.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/system/system_error.hpp>
#include <list>
#include <string>

#include "base/log.h"

namespace teetee::net {
namespace {

constexpr Millis kLongestSleep = std::chrono::hours(24);

bool IsCancellation(const std::exception_ptr& exception) {
  try {
    std::rethrow_exception(exception);
  } catch (const boost::system::system_error& error) {
    return error.code() == asio::error::operation_aborted;
  } catch (...) {
    return false;
  }
}

// The text of an exception may quote foreign input, so the log gets its kind only.
void LogEscaped(const std::exception_ptr& exception, const std::string& what) {
  if (!exception || IsCancellation(exception)) return;
  LogError("net", what + ": ended by an exception");
}

}  // namespace

Error ErrorOfException(std::exception_ptr exception) {
  if (IsCancellation(exception)) return Error(Code::kCancelled, "cancelled");
  return Error(Code::kInternal, "an exception ended the task");
}

void Spawn(const Executor& executor, Task<void> task, std::string_view what) {
  asio::co_spawn(
      executor, std::move(task),
      [name = std::string(what)](std::exception_ptr exception) { LogEscaped(exception, name); });
}

Task<Executor> CurrentExecutor() { co_return co_await asio::this_coro::executor; }

Task<void> Sleep(Millis duration) {
  asio::steady_timer timer(co_await asio::this_coro::executor);
  timer.expires_after(std::min(duration, kLongestSleep));
  co_await timer.async_wait(asio::use_awaitable);
}

Event::State::State(const Executor& executor) : timer(executor, SteadyClock::time_point::max()) {}

Event::Event(const Executor& executor) : state_(std::make_shared<State>(executor)) {}
Event::~Event() = default;

void Event::Set() {
  state_->set = true;
  state_->timer.cancel();
}

void Event::Reset() { state_->set = false; }

Task<void> Event::WaitOn(std::shared_ptr<State> state) {
  // A cancelled wait comes back here too; the next co_await then throws.
  while (!state->set) co_await state->timer.async_wait(asio::as_tuple(asio::use_awaitable));
}

struct AsyncMutex::State {
  explicit State(const Executor& e) : executor(e) {}
  Executor executor;
  bool held = false;
  std::list<Waiter*> waiters;

  void Release();
};

// A place in the queue. Leaving it without the lock (cancellation) gives the place up, or hands the
// lock on if it came already.
class AsyncMutex::Waiter {
 public:
  explicit Waiter(State& state) : state_(state), turn_(state.executor) {
    state_.waiters.push_back(this);
  }
  ~Waiter() {
    if (taken_) return;
    if (turn_.is_set()) {
      state_.Release();
    } else {
      state_.waiters.remove(this);
    }
  }
  Event& turn() { return turn_; }
  void Take() { taken_ = true; }

 private:
  State& state_;
  Event turn_;
  bool taken_ = false;
};

void AsyncMutex::State::Release() {
  held = !waiters.empty();
  if (!held) return;
  Waiter* next = waiters.front();
  waiters.pop_front();
  next->turn().Set();
}

AsyncMutex::AsyncMutex(const Executor& executor) : state_(std::make_shared<State>(executor)) {}
size_t AsyncMutex::waiting() const { return state_->waiters.size(); }

AsyncMutex::Guard::Guard(std::shared_ptr<State> state) : state_(std::move(state)) {}
AsyncMutex::Guard::~Guard() {
  if (state_) state_->Release();
}

Task<AsyncMutex::Guard> AsyncMutex::LockOn(std::shared_ptr<State> state) {
  if (state->held) {
    Waiter waiter(*state);
    co_await waiter.turn().Wait();
    waiter.Take();
  }
  state->held = true;
  co_return Guard(std::move(state));
}

struct TaskGroup::State {
  explicit State(const Executor& e) : executor(e), idle(e) { idle.Set(); }
  struct Entry {
    asio::cancellation_signal signal;
    bool begun = false, cancelled = false;
  };
  using Entries = std::list<Entry>;  // a slot needs a stable address
  Executor executor;
  Entries entries;  // one per running task
  Event idle;

  static Task<void> Run(Entries::iterator entry, Task<void> task);
};

// Asio 1.81 lets a coroutine that ends cancelled before it has waited once throw out of the event
// loop: it waits once more itself, outside of its own try block. So a task that was cancelled before
// its first step is not begun, and at the end cancellation throws no more.
Task<void> TaskGroup::State::Run(Entries::iterator entry, Task<void> task) {
  std::exception_ptr failure;
  entry->begun = true;
  try {
    if (!entry->cancelled) co_await std::move(task);
  } catch (...) {
    failure = std::current_exception();
  }
  co_await asio::this_coro::throw_if_cancelled(false);
  if (failure) std::rethrow_exception(failure);
}

TaskGroup::TaskGroup(const Executor& executor) : state_(std::make_shared<State>(executor)) {}

TaskGroup::~TaskGroup() { Cancel(); }

void TaskGroup::Spawn(Task<void> task, std::string_view what) {
  auto entry = state_->entries.emplace(state_->entries.end());
  state_->idle.Reset();
  auto done = [state = state_, entry, name = std::string(what)](std::exception_ptr exception) {
    LogEscaped(exception, name);
    state->entries.erase(entry);
    if (state->entries.empty()) state->idle.Set();
  };
  asio::co_spawn(state_->executor, State::Run(entry, std::move(task)),
                 asio::bind_cancellation_slot(entry->signal.slot(), std::move(done)));
}

void TaskGroup::Cancel() {
  // Asio hands a cancellation on through the executor, by a bare pointer into the signal: only on
  // the executor's own thread does that happen at once, before a task that ends can take its signal
  // away.
  asio::dispatch(state_->executor, [state = state_] {
    // Emitting may end a task and erase its entry, so the iterator moves on first.
    for (auto it = state->entries.begin(); it != state->entries.end();) {
      auto entry = it++;
      entry->cancelled = true;
      if (entry->begun) entry->signal.emit(asio::cancellation_type::terminal);
    }
  });
}

Task<void> TaskGroup::Join() {
  std::shared_ptr<State> state = state_;
  while (!state->entries.empty()) co_await state->idle.Wait();
}

size_t TaskGroup::running() const { return state_->entries.size(); }

}  // namespace teetee::net
