#include "model/kv_cache.h"

#include <utility>

#include "base/check.h"

namespace teetee::model {

size_t KvShape::BytesAtCapacity(size_t capacity) const {
  return n_blocks * ops::KvCacheLayer::BytesAtCapacity(capacity, n_kv_heads, head_dim);
}

size_t KvShape::PageBytes() const {
  return n_blocks * ops::KvCacheLayer::PageBytes(n_kv_heads, head_dim);
}

Result<SequenceState> SequenceState::Make(const KvShape& shape, size_t capacity) {
  if (capacity == 0 || capacity > shape.context_limit) {
    return Error(Code::kInvalidArgument, "a sequence of " + std::to_string(capacity) +
                                             " positions, the context holds 1 to " +
                                             std::to_string(shape.context_limit));
  }
  SequenceState state;
  state.capacity_ = capacity;
  state.blocks_.reserve(shape.n_blocks);
  for (size_t i = 0; i < shape.n_blocks; ++i) {
    state.blocks_.push_back(
        TT_TRY(ops::KvCacheLayer::Make(capacity, shape.n_kv_heads, shape.head_dim)));
  }
  return state;
}

size_t SequenceState::bytes() const {
  size_t sum = 0;
  for (const ops::KvCacheLayer& block : blocks_) sum += block.bytes();
  return sum;
}

Status SequenceState::Truncate(size_t length) {
  if (failed_) return Error(Code::kFailedPrecondition, "the sequence has failed");
  if (length > length_) {
    return Error(Code::kInvalidArgument, "truncation to " + std::to_string(length) + " of " +
                                             std::to_string(length_) + " positions");
  }
  for (ops::KvCacheLayer& block : blocks_) block.Truncate(length);
  length_ = length;
  return Ok{};
}

std::vector<KvColumn> SequenceState::Pages(size_t count) const {
  TT_CHECK(!failed_ && count * kPagePositions <= length_);
  std::vector<KvColumn> out(count);
  for (const ops::KvCacheLayer& block : blocks_) {
    const auto pages = block.Pages(count);
    for (size_t i = 0; i < count; ++i) out[i].push_back(pages[i]);
  }
  return out;
}

Status SequenceState::Adopt(std::span<const KvColumn> pages) {
  TT_CHECK(length_ == 0);
  if (pages.size() * kPagePositions > capacity_) {
    return Error(Code::kInvalidArgument, "more pages than the sequence has room for");
  }
  for (size_t b = 0; b < blocks_.size(); ++b) {
    std::vector<ops::KvPage> of_block;
    for (const KvColumn& column : pages) of_block.push_back(column.at(b));
    blocks_[b].Adopt(std::move(of_block));
  }
  length_ = pages.size() * kPagePositions;
  return Ok{};
}

}  // namespace teetee::model
