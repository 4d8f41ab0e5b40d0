// One shard at work for many sequences: a worker thread that computes in steps, admission by memory, results back on the caller's event loop.
// A step holds the short jobs (decoding, drafts) of one group of sequences and as many rows of longer ones (prompts) as leave the others' next
// token in time. What a step holds cannot change a bit (docs/formats/numerics.md). docs/design/0006-serving-loop.md.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "model/shard.h"
#include "net/async.h"
#include "ops/thread_pool.h"
#include "pipeline/prefix_cache.h"

namespace teetee::pipeline {

struct ComputeLimits {
  size_t max_sequences = 64;
  size_t max_kv_bytes = size_t{4} << 30;    // sequences and cached prefixes together
  size_t max_cache_bytes = size_t{1} << 30; // of them, cached prefixes; 0: none are kept
  size_t max_batch_rows = 512;              // of a step
  size_t short_rows = 16;                   // a job of up to so many rows waits for no prompt
  double step_seconds = 0.08;               // what prompt rows may take of a step while short jobs wait
};

// A sequence's share of this shard. Kept alive by jobs in flight, so it may be closed at any time.
struct ComputeSequence;
using ComputeHandle = std::shared_ptr<ComputeSequence>;

struct ComputeCounters {
  uint64_t batches = 0;
  uint64_t short_rows = 0, long_rows = 0;  // computed
  double busy_seconds = 0;                 // of the worker
  size_t waiting = 0;                      // jobs, now
};

// Rows of one sequence.
struct ComputeJob {
  uint64_t position = 0;      // of the first row; below the sequence's length: what stood there is overwritten
  std::vector<float> x;       // (rows, dim), or
  std::vector<uint32_t> ids;  // first shard only
  uint32_t group = 0;         // short jobs of other groups do not share its step
  // Last shard: sees the logits of the last `logits` rows, in order, on a compute thread. May be empty.
  size_t logits = 0;
  std::function<Status(size_t row, std::span<const float> logits)> on_logits;
};

// Threads: methods run on the io_context's thread; the work on the object's own.
class Compute {
 public:
  Compute(net::Executor executor, std::unique_ptr<model::Shard> shard, size_t threads,
          ComputeLimits limits = {});
  ~Compute();  // finishes the step in progress; jobs that wait end with kCancelled

  const model::Shard& shard() const;

  // Reserves KV memory for a sequence; cached prefixes that nobody uses make room. kResourceExhausted when the sequences or bytes in use would
  // pass their limit.
  Result<ComputeHandle> Open(size_t max_positions);
  // Positions of a prompt whose pages of these keys are cached: holds them for the sequence until Reuse. Call before its first job.
  size_t FindPrefix(const ComputeHandle& sequence, std::span<const PrefixKey> keys);
  // Starts the sequence with `positions` of what FindPrefix found (a multiple of the page) and lets the rest go.
  // kFailedPrecondition: more than was found, no whole pages, or jobs came before.
  Status Reuse(const ComputeHandle& sequence, uint64_t positions);
  // Caches the first keys.size() pages of a sequence with no job in flight. Pages that are not full or not there are left out.
  void KeepPrefix(const ComputeHandle& sequence, std::span<const PrefixKey> keys);

  // Runs a job and returns the shard's output rows.
  net::Task<Result<std::vector<float>>> Forward(ComputeHandle sequence, ComputeJob job);
  // Jobs of this sequence that wait, and what is left of a prompt at work, end with kCancelled.
  void Cancel(const ComputeHandle& sequence);

  size_t sequences() const;
  size_t kv_bytes() const;  // reserved by sequences
  ComputeCounters counters() const;
  const PrefixCache& prefixes() const;

 private:
  struct Job;
  struct Core;
  static net::Task<Result<std::vector<float>>> Run(std::shared_ptr<Core> core, std::shared_ptr<Job> job);
  std::shared_ptr<Core> core_;
};

}  // namespace teetee::pipeline
