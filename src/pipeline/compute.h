// One shard at work for many sequences: a worker thread that batches whatever rows wait, admission by memory, results back on the
// caller's event loop. What a batch holds cannot change a bit (docs/formats/numerics.md).
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <vector>

#include "model/shard.h"
#include "net/async.h"
#include "ops/thread_pool.h"

namespace teetee::pipeline {

struct ComputeLimits {
  size_t max_sequences = 64;
  size_t max_kv_bytes = size_t{4} << 30;
  size_t max_batch_rows = 512;
};

// A sequence's share of this shard. Kept alive by jobs in flight, so it may be closed at any time.
struct ComputeSequence;
using ComputeHandle = std::shared_ptr<ComputeSequence>;

// Threads: methods run on the io_context's thread; the work on the object's own.
class Compute {
 public:
  Compute(net::Executor executor, std::unique_ptr<model::Shard> shard, size_t threads,
          ComputeLimits limits = {});
  ~Compute();  // finishes the batch in progress; jobs that wait end with kCancelled

  const model::Shard& shard() const;

  // Reserves KV memory for a sequence. kResourceExhausted when the sequences or bytes in use would pass their limit.
  Result<ComputeHandle> Open(size_t max_positions);

  // What to do with the rows once they passed the blocks, on the worker: REQUIRES x of one row.
  using OnLogits = std::function<Status(std::vector<float>& logits)>;

  // Runs `x` (rows, dim) at `position` and returns the shard's output rows. With on_logits (last shard only) the last row's logits are
  // computed and handed to it on the worker thread before this returns.
  net::Task<Result<std::vector<float>>> Forward(ComputeHandle sequence, uint64_t position,
                                                std::vector<float> x, OnLogits on_logits = nullptr);
  // The same from token ids (first shard only).
  net::Task<Result<std::vector<float>>> ForwardIds(ComputeHandle sequence, uint64_t position,
                                                   std::vector<uint32_t> ids,
                                                   OnLogits on_logits = nullptr);

  size_t sequences() const;
  size_t kv_bytes() const;      // reserved
  uint64_t rows_done() const;   // since the start
  double busy_seconds() const;  // of the worker

 private:
  struct Job;
  struct Core;
  net::Task<Result<std::vector<float>>> Run(std::shared_ptr<Job> job);
  std::shared_ptr<Core> core_;
};

}  // namespace teetee::pipeline
