#include "engine/local_pipeline.h"

#include <algorithm>
#include <string>
#include <utility>

#include "base/check.h"

namespace teetee::engine {
namespace {

model::BlockRange MakeRange(size_t begin, size_t end, size_t n_layers) {
  return {static_cast<uint32_t>(begin), static_cast<uint32_t>(end - begin), begin == 0,
          end == n_layers};
}

}  // namespace

Result<std::vector<model::BlockRange>> CutAt(size_t n_layers, std::span<const size_t> cuts) {
  std::vector<model::BlockRange> ranges;
  size_t begin = 0;
  for (size_t cut : cuts) {
    if (cut <= begin || cut >= n_layers) {
      return Error(Code::kInvalidArgument, "cut at block " + std::to_string(cut) +
                                               ": cuts must rise and lie in 1.." +
                                               std::to_string(n_layers - 1));
    }
    ranges.push_back(MakeRange(begin, cut, n_layers));
    begin = cut;
  }
  ranges.push_back(MakeRange(begin, n_layers, n_layers));
  return ranges;
}

Result<std::vector<model::BlockRange>> CutEvenly(size_t n_layers, size_t slots) {
  if (slots == 0 || slots > n_layers) {
    return Error(Code::kInvalidArgument, std::to_string(slots) + " slots for " +
                                             std::to_string(n_layers) +
                                             " blocks: each slot needs at least one");
  }
  std::vector<size_t> cuts;
  size_t end = 0;
  for (size_t slot = 0; slot + 1 < slots; ++slot) {
    end += n_layers / slots + (slot < n_layers % slots ? 1 : 0);
    cuts.push_back(end);
  }
  return CutAt(n_layers, cuts);
}

namespace {

// Bytes of the weights that a token passes in each block; the output head counts with the last.
Result<std::vector<uint64_t>> BytesOfBlocks(const model::GgufFile& file,
                                            const model::ModelConfig& config) {
  std::vector<uint64_t> out(config.n_layers, 0);
  for (uint32_t i = 0; i < config.n_layers; ++i) {
    const std::string prefix = "blk." + std::to_string(i) + ".";
    for (const model::TensorInfo& tensor : file.tensors()) {
      if (tensor.name.starts_with(prefix)) out[i] += tensor.bytes;
    }
    if (out[i] == 0) return Error(Code::kInvalidArgument, "the file holds no block " + std::to_string(i));
  }
  const std::string_view head = config.tied_head ? "token_embd.weight" : "output.weight";
  for (const model::TensorInfo& tensor : file.tensors()) {
    if (tensor.name == head) out.back() += tensor.bytes;
  }
  return out;
}

// The first block of slots 1, 2, ... when no slot may pass `most` bytes; as many as it takes.
std::vector<size_t> CutsWithin(const std::vector<uint64_t>& bytes, uint64_t most) {
  std::vector<size_t> cuts;
  uint64_t sum = 0;
  for (size_t i = 0; i < bytes.size(); ++i) {
    if (sum > 0 && sum + bytes[i] > most) {
      cuts.push_back(i);
      sum = 0;
    }
    sum += bytes[i];
  }
  return cuts;
}

}  // namespace

Result<std::vector<model::BlockRange>> CutByBytes(const model::GgufFile& file,
                                                  const model::ModelConfig& config, size_t slots) {
  auto even = TT_TRY(CutEvenly(config.n_layers, slots));
  const std::vector<uint64_t> bytes = TT_TRY(BytesOfBlocks(file, config));
  uint64_t low = *std::max_element(bytes.begin(), bytes.end()), high = 0;
  for (uint64_t b : bytes) high += b;
  while (low < high) {
    const uint64_t middle = low + (high - low) / 2;
    if (CutsWithin(bytes, middle).size() < slots) {
      high = middle;
    } else {
      low = middle + 1;
    }
  }
  const std::vector<size_t> cuts = CutsWithin(bytes, low);
  if (cuts.size() + 1 < slots) return even;  // fewer would do: one block weighs as much as all others
  return CutAt(config.n_layers, cuts);
}

LocalPipeline::LocalPipeline(std::vector<std::unique_ptr<model::Shard>> shards, size_t threads)
    : shards_(std::move(shards)), pool_(threads) {
  TT_CHECK(!shards_.empty() && shards_.front()->is_first() && shards_.back()->is_last());
  for (size_t i = 1; i < shards_.size(); ++i) {
    const model::BlockRange before = shards_[i - 1]->range();
    TT_CHECK(shards_[i]->range().first == before.first + before.count);
  }
}

Result<std::unique_ptr<LocalPipeline>> LocalPipeline::Load(
    const model::GgufFile& file, const model::ModelConfig& config,
    std::span<const model::BlockRange> ranges, ops::Isa isa, size_t threads) {
  std::vector<std::unique_ptr<model::Shard>> shards;
  for (const model::BlockRange& range : ranges) {
    shards.push_back(TT_TRY(model::Shard::Load(file, config, range, isa)));
  }
  return std::make_unique<LocalPipeline>(std::move(shards), threads);
}

size_t LocalPipeline::weight_bytes() const {
  size_t sum = 0;
  for (const auto& shard : shards_) sum += shard->weight_bytes();
  return sum;
}

Result<LocalSequence> LocalPipeline::MakeSequence(size_t capacity) const {
  std::vector<model::SequenceState> states;
  for (const auto& shard : shards_) {
    states.push_back(TT_TRY(model::SequenceState::Make(shard->kv_shape(), capacity)));
  }
  return LocalSequence(std::move(states));
}

Status LocalSequence::Truncate(size_t length) {
  for (model::SequenceState& state : states_) TT_RETURN_IF_ERROR(state.Truncate(length));
  return Ok{};
}

Status LocalPipeline::Forward(std::span<PipelineItem> items) {
  const size_t dim = config().hidden_dim;
  size_t rows = 0;
  for (const PipelineItem& item : items) rows += item.ids.size();
  x_.resize(rows * dim);
  item_x_.clear();
  float* x = x_.data();
  for (PipelineItem& item : items) {
    item.error.reset();
    TT_CHECK(item.n_logits <= item.ids.size());
    TT_RETURN_IF_ERROR(shards_.front()->Embed(item.ids, x));
    item_x_.push_back(x);
    x += item.ids.size() * dim;
  }
  TT_RETURN_IF_ERROR(RunShards(items));
  return RunHead(items);
}

Status LocalPipeline::RunShards(std::span<PipelineItem> items) {
  std::vector<model::BatchItem> batch;
  std::vector<size_t> index;  // of each batch item in items
  for (size_t s = 0; s < shards_.size(); ++s) {
    batch.clear();
    index.clear();
    for (size_t i = 0; i < items.size(); ++i) {
      if (items[i].error) continue;
      model::SequenceState& state = items[i].sequence->states_[s];
      batch.push_back({&state, state.length(), items[i].ids.size(), item_x_[i], std::nullopt});
      index.push_back(i);
    }
    if (batch.empty() && s > 0) return Ok{};  // every item has failed
    TT_RETURN_IF_ERROR(shards_[s]->ForwardBatch(batch, pool_));
    for (size_t j = 0; j < batch.size(); ++j) items[index[j]].error = std::move(batch[j].error);
  }
  return Ok{};
}

Status LocalPipeline::RunHead(std::span<PipelineItem> items) {
  const size_t dim = config().hidden_dim;
  std::vector<model::LogitsItem> rows;
  std::vector<size_t> index;
  for (size_t i = 0; i < items.size(); ++i) {
    const PipelineItem& item = items[i];
    if (item.error) continue;
    for (size_t j = 0; j < item.n_logits; ++j) {
      const size_t row = item.ids.size() - item.n_logits + j;
      rows.push_back({item_x_[i] + row * dim, item.logits + j * config().vocab_size, std::nullopt});
      index.push_back(i);
    }
  }
  TT_RETURN_IF_ERROR(shards_.back()->Logits(rows, pool_));
  for (size_t j = 0; j < rows.size(); ++j) {
    if (rows[j].error && !items[index[j]].error) items[index[j]].error = std::move(rows[j].error);
  }
  return Ok{};
}

Status LocalPipeline::Prefill(LocalSequence& sequence, std::span<const TokenId> ids, size_t chunk,
                              float* logits) {
  TT_CHECK(chunk >= 1);
  for (size_t begin = 0; begin < ids.size(); begin += chunk) {
    const size_t n = std::min(chunk, ids.size() - begin);
    const bool is_last = begin + n == ids.size();
    PipelineItem item{&sequence, ids.subspan(begin, n),
                      is_last && logits != nullptr ? size_t{1} : size_t{0}, logits, std::nullopt};
    TT_RETURN_IF_ERROR(Forward({&item, 1}));
    if (item.error) return *std::move(item.error);
  }
  return Ok{};
}

}  // namespace teetee::engine
