#include "model/kv_cache.h"

#include <utility>

namespace teetee::model {

size_t KvShape::BytesAtCapacity(size_t capacity) const {
  return n_blocks * ops::KvCacheLayer::BytesAtCapacity(capacity, n_kv_heads, head_dim);
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

}  // namespace teetee::model
