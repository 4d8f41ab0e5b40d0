#include "pipeline/compute.h"

#include <algorithm>
#include <atomic>
#include <boost/asio/post.hpp>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <set>
#include <thread>

#include "base/check.h"

namespace teetee::pipeline {

namespace {

constexpr size_t kLogitsRows = 32;     // held at once
constexpr size_t kLeastLongRows = 16;  // of a prompt, in each step that has any
constexpr double kWaitShare = 0.25;
constexpr double kRateGuess = 1600;    // rows per second, before a step was timed

}  // namespace

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
  model::SequenceState state;  // the worker's while jobs are in flight
  size_t bytes;
  std::shared_ptr<Reservations> reservations;
  std::vector<model::KvColumn> found;  // of FindPrefix
  size_t in_flight = 0;                // jobs; io thread
  bool started = false;                // a job came; io thread
  bool cancelled = false;              // under the mutex
  uint64_t long_rows = 0;              // of prompts so far: who had few goes first; under the mutex
};

struct Compute::Job {
  Job(const net::Executor& executor, ComputeHandle of, ComputeJob what)
      : sequence(std::move(of)), job(std::move(what)), done(executor) {}
  ComputeHandle sequence;
  ComputeJob job;
  size_t rows = 0;
  size_t computed = 0;     // rows of it; the worker's
  double waited = 0;       // a share of the rows that went to others meanwhile; the worker's
  std::optional<Error> error;
  net::Event done;  // set on the io thread
};

struct Compute::Core : std::enable_shared_from_this<Compute::Core> {
  using JobPtr = std::shared_ptr<Job>;
  // The next rows of a job.
  struct Slice {
    JobPtr job;
    size_t rows;
    bool last() const { return job->computed + rows == job->rows; }
  };

  Core(net::Executor on, std::unique_ptr<model::Shard> of, size_t threads, ComputeLimits most)
      : executor(std::move(on)),
        shard(std::move(of)),
        limits(most),
        threads_wanted(threads),
        prefixes(shard->kv_shape().PageBytes(), most.max_cache_bytes),
        rows_per_second(kRateGuess) {}

  void Submit(JobPtr job);
  void Loop();
  std::vector<Slice> TakeStep();
  void DropCancelled();
  void TakeShort(std::vector<Slice>& step);
  void TakeLong(std::vector<Slice>& step);
  size_t LongBudget(size_t short_taken) const;
  bool IsShort(const Job& job) const { return job.rows <= limits.short_rows; }
  void RunStep(std::vector<Slice>& step, ops::ThreadPool& pool);
  bool Prepare(Slice& slice);
  void RunLogits(std::vector<Slice>& step, ops::ThreadPool& pool);
  static void Draw(Job& job, size_t row, std::span<const float> logits) {
    Status drawn = job.job.on_logits(row, logits);
    if (!drawn) job.error = std::move(drawn).error();
  }
  void Account(const std::vector<Slice>& step, double seconds);
  void Finish(std::vector<Slice> step);
  void Signal(std::vector<JobPtr> jobs);

  net::Executor executor;
  std::unique_ptr<model::Shard> shard;
  ComputeLimits limits;
  size_t threads_wanted;
  std::shared_ptr<Reservations> reserved = std::make_shared<Reservations>();
  PrefixCache prefixes;  // io thread

  std::atomic<uint64_t> batches{0}, short_rows{0}, long_rows{0}, busy_us{0};
  double rows_per_second;  // of steps with prompt rows; the worker's

  std::vector<JobPtr> staged;  // submitted in this turn of the event loop; io thread
  std::mutex mutex;
  std::condition_variable ready;
  std::deque<JobPtr> waiting;  // a job stays until its last rows are taken
  bool stop = false;
  std::thread worker;
};

// What is submitted in one turn of the event loop becomes visible at once: the rows of a group that arrived together are computed together.
void Compute::Core::Submit(JobPtr job) {
  staged.push_back(std::move(job));
  if (staged.size() > 1) return;
  net::asio::post(executor, [self = shared_from_this()] {
    {
      std::lock_guard lock(self->mutex);
      for (JobPtr& one : self->staged) self->waiting.push_back(std::move(one));
    }
    self->staged.clear();
    self->ready.notify_one();
  });
}

void Compute::Core::Loop() {
  ops::ThreadPool pool(threads_wanted);
  for (;;) {
    auto step = TakeStep();
    if (step.empty()) return;
    auto started = std::chrono::steady_clock::now();
    RunStep(step, pool);
    RunLogits(step, pool);
    Account(step, std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count());
    Finish(std::move(step));
  }
}

// The rows of the next step; none when the object ends. The jobs of one sequence stay in order, one at a time.
std::vector<Compute::Core::Slice> Compute::Core::TakeStep() {
  std::unique_lock lock(mutex);
  std::vector<Slice> step;
  while (step.empty()) {
    ready.wait(lock, [&] { return stop || !waiting.empty(); });
    if (stop) return step;
    DropCancelled();
    TakeShort(step);
    TakeLong(step);
  }
  for (const Slice& slice : step) {
    if (slice.last()) waiting.erase(std::find(waiting.begin(), waiting.end(), slice.job));
  }
  return step;
}

void Compute::Core::DropCancelled() {
  std::vector<JobPtr> dropped;
  std::erase_if(waiting, [&](const JobPtr& job) {
    if (!job->sequence->cancelled) return false;
    job->error = Error(Code::kCancelled, "the sequence was cancelled");
    dropped.push_back(job);
    return true;
  });
  if (!dropped.empty()) Signal(std::move(dropped));
}

// All short jobs of the group whose turn it is: that of the job that waits longest.
void Compute::Core::TakeShort(std::vector<Slice>& step) {
  std::set<const ComputeSequence*> seen;
  std::optional<uint32_t> group;
  size_t rows = 0;
  for (const JobPtr& job : waiting) {
    if (!seen.insert(job->sequence.get()).second || !IsShort(*job)) continue;
    if (group && *group != job->job.group) continue;
    if (!step.empty() && rows + job->rows > limits.max_batch_rows) continue;
    group = job->job.group;
    rows += job->rows;
    step.push_back({job, job->rows});
  }
}

// Prompts: whoever had fewest rows so far goes first, so that a short one does not queue behind a long one; a part of what goes to others in
// the meantime counts for those who wait, so that a long one is not starved.
void Compute::Core::TakeLong(std::vector<Slice>& step) {
  std::set<const ComputeSequence*> seen;
  std::vector<JobPtr> jobs;
  for (const JobPtr& job : waiting) {
    if (seen.insert(job->sequence.get()).second && !IsShort(*job)) jobs.push_back(job);
  }
  auto rank = [](const JobPtr& job) { return static_cast<double>(job->sequence->long_rows) - job->waited; };
  std::stable_sort(jobs.begin(), jobs.end(), [&](const JobPtr& a, const JobPtr& b) { return rank(a) < rank(b); });
  size_t taken = 0;
  for (const Slice& slice : step) taken += slice.rows;
  size_t budget = LongBudget(taken);
  const double share = static_cast<double>(budget) * kWaitShare;
  for (const JobPtr& job : jobs) {
    const size_t rows = std::min(job->rows - job->computed, budget);
    if (rows == 0) {
      job->waited += share;
      continue;
    }
    budget -= rows;
    job->waited = 0;
    job->sequence->long_rows += rows;
    step.push_back({job, rows});
  }
}

size_t Compute::Core::LongBudget(size_t short_taken) const {
  const size_t room = limits.max_batch_rows - std::min(short_taken, limits.max_batch_rows);
  const bool others_wait = std::any_of(waiting.begin(), waiting.end(), [&](const JobPtr& job) { return IsShort(*job); });
  // Alone, a step is longer; but who comes meanwhile has to wait for its end.
  const double paced = rows_per_second * limits.step_seconds * (others_wait ? 1 : 4);
  return std::min(room, std::max(kLeastLongRows, static_cast<size_t>(std::min(paced, 1e6))));
}

// Makes the rows of a slice ready; false when the job ends here.
bool Compute::Core::Prepare(Slice& slice) {
  Job& job = *slice.job;
  if (job.computed > 0) return !job.error;
  if (!job.job.ids.empty()) {
    job.job.x.resize(job.rows * shard->config().hidden_dim);
    Status embedded = shard->Embed(job.job.ids, job.job.x.data());
    if (!embedded) job.error = std::move(embedded).error();
  }
  model::SequenceState& state = job.sequence->state;
  if (!job.error && job.job.position < state.length()) {
    Status truncated = state.Truncate(job.job.position);
    if (!truncated) job.error = std::move(truncated).error();
  }
  return !job.error;
}

void Compute::Core::RunStep(std::vector<Slice>& step, ops::ThreadPool& pool) {
  std::vector<model::BatchItem> items;
  std::vector<Job*> jobs;
  const size_t dim = shard->config().hidden_dim;
  for (Slice& slice : step) {
    if (!Prepare(slice)) continue;
    Job& job = *slice.job;
    float* x = job.job.x.data() + job.computed * dim;
    items.push_back({&job.sequence->state, job.job.position + job.computed, slice.rows, x, std::nullopt});
    jobs.push_back(&job);
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
  }
}

// Output head and draws, some rows at a time: logits are large. A job's rows are drawn in order, different jobs on different threads.
void Compute::Core::RunLogits(std::vector<Slice>& step, ops::ThreadPool& pool) {
  struct Row {
    Job* job;
    size_t row;  // of the job
  };
  std::vector<Row> rows;
  for (Slice& slice : step) {
    Job& job = *slice.job;
    if (job.error || !slice.last() || !job.job.on_logits) continue;
    for (size_t i = job.rows - std::min(job.job.logits, job.rows); i < job.rows; ++i) rows.push_back({&job, i});
  }
  const size_t dim = shard->config().hidden_dim, vocab = shard->config().vocab_size;
  std::vector<float> logits(std::min(rows.size(), kLogitsRows) * vocab);
  for (size_t begin = 0; begin < rows.size(); begin += kLogitsRows) {
    const size_t n = std::min(kLogitsRows, rows.size() - begin);
    std::vector<model::LogitsItem> items(n);
    std::vector<size_t> first;  // items that begin a job
    for (size_t i = 0; i < n; ++i) {
      const Row& row = rows[begin + i];
      items[i] = {row.job->job.x.data() + row.row * dim, logits.data() + i * vocab, std::nullopt};
      if (i == 0 || rows[begin + i - 1].job != row.job) first.push_back(i);
    }
    Status ran = shard->Logits(items, pool);
    pool.ParallelFor(first.size(), [&](size_t f) {
      for (size_t i = first[f]; i < (f + 1 < first.size() ? first[f + 1] : n); ++i) {
        Job& job = *rows[begin + i].job;
        if (job.error) return;
        if (!ran) items[i].error = ran.error();
        if (!items[i].error) Draw(job, rows[begin + i].row, std::span(items[i].logits, vocab));
        if (items[i].error) job.error = std::move(items[i].error);
      }
    });
  }
}

void Compute::Core::Account(const std::vector<Slice>& step, double seconds) {
  size_t of_short = 0, of_long = 0;
  for (const Slice& slice : step) (IsShort(*slice.job) ? of_short : of_long) += slice.rows;
  batches += 1;
  short_rows += of_short;
  long_rows += of_long;
  busy_us += static_cast<uint64_t>(seconds * 1e6);
  if (of_long < kLeastLongRows || seconds <= 0) return;
  const double rate = static_cast<double>(of_short + of_long) / seconds;
  rows_per_second += 0.25 * (rate - rows_per_second);
}

void Compute::Core::Finish(std::vector<Slice> step) {
  std::vector<JobPtr> done;
  std::lock_guard lock(mutex);
  for (Slice& slice : step) {
    const bool last = slice.last();
    slice.job->computed += slice.rows;
    if (slice.job->error && !last) std::erase(waiting, slice.job);
    if (slice.job->error || last) done.push_back(std::move(slice.job));
  }
  if (!done.empty()) Signal(std::move(done));
}

void Compute::Core::Signal(std::vector<JobPtr> jobs) {
  net::asio::post(executor, [jobs = std::move(jobs)] {
    for (auto& job : jobs) job->done.Set();
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
    for (auto& job : core_->staged) core_->waiting.push_back(std::move(job));
    core_->staged.clear();
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
const PrefixCache& Compute::prefixes() const { return core_->prefixes; }

ComputeCounters Compute::counters() const {
  ComputeCounters out{core_->batches, core_->short_rows, core_->long_rows, static_cast<double>(core_->busy_us) / 1e6, 0};
  std::lock_guard lock(core_->mutex);
  out.waiting = core_->waiting.size();
  return out;
}

Result<ComputeHandle> Compute::Open(size_t max_positions) {
  const model::KvShape shape = core_->shard->kv_shape();
  const size_t bytes = shape.BytesAtCapacity(max_positions);
  Reservations& reserved = *core_->reserved;
  const ComputeLimits& limits = core_->limits;
  if (reserved.sequences + 1 > limits.max_sequences) {
    return Error(Code::kResourceExhausted, "this node is busy: " + std::to_string(limits.max_sequences) +
                                               " sequences are open; ask again in a while");
  }
  const size_t free = limits.max_kv_bytes - std::min(reserved.kv_bytes.load(), limits.max_kv_bytes);
  if (bytes > free) {
    return Error(Code::kResourceExhausted,
                 "this node is busy: " + std::to_string(max_positions) + " positions need " +
                     std::to_string((bytes >> 10) + 1) + " KiB of KV memory, " + std::to_string(free >> 10) +
                     " KiB are free; ask again in a while, or for fewer tokens");
  }
  model::SequenceState state = TT_TRY(model::SequenceState::Make(shape, max_positions));
  core_->prefixes.ShrinkTo(free - bytes);
  reserved.sequences += 1;
  reserved.kv_bytes += bytes;
  return std::make_shared<ComputeSequence>(std::move(state), bytes, core_->reserved);
}

size_t Compute::FindPrefix(const ComputeHandle& sequence, std::span<const PrefixKey> keys) {
  TT_CHECK(!sequence->started);
  const size_t most = sequence->state.capacity() / model::kPagePositions;
  sequence->found = core_->prefixes.Find(keys.first(std::min(keys.size(), most)));
  return sequence->found.size() * model::kPagePositions;
}

Status Compute::Reuse(const ComputeHandle& sequence, uint64_t positions) {
  const size_t pages = positions / model::kPagePositions;
  if (positions % model::kPagePositions != 0 || pages > sequence->found.size() || sequence->started) {
    return Error(Code::kFailedPrecondition, "no cached prefix of that length was found for this sequence");
  }
  Status adopted = sequence->state.Adopt(std::span(sequence->found).first(pages));
  sequence->found.clear();
  return adopted;
}

void Compute::KeepPrefix(const ComputeHandle& sequence, std::span<const PrefixKey> keys) {
  if (sequence->in_flight > 0 || sequence->state.failed() || core_->limits.max_cache_bytes == 0) return;
  const size_t pages = std::min(keys.size(), sequence->state.length() / model::kPagePositions);
  const size_t used = std::min(core_->reserved->kv_bytes.load(), core_->limits.max_kv_bytes);
  core_->prefixes.Keep(keys.first(pages), sequence->state.Pages(pages), core_->limits.max_kv_bytes - used);
}

net::Task<Result<std::vector<float>>> Compute::Run(std::shared_ptr<Core> core, std::shared_ptr<Job> job) {
  struct InFlight {  // also when the task is cancelled: then the worker still has the job
    std::shared_ptr<Job> job;
    bool done = false;
    ~InFlight() {
      if (done) job->sequence->in_flight -= 1;
    }
  } in_flight{job};
  job->sequence->in_flight += 1;
  core->Submit(job);
  co_await job->done.Wait();
  in_flight.done = true;
  if (job->error) co_return *std::move(job->error);
  co_return std::move(job->job.x);
}

net::Task<Result<std::vector<float>>> Compute::Forward(ComputeHandle sequence, ComputeJob work) {
  sequence->started = true;
  sequence->found.clear();
  const size_t rows = work.ids.empty() ? work.x.size() / core_->shard->config().hidden_dim : work.ids.size();
  auto job = std::make_shared<Job>(core_->executor, std::move(sequence), std::move(work));
  job->rows = rows;
  return Run(core_, std::move(job));
}

void Compute::Cancel(const ComputeHandle& sequence) {
  std::lock_guard lock(core_->mutex);
  sequence->cancelled = true;
  core_->ready.notify_one();
}

}  // namespace teetee::pipeline
