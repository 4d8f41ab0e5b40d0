// A fixed set of threads that share out the tasks of one loop at a time. Results never depend on the number of threads: a
// task writes its own output and no sum crosses tasks.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace teetee::ops {

class ThreadPool {
 public:
  // threads counts the caller of ParallelFor: 1 starts no thread. 0 is taken as 1.
  explicit ThreadPool(size_t threads);
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  size_t threads() const { return workers_.size() + 1; }

  // Calls body(i) once for every i in [0, tasks), in any order and on any of the threads, and returns when all are done.
  // Thread-safe: a second caller waits for the first. body must not throw and must not call ParallelFor of the same pool.
  void ParallelFor(size_t tasks, const std::function<void(size_t task)>& body);

 private:
  void WorkerLoop();
  void RunTasks();
  uint32_t WaitForJob(uint32_t seen) const;
  void TryJoinJob();
  void CloseGate();

  // gate_ is kOpen while a job takes helpers, plus the number of workers inside it. A worker that wakes up late finds the
  // gate closed and costs nobody time.
  static constexpr uint32_t kOpen = 1u << 31;
  alignas(64) std::atomic<uint32_t> gate_{0};
  alignas(64) std::atomic<size_t> next_{0};
  alignas(64) std::atomic<uint32_t> epoch_{0};  // rises by one per job; workers sleep on it
  const std::function<void(size_t)>* body_ = nullptr;
  size_t tasks_ = 0;
  std::atomic<bool> stop_{false};
  std::mutex caller_;
  std::vector<std::thread> workers_;
};

}  // namespace teetee::ops
