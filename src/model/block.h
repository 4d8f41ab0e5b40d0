// One decoder block: the unit that a shard is made of. A block owns its weights; the KV cache that
// it reads and extends belongs to the sequence (kv_cache.h). Families (family.h) make blocks;
// nothing above knows which kind it runs.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "ops/attention.h"
#include "ops/isa.h"
#include "ops/packed_matrix.h"
#include "ops/rope.h"
#include "ops/thread_pool.h"

namespace teetee::model {

// The rows of one sequence inside a batch.
struct BlockItem {
  ops::KvCacheLayer* kv = nullptr;  // of this block and sequence
  size_t row0 = 0;                  // its first row in the batch
  size_t n = 0;                     // its rows
  size_t pos0 = 0;                  // position of its first row; equals kv->size()
  std::optional<Error> error;       // set when the item failed; its rows are zeros from then on
};

// Buffers that live for one batch and are kept for the next; every block of a shard works in the
// same ones.
struct Scratch {
  std::vector<float> y;     // (rows, dim): normed input, then output of a product
  std::vector<float> q;     // (rows, n_heads, head_dim)
  std::vector<float> attended;  // (rows, n_heads, head_dim): what attention gives for q
  std::vector<float> k;     // (rows, n_kv_heads, head_dim)
  std::vector<float> v;     // (rows, n_kv_heads, head_dim)
  std::vector<size_t> position;  // (rows) in its sequence
  std::vector<float> gate;  // (rows, ffn_dim)
  std::vector<float> up;    // (rows, ffn_dim)
  ops::Activations act;
};

// The batch as a block sees it.
struct BlockBatch {
  std::span<BlockItem> items;
  size_t rows = 0;
  size_t dim = 0;
  float* x = nullptr;  // residual stream, (rows, dim), updated in place

  // Ends every item whose rows of `values` (rows, width) are not finite (below2pow100: or not below
  // 2^100 in size) by setting its error. Zeros the rows of every item with an error, there and in
  // x, so that the others compute on undisturbed: called before each operation that takes finite
  // input only (docs/formats/numerics.md section 0). `what` names the values.
  void CheckRows(std::string_view what, float* values, size_t width, bool below2pow100 = false);
};

class Block {
 public:
  virtual ~Block() = default;
  // x = block(x). Each item's result depends on its own rows and cache only. An item's fault is in
  // its error. REQUIRES: kv->size() == pos0, pos0 + n <= kv->capacity() for each item without an
  // error. One call at a time per scratch; blocks are immutable otherwise.
  virtual void Forward(BlockBatch& batch, const ops::RopeTable& rope, Scratch& scratch,
                       ops::ThreadPool& pool) const = 0;
  virtual size_t weight_bytes() const = 0;  // packed
};

}  // namespace teetee::model
