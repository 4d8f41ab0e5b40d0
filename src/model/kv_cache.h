// What one sequence keeps in one shard: a KV cache per block, and how far it has come.
// The bytes that a sequence may take are known before it is made (BytesAtCapacity), so that a node
// admits by memory.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "base/result.h"
#include "ops/attention.h"

namespace teetee::model {

// The shape of a shard's caches.
struct KvShape {
  size_t n_blocks = 0;
  size_t n_kv_heads = 0;
  size_t head_dim = 0;
  size_t context_limit = 0;  // positions that the model allows

  // Bytes of the caches of one sequence when `capacity` positions are stored.
  size_t BytesAtCapacity(size_t capacity) const;
  size_t PageBytes() const;  // of one page of every block
};

// The same kPagePositions positions in every block of a shard. Wiped when nobody holds it any more.
using KvColumn = std::vector<ops::KvPage>;  // (n_blocks)
inline constexpr size_t kPagePositions = ops::KvCacheLayer::kPagePositions;

// Thread-compatible; used by one ForwardBatch at a time. Memory grows by pages as positions arrive,
// up to capacity.
class SequenceState {
 public:
  // kInvalidArgument: capacity is 0 or above the context limit.
  static Result<SequenceState> Make(const KvShape& shape, size_t capacity);
  SequenceState(SequenceState&&) = default;
  SequenceState& operator=(SequenceState&&) = default;

  size_t capacity() const { return capacity_; }
  size_t length() const { return length_; }  // positions stored in every block
  // A batch failed in this sequence (a number that is not finite): its caches no longer agree and
  // it takes no more rows.
  bool failed() const { return failed_; }
  size_t bytes() const;  // held now

  // Forgets positions from `length` on. kInvalidArgument: beyond length(). kFailedPrecondition: the
  // sequence failed.
  Status Truncate(size_t length);

  // The pages of the first whole pages of positions, to be shared. Nobody writes to a shared page:
  // a sequence that was truncated into one goes on with a copy. REQUIRES: not failed.
  std::vector<KvColumn> Pages(size_t count) const;
  // Starts with shared pages of a sequence of this shape. kInvalidArgument: they pass the capacity.
  // REQUIRES: nothing is stored.
  Status Adopt(std::span<const KvColumn> pages);

 private:
  friend class Shard;
  SequenceState() = default;

  size_t capacity_ = 0;
  size_t length_ = 0;
  bool failed_ = false;
  std::vector<ops::KvCacheLayer> blocks_;  // (n_blocks)
};

}  // namespace teetee::model
