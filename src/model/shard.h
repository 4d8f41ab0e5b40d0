// A shard: a contiguous range of blocks of a model with their weights. The first shard also has the
// embedding, the last the final norm and the output head. Token ids enter the first (Embed), rows
// of the residual stream pass from shard to shard (ForwardBatch, f32), logits leave the last
// (Logits). All numbers are those of docs/formats/numerics.md: they do not depend on the cut, the
// batch, the chunk, the threads or the instruction set.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "model/block.h"
#include "model/config.h"
#include "model/family.h"
#include "model/gguf.h"
#include "model/kv_cache.h"

namespace teetee::model {

// Receives every byte of the shard's tensors once, in pieces: `piece` begins at byte `begin` of the
// tensor's data; the pieces of one tensor come in rising order from one thread, those of different
// tensors from several at the same time. They are the very bytes that are then packed. The view dies
// with the call. An error stops the load.
using TensorSink =
    std::function<Status(const TensorInfo& tensor, uint64_t begin, ByteView piece)>;

// The rows of one sequence in a batch.
struct BatchItem {
  SequenceState* state = nullptr;  // made with this shard's kv_shape(); at most once in a batch
  size_t pos0 = 0;                 // position of the first row; equals state->length()
  size_t n = 0;                    // rows, at least 1
  float* x = nullptr;              // (n, dim) residual stream, replaced by the shard's output
  std::optional<Error> error;  // set by ForwardBatch: this sequence failed; x is then unspecified
};

// One row of Logits.
struct LogitsItem {
  const float* x = nullptr;  // (dim) residual stream after the last block
  float* logits = nullptr;   // (vocab_size)
  std::optional<Error> error;
};

// Thread-compatible: one call at a time. Not movable; sequences may outlive it.
class Shard {
 public:
  static constexpr size_t kMaxBatchRows = 4096;
  static constexpr size_t kMaxLogitsRows = 64;  // computed at once; more are done in groups

  // Reads the tensors of `range` out of `file`, each byte exactly once and on all cores, hands it to
  // `sink` (may be empty) and packs from it. The file may hold the whole
  // model or any shard of it that covers the range. The file must hold exactly the tensors of what
  // it says it is, with their shapes (CheckTensors in config.h; its codes). kInvalidArgument: a
  // range with no block, a head or embedding that is not at its end, or beyond the file; a weight
  // that is not finite. Errors of file and sink pass on.
  static Result<std::unique_ptr<Shard>> Load(const GgufFile& file, const ModelConfig& config,
                                             BlockRange range, ops::Isa isa, TensorSink sink = {});
  Shard(const Shard&) = delete;
  Shard& operator=(const Shard&) = delete;

  const ModelConfig& config() const { return config_; }
  BlockRange range() const { return range_; }
  bool is_first() const { return range_.with_embedding; }
  bool is_last() const { return range_.with_head; }
  ops::Isa isa() const { return isa_; }
  KvShape kv_shape() const;
  size_t weight_bytes() const;  // packed, held in memory

  // Embedding rows. out: (ids.size(), dim). kFailedPrecondition: not the first shard.
  // kInvalidArgument: an id outside the vocabulary.
  Status Embed(std::span<const uint32_t> ids, float* out) const;

  // Runs the rows of all items through the blocks; one product per matrix for the whole batch. Bits
  // are those of each item alone. Returns an error, and changes nothing, when the call itself is
  // wrong: no rows or more than kMaxBatchRows, a state of another shape, named twice or failed
  // (kFailedPrecondition), pos0 that is not its length, rows beyond its capacity
  // (kResourceExhausted). An item whose numbers leave the allowed range ends with its own error,
  // and its state is failed; the other items are not disturbed. Input rows count as foreign: they
  // are checked.
  Status ForwardBatch(std::span<BatchItem> items, ops::ThreadPool& pool);

  // Final norm and output head. kFailedPrecondition: not the last shard. A row whose numbers are
  // not finite has its own error.
  Status Logits(std::span<LogitsItem> items, ops::ThreadPool& pool);

 private:
  Shard(const ModelConfig& config, BlockRange range, ops::Isa isa);
  Status Build(WeightSet weights);
  Status CheckBatch(std::span<const BatchItem> items) const;
  void GatherRows(std::span<BatchItem> items);
  void RunBlocks(std::span<BatchItem> items, ops::ThreadPool& pool);
  void ScatterRows(std::span<BatchItem> items);
  void LogitsGroup(std::span<LogitsItem> items, ops::ThreadPool& pool);
  const ops::PackedMatrix& head() const { return head_ ? *head_ : *embedding_; }

  const ModelConfig config_;
  const BlockRange range_;
  const ops::Isa isa_;
  std::optional<ops::RopeTable> rope_;
  std::vector<std::unique_ptr<Block>> blocks_;
  std::optional<ops::PackedMatrix>
      embedding_;  // (vocab_size, dim); first shard, or last with a tied head
  std::optional<ops::PackedMatrix> head_;  // (vocab_size, dim); last shard, unless tied
  std::vector<float> output_norm_;         // (dim); last shard

  // Buffers of the call in progress.
  Scratch scratch_;
  std::vector<float> x_;       // (rows, dim)
  std::vector<float> logits_;  // (rows, vocab_size)
  std::vector<BlockItem> block_items_;
};

}  // namespace teetee::model
