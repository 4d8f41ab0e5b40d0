// Cutting a model into shards: which blocks each slot gets, and one GGUF file per slot that holds
// only its own tensors, as they stand in the model's file. Layout: docs/formats/gguf-shards.md.
// Knows no hash: observers see every byte that is written.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "model/config.h"
#include "model/gguf.h"
#include "model/gguf_writer.h"

namespace teetee::model {

class SplitPlan {
 public:
  static constexpr uint32_t kMaxSlots = 256;

  // Numbers of blocks that differ by at most one, larger ones first: hosts are paid by blocks.
  // kInvalidArgument: no slot, more slots than blocks or than kMaxSlots.
  static Result<SplitPlan> Even(const ModelConfig& config, uint32_t slots);
  // cuts: the first block of slots 1, 2, ...: rising strictly, inside (0, n_layers).
  static Result<SplitPlan> At(const ModelConfig& config, const std::vector<uint32_t>& cuts);

  const std::vector<BlockRange>& slots() const { return slots_; }

 private:
  explicit SplitPlan(std::vector<BlockRange> slots) : slots_(std::move(slots)) {}
  std::vector<BlockRange> slots_;
};

// "12,20" -> {12, 20}. kInvalidArgument: anything else than decimal numbers and single commas.
Result<std::vector<uint32_t>> ParseCuts(std::string_view text);

// Both may be empty. An error stops the writing.
struct ShardObserver {
  // Every byte of every tensor once, in the order of the shard's file, as read from the model's
  // file and as written.
  std::function<Status(const TensorInfo& tensor, uint64_t begin, ByteView piece)> tensor;
  std::function<Status(ByteView piece)> file;  // every byte of the new file, in order
};

// The header of one slot's file (metadata and tensors, no bytes yet). kFailedPrecondition: `whole`
// is a shard already. REQUIRES slot < plan.slots().size().
Result<GgufWriter> ShardHeader(const GgufFile& whole, const ModelConfig& config,
                               const SplitPlan& plan, uint32_t slot);
// Writes it to `path` (whole or not at all), reading each tensor of the slot once.
Status WriteShard(const GgufFile& whole, const ModelConfig& config, const SplitPlan& plan,
                  uint32_t slot, const std::string& path, const ShardObserver& observer = {});

}  // namespace teetee::model
