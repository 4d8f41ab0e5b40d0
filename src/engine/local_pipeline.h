// All shards of a model in one process, as `teetee run` uses them and as tests compare cuts: what
// the attested pipeline does between nodes, done by calls. Knows token ids and logits, no text.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "base/result.h"
#include "model/shard.h"
#include "ops/thread_pool.h"

namespace teetee::engine {

using model::TokenId;

// Ranges of consecutive blocks that start at the given blocks: CutAt(5, {2}) = {0,1}, {2,3,4}.
// kInvalidArgument unless the cuts rise strictly and lie inside (0, n_layers).
Result<std::vector<model::BlockRange>> CutAt(size_t n_layers, std::span<const size_t> cuts);
// `slots` ranges whose sizes differ by at most one, larger ones first. kInvalidArgument unless 1 <=
// slots <= n_layers.
Result<std::vector<model::BlockRange>> CutEvenly(size_t n_layers, size_t slots);
// `slots` ranges whose heaviest is as light as can be, by the bytes of weights that a token passes:
// blocks, and the output head on the last. kInvalidArgument as above; a file without those weights.
Result<std::vector<model::BlockRange>> CutByBytes(const model::GgufFile& file,
                                                  const model::ModelConfig& config, size_t slots);

// What one sequence keeps, over all shards. Same rules as model::SequenceState.
class LocalSequence {
 public:
  size_t length() const { return states_.front().length(); }
  size_t capacity() const { return states_.front().capacity(); }
  Status Truncate(size_t length);

 private:
  friend class LocalPipeline;
  explicit LocalSequence(std::vector<model::SequenceState> states) : states_(std::move(states)) {}
  std::vector<model::SequenceState> states_;  // one per shard, never empty
};

// The ids of one sequence in a batch: they take the positions after those it has.
struct PipelineItem {
  LocalSequence* sequence = nullptr;
  std::span<const TokenId> ids;
  size_t n_logits = 0;         // of the last so many ids, at most ids.size()
  float* logits = nullptr;     // (n_logits, vocab_size), written
  std::optional<Error> error;  // this sequence failed
};

// Thread-compatible: one call at a time.
class LocalPipeline {
 public:
  // REQUIRES: the shards are consecutive and cover the model.
  LocalPipeline(std::vector<std::unique_ptr<model::Shard>> shards, size_t threads);
  static Result<std::unique_ptr<LocalPipeline>> Load(const model::GgufFile& file,
                                                     const model::ModelConfig& config,
                                                     std::span<const model::BlockRange> ranges,
                                                     ops::Isa isa, size_t threads);

  const model::ModelConfig& config() const { return shards_.front()->config(); }
  size_t slots() const { return shards_.size(); }
  size_t weight_bytes() const;

  Result<LocalSequence> MakeSequence(size_t capacity) const;

  // Runs all items as one batch through every shard. Errors as in Shard::ForwardBatch; an item that
  // failed has its own.
  Status Forward(std::span<PipelineItem> items);

  // Feeds ids in chunks of at most `chunk` >= 1 rows. logits: (vocab_size) of the last id, or
  // nullptr.
  Status Prefill(LocalSequence& sequence, std::span<const TokenId> ids, size_t chunk,
                 float* logits);

 private:
  Status RunShards(std::span<PipelineItem> items);
  Status RunHead(std::span<PipelineItem> items);

  std::vector<std::unique_ptr<model::Shard>> shards_;
  ops::ThreadPool pool_;
  std::vector<float> x_;        // (rows of the batch, dim)
  std::vector<float*> item_x_;  // first row of each item
};

}  // namespace teetee::engine
