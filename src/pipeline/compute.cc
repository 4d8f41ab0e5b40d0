#include "pipeline/compute.h"

#include <algorithm>
#include <atomic>
#include <boost/asio/post.hpp>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>

#include "base/check.h"

namespace teetee::pipeline {

struct Reservations {
  std::atomic<size_t> sequences{0};
  std::atomic<size_t> kv_bytes{0};
};

struct ComputeSequence {
  ComputeSequence(model::SequenceState made, size_t reserved, std::shared_ptr<Reservations> in)
      : state(std::move(made)), bytes(reserved), reservations(std::move(in)) {}
  ~ComputeSequence() {
    reservations->sequences -= 1;
    reservations->kv_bytes -= bytes;
  }
  model::SequenceState state;  // the worker's
  size_t bytes;
  std::shared_ptr<Reservations> reservations;
};

struct Compute::Job {
  Job(const net::Executor& executor, ComputeHandle of) : sequence(std::move(of)), done(executor) {}
  ComputeHandle sequence;
  uint64_t position = 0;
  std::vector<uint32_t> ids;  // or x
  std::vector<float> x;       // (rows, dim)
  size_t rows = 0;
  OnLogits on_logits;
  std::optional<Error> error;
  net::Event done;  // set on the io thread
};

struct Compute::Core {
  Core(net::Executor on, std::unique_ptr<model::Shard> of, size_t threads, ComputeLimits most)
      : executor(std::move(on)), shard(std::move(of)), limits(most), threads_wanted(threads) {}

  void Loop();
  std::vector<std::shared_ptr<Job>> TakeBatch();
  void RunBatch(std::vector<std::shared_ptr<Job>>& batch, ops::ThreadPool& pool);
  void RunLogits(std::vector<std::shared_ptr<Job>>& batch, ops::ThreadPool& pool);
  void Finish(std::vector<std::shared_ptr<Job>> batch);

  net::Executor executor;
  std::unique_ptr<model::Shard> shard;
  ComputeLimits limits;
  size_t threads_wanted;
  std::shared_ptr<Reservations> reserved = std::make_shared<Reservations>();
  std::atomic<uint64_t> rows_done{0};
  std::atomic<uint64_t> busy_us{0};

  std::mutex mutex;
  std::condition_variable ready;
  std::deque<std::shared_ptr<Job>> waiting;
  bool stop = false;
  std::thread worker;
};

void Compute::Core::Loop() {
  ops::ThreadPool pool(threads_wanted);
  for (;;) {
    auto batch = TakeBatch();
    if (batch.empty()) return;
    auto started = std::chrono::steady_clock::now();
    RunBatch(batch, pool);
    RunLogits(batch, pool);
    auto spent = std::chrono::steady_clock::now() - started;
    busy_us += static_cast<uint64_t>(std::chrono::duration_cast<std::chrono::microseconds>(spent).count());
    Finish(std::move(batch));
  }
}

// The jobs that wait, in their order, as far as rows allow and each sequence once: a sequence's chunks stay in order. Short jobs
// (decode steps) go first, so that a long prompt delays them by one chunk at most.
std::vector<std::shared_ptr<Compute::Job>> Compute::Core::TakeBatch() {
  std::unique_lock lock(mutex);
  ready.wait(lock, [&] { return stop || !waiting.empty(); });
  std::vector<std::shared_ptr<Job>> batch;
  if (stop) return batch;
  size_t rows = 0;
  auto holds = [&](const ComputeHandle& sequence) {
    return std::any_of(batch.begin(), batch.end(), [&](auto& j) { return j->sequence == sequence; });
  };
  auto take = [&](bool short_ones) {
    std::vector<ComputeSequence*> passed;
    for (auto it = waiting.begin(); it != waiting.end();) {
      Job& job = **it;
      bool earlier = std::find(passed.begin(), passed.end(), job.sequence.get()) != passed.end();
      bool fits = batch.empty() || rows + job.rows <= limits.max_batch_rows;
      if ((job.rows == 1) != short_ones || earlier || holds(job.sequence) || !fits) {
        passed.push_back(job.sequence.get());
        ++it;
        continue;
      }
      rows += job.rows;
      batch.push_back(*it);
      it = waiting.erase(it);
    }
  };
  take(true);
  take(false);
  return batch;
}

void Compute::Core::RunBatch(std::vector<std::shared_ptr<Job>>& batch, ops::ThreadPool& pool) {
  std::vector<model::BatchItem> items;
  std::vector<Job*> jobs;
  const size_t dim = shard->config().hidden_dim;
  for (auto& job : batch) {
    if (!job->ids.empty()) {
      job->x.resize(job->ids.size() * dim);
      Status embedded = shard->Embed(job->ids, job->x.data());
      if (!embedded) {
        job->error = std::move(embedded).error();
        continue;
      }
    }
    items.push_back({&job->sequence->state, job->position, job->rows, job->x.data(), std::nullopt});
    jobs.push_back(job.get());
  }
  if (items.empty()) return;
  Status ran = shard->ForwardBatch(items, pool);
  if (!ran && items.size() > 1) {
    // The call was wrong for one of them: run each alone, so that the others do not suffer.
    for (size_t i = 0; i < items.size(); ++i) {
      Status alone = shard->ForwardBatch(std::span(&items[i], 1), pool);
      if (!alone) items[i].error = alone.error();
    }
  } else if (!ran) {
    items[0].error = ran.error();
  }
  for (size_t i = 0; i < items.size(); ++i) {
    if (items[i].error) jobs[i]->error = std::move(items[i].error);
    rows_done += items[i].n;
  }
}

void Compute::Core::RunLogits(std::vector<std::shared_ptr<Job>>& batch, ops::ThreadPool& pool) {
  const size_t dim = shard->config().hidden_dim, vocab = shard->config().vocab_size;
  std::vector<Job*> jobs;
  for (auto& job : batch) {
    if (job->on_logits && !job->error) jobs.push_back(job.get());
  }
  if (jobs.empty()) return;
  std::vector<std::vector<float>> logits(jobs.size(), std::vector<float>(vocab));
  std::vector<model::LogitsItem> items(jobs.size());
  for (size_t i = 0; i < jobs.size(); ++i) {
    items[i].x = jobs[i]->x.data() + (jobs[i]->rows - 1) * dim;
    items[i].logits = logits[i].data();
  }
  Status ran = shard->Logits(items, pool);
  for (size_t i = 0; i < jobs.size(); ++i) {
    Status status = Ok{};
    if (!ran) {
      status = ran.error();
    } else if (items[i].error) {
      status = *std::move(items[i].error);
    } else {
      status = jobs[i]->on_logits(logits[i]);
    }
    if (!status) jobs[i]->error = std::move(status).error();
  }
}

void Compute::Core::Finish(std::vector<std::shared_ptr<Job>> batch) {
  net::asio::post(executor, [batch = std::move(batch)] {
    for (auto& job : batch) job->done.Set();
  });
}

Compute::Compute(net::Executor executor, std::unique_ptr<model::Shard> shard, size_t threads,
                 ComputeLimits limits)
    : core_(std::make_shared<Core>(std::move(executor), std::move(shard), threads, limits)) {
  core_->worker = std::thread([core = core_.get()] { core->Loop(); });
}

Compute::~Compute() {
  {
    std::lock_guard lock(core_->mutex);
    core_->stop = true;
    for (auto& job : core_->waiting) {
      job->error = Error(Code::kCancelled, "the node is stopping");
      job->done.Set();
    }
    core_->waiting.clear();
  }
  core_->ready.notify_all();
  core_->worker.join();
}

const model::Shard& Compute::shard() const { return *core_->shard; }
size_t Compute::sequences() const { return core_->reserved->sequences; }
size_t Compute::kv_bytes() const { return core_->reserved->kv_bytes; }
uint64_t Compute::rows_done() const { return core_->rows_done; }
double Compute::busy_seconds() const { return static_cast<double>(core_->busy_us) / 1e6; }

Result<ComputeHandle> Compute::Open(size_t max_positions) {
  model::KvShape shape = core_->shard->kv_shape();
  size_t bytes = shape.BytesAtCapacity(max_positions);
  Reservations& reserved = *core_->reserved;
  if (reserved.sequences + 1 > core_->limits.max_sequences) {
    return Error(Code::kResourceExhausted, "as many sequences as this node takes are open");
  }
  if (bytes > core_->limits.max_kv_bytes - std::min(reserved.kv_bytes.load(), core_->limits.max_kv_bytes)) {
    return Error(Code::kResourceExhausted, "no memory left for another sequence's KV cache");
  }
  model::SequenceState state = TT_TRY(model::SequenceState::Make(shape, max_positions));
  reserved.sequences += 1;
  reserved.kv_bytes += bytes;
  return std::make_shared<ComputeSequence>(std::move(state), bytes, core_->reserved);
}

net::Task<Result<std::vector<float>>> Compute::Run(std::shared_ptr<Job> job) {
  {
    std::lock_guard lock(core_->mutex);
    core_->waiting.push_back(job);
  }
  core_->ready.notify_one();
  co_await job->done.Wait();
  if (job->error) co_return *std::move(job->error);
  co_return std::move(job->x);
}

net::Task<Result<std::vector<float>>> Compute::Forward(ComputeHandle sequence, uint64_t position,
                                                       std::vector<float> x, OnLogits on_logits) {
  auto job = std::make_shared<Job>(core_->executor, std::move(sequence));
  job->position = position;
  job->rows = x.size() / core_->shard->config().hidden_dim;
  job->x = std::move(x);
  job->on_logits = std::move(on_logits);
  return Run(std::move(job));
}

net::Task<Result<std::vector<float>>> Compute::ForwardIds(ComputeHandle sequence, uint64_t position,
                                                          std::vector<uint32_t> ids,
                                                          OnLogits on_logits) {
  auto job = std::make_shared<Job>(core_->executor, std::move(sequence));
  job->position = position;
  job->rows = ids.size();
  job->ids = std::move(ids);
  job->on_logits = std::move(on_logits);
  return Run(std::move(job));
}

}  // namespace teetee::pipeline
