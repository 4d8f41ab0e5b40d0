#include "ops/thread_pool.h"

#include <algorithm>

#include "ops/fp_env.h"

namespace teetee::ops {
namespace {

// Pauses before a thread sleeps, some 40 to 140 cycles each. A worker waits longer than the gap between two loops of one layer; a
// caller waits for others' last tasks, which are short unless a core was taken away: then sleeping gives its own core to the
// worker that lost one.
constexpr int kSpinsForJob = 4000;
constexpr int kSpinsForEnd = 1000;
// A thread takes at most this part of its share of what is left.
constexpr size_t kClaims = 4;

void Pause() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

}  // namespace

ThreadPool::ThreadPool(size_t threads) {
  for (size_t i = 1; i < threads; ++i) {
    workers_.emplace_back([this] { WorkerLoop(); });
  }
}

ThreadPool::~ThreadPool() {
  stop_.store(true);
  epoch_.fetch_add(1);
  epoch_.notify_all();
  for (std::thread& worker : workers_) worker.join();
}

// Neighbouring tasks, fewer at a time as the end comes near: each claim waits for the line of next_ to come from another core, and
// for all that this core has read so far.
void ThreadPool::RunTasks() {
  for (;;) {
    const size_t left = tasks_ - std::min(tasks_, next_.load(std::memory_order_relaxed));
    const size_t claim = left / (kClaims * threads()) + 1;
    const size_t first = next_.fetch_add(claim, std::memory_order_relaxed);
    if (first >= tasks_) return;
    const size_t end = std::min(first + claim, tasks_);
    for (size_t task = first; task < end; ++task) (*body_)(task);
  }
}

uint32_t ThreadPool::WaitForJob(uint32_t seen) const {
  for (int i = 0; i < kSpinsForJob; ++i) {
    uint32_t now = epoch_.load(std::memory_order_acquire);
    if (now != seen) return now;
    Pause();
  }
  epoch_.wait(seen, std::memory_order_acquire);
  return epoch_.load(std::memory_order_acquire);
}

void ThreadPool::TryJoinJob() {
  uint32_t gate = gate_.load(std::memory_order_acquire);
  while (gate & kOpen) {
    if (!gate_.compare_exchange_weak(gate, gate + 1, std::memory_order_acq_rel)) continue;
    RunTasks();
    // The caller sleeps on the gate only once it is closed.
    if (gate_.fetch_sub(1, std::memory_order_acq_rel) == 1) gate_.notify_one();
    return;
  }
}

void ThreadPool::WorkerLoop() {
  uint32_t seen = 0;
  for (;;) {
    seen = WaitForJob(seen);
    if (stop_.load()) return;
    ScopedFpState fp;  // per job: a foreign library may have changed this thread's state since the last one
    TryJoinJob();
  }
}

void ThreadPool::ParallelFor(size_t tasks, const std::function<void(size_t)>& body) {
  ScopedFpState fp;
  if (workers_.empty() || tasks <= 1) {
    for (size_t i = 0; i < tasks; ++i) body(i);
    return;
  }
  std::lock_guard<std::mutex> lock(caller_);
  body_ = &body;
  tasks_ = tasks;
  next_.store(0, std::memory_order_relaxed);
  gate_.store(kOpen, std::memory_order_release);
  epoch_.fetch_add(1, std::memory_order_acq_rel);
  epoch_.notify_all();
  RunTasks();
  CloseGate();
}

// Each worker inside holds at most one task.
void ThreadPool::CloseGate() {
  uint32_t inside = gate_.fetch_and(~kOpen, std::memory_order_acq_rel) & ~kOpen;
  for (int spins = 0; inside != 0; ++spins) {
    if (spins < kSpinsForEnd) {
      Pause();
    } else {
      gate_.wait(inside, std::memory_order_acquire);
    }
    inside = gate_.load(std::memory_order_acquire);
  }
}

}  // namespace teetee::ops
