#include "model/shard.h"

#include <algorithm>
#include <cstring>
#include <string>
#include <utility>

#include "base/check.h"
#include "ops/activation.h"
#include "ops/fp_env.h"
#include "ops/norm.h"
#include "ops/sum.h"

namespace teetee::model {
namespace {

Error Misuse(Code code, size_t item, const std::string& what) {
  return Error(code, "batch item " + std::to_string(item) + ": " + what);
}

}  // namespace

Shard::Shard(const ModelConfig& config, BlockRange range, ops::Isa isa)
    : config_(config), range_(range), isa_(isa) {}

KvShape Shard::kv_shape() const {
  return {range_.count, config_.n_kv_heads, config_.head_dim, config_.context_length};
}

size_t Shard::weight_bytes() const {
  size_t sum = output_norm_.size() * sizeof(float);
  for (const auto& block : blocks_) sum += block->weight_bytes();
  if (embedding_) sum += embedding_->bytes();
  if (head_) sum += head_->bytes();
  return sum;
}

Status Shard::Embed(std::span<const uint32_t> ids, float* out) const {
  if (!is_first()) return Error(Code::kFailedPrecondition, "only the first shard embeds tokens");
  for (size_t i = 0; i < ids.size(); ++i) {
    if (ids[i] >= config_.vocab_size) {
      return Error(Code::kInvalidArgument, "id " + std::to_string(i) +
                                               " of the input is outside the vocabulary of " +
                                               std::to_string(config_.vocab_size));
    }
  }
  const ops::ScopedFpState fp;
  for (size_t i = 0; i < ids.size(); ++i) embedding_->Row(ids[i], out + i * config_.hidden_dim);
  return Ok{};
}

Status Shard::CheckBatch(std::span<const BatchItem> items) const {
  size_t rows = 0;
  for (size_t i = 0; i < items.size(); ++i) {
    const BatchItem& item = items[i];
    const SequenceState& state = *item.state;
    for (size_t j = 0; j < i; ++j) {
      if (items[j].state == item.state)
        return Misuse(Code::kInvalidArgument, i, "the sequence is there twice");
    }
    if (state.blocks_.size() != blocks_.size() ||
        state.blocks_[0].n_kv_heads() != config_.n_kv_heads ||
        state.blocks_[0].head_dim() != config_.head_dim ||
        state.capacity() > config_.context_length) {
      return Misuse(Code::kInvalidArgument, i, "the sequence was made for another shard");
    }
    if (state.failed()) return Misuse(Code::kFailedPrecondition, i, "the sequence has failed");
    if (item.pos0 != state.length()) {
      return Misuse(Code::kInvalidArgument, i,
                    "position " + std::to_string(item.pos0) + ", the sequence stands at " +
                        std::to_string(state.length()));
    }
    if (item.n == 0 || item.n > kMaxBatchRows)
      return Misuse(Code::kInvalidArgument, i, "bad number of rows");
    if (item.n > state.capacity() - state.length()) {
      return Misuse(Code::kResourceExhausted, i,
                    std::to_string(item.n) + " more rows at position " + std::to_string(item.pos0) +
                        ", the sequence holds " + std::to_string(state.capacity()));
    }
    rows += item.n;
  }
  if (rows == 0 || rows > kMaxBatchRows) {
    return Error(Code::kInvalidArgument, "a batch of " + std::to_string(rows) +
                                             " rows, allowed are 1 to " +
                                             std::to_string(kMaxBatchRows));
  }
  return Ok{};
}

Status Shard::ForwardBatch(std::span<BatchItem> items, ops::ThreadPool& pool) {
  TT_RETURN_IF_ERROR(CheckBatch(items));
  const ops::ScopedFpState fp;
  GatherRows(items);
  RunBlocks(items, pool);
  ScatterRows(items);
  return Ok{};
}

void Shard::GatherRows(std::span<BatchItem> items) {
  block_items_.clear();
  size_t rows = 0;
  for (const BatchItem& item : items) {
    block_items_.push_back({nullptr, rows, item.n, item.pos0, std::nullopt});
    rows += item.n;
  }
  x_.resize(rows * config_.hidden_dim);
  for (size_t i = 0; i < items.size(); ++i) {
    std::memcpy(x_.data() + block_items_[i].row0 * config_.hidden_dim, items[i].x,
                items[i].n * config_.hidden_dim * sizeof(float));
  }
}

void Shard::RunBlocks(std::span<BatchItem> items, ops::ThreadPool& pool) {
  BlockBatch batch{block_items_, x_.size() / config_.hidden_dim, config_.hidden_dim, x_.data()};
  for (size_t b = 0; b < blocks_.size(); ++b) {
    for (size_t i = 0; i < items.size(); ++i) block_items_[i].kv = &items[i].state->blocks_[b];
    blocks_[b]->Forward(batch, *rope_, scratch_, pool);
  }
  batch.CheckRows("residual stream", x_.data(), config_.hidden_dim);
}

void Shard::ScatterRows(std::span<BatchItem> items) {
  for (size_t i = 0; i < items.size(); ++i) {
    BatchItem& item = items[i];
    if (block_items_[i].error) {
      item.error = std::move(block_items_[i].error);
      item.state->failed_ = true;
      continue;
    }
    item.state->length_ += item.n;
    std::memcpy(item.x, x_.data() + block_items_[i].row0 * config_.hidden_dim,
                item.n * config_.hidden_dim * sizeof(float));
  }
}

Status Shard::Logits(std::span<LogitsItem> items, ops::ThreadPool& pool) {
  if (!is_last()) return Error(Code::kFailedPrecondition, "only the last shard has an output head");
  const ops::ScopedFpState fp;
  for (size_t i = 0; i < items.size(); i += kMaxLogitsRows) {
    LogitsGroup(items.subspan(i, std::min(kMaxLogitsRows, items.size() - i)), pool);
  }
  return Ok{};
}

void Shard::LogitsGroup(std::span<LogitsItem> items, ops::ThreadPool& pool) {
  const size_t n = items.size();
  block_items_.clear();
  x_.resize(n * config_.hidden_dim);
  for (size_t i = 0; i < n; ++i) {
    block_items_.push_back({nullptr, i, 1, 0, std::nullopt});
    std::memcpy(x_.data() + i * config_.hidden_dim, items[i].x, config_.hidden_dim * sizeof(float));
  }
  BlockBatch batch{block_items_, n, config_.hidden_dim, x_.data()};
  batch.CheckRows("residual stream", x_.data(), config_.hidden_dim);
  scratch_.y.resize(n * config_.hidden_dim);
  Status done = ops::RmsNorm(isa_, x_.data(), output_norm_.data(), n, config_.hidden_dim,
                             config_.norm_eps, scratch_.y.data());
  TT_CHECK(done.has_value());
  batch.CheckRows("output norm", scratch_.y.data(), config_.hidden_dim);
  done = scratch_.act.Set(isa_, scratch_.y.data(), n, config_.hidden_dim,
                          ops::IsQuantised(head().dtype()));
  TT_CHECK(done.has_value());
  logits_.resize(n * config_.vocab_size);
  ops::MatMul(head(), scratch_.act, n, logits_.data(), pool);
  batch.CheckRows("logits", logits_.data(), config_.vocab_size);
  for (size_t i = 0; i < n; ++i) {
    items[i].error = std::move(block_items_[i].error);
    std::memcpy(items[i].logits, logits_.data() + i * config_.vocab_size,
                config_.vocab_size * sizeof(float));
  }
}

}  // namespace teetee::model
