// The key-value cache of one layer and attention over it. Source: docs/formats/numerics.md section 7.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "base/result.h"
#include "ops/aligned_buffer.h"
#include "ops/isa.h"
#include "ops/thread_pool.h"

namespace teetee::ops {

struct AttentionParams {
  float scale = 0;     // of the scores; 0: 1 / sqrt(float(head_dim))
  size_t window = 0;   // positions visible to a query, itself included; 0: all up to itself
  float softcap = 0;   // cap * tanh(score / cap); 0: none
  const float* sinks = nullptr;  // (n_heads) sink logits, or nullptr
};

// Keys and values of KvCacheLayer::kPagePositions positions in one layer. Sequences that begin alike may share a page (then nobody writes to
// it); it is wiped when the last of them lets go.
using KvPage = std::shared_ptr<AlignedBuffer>;
class KvCacheLayer;
namespace cpu {
struct Kernels;
}

// Queries of one sequence: n of them at positions pos0 .. pos0 + n - 1.
struct AttentionItem {
  const KvCacheLayer* kv = nullptr;
  const float* q = nullptr;  // after RoPE; (n, n_heads, head_dim) f32
  float* out = nullptr;      // the same shape; does not overlap q
  size_t pos0 = 0;
  size_t n = 0;
};

// Keys and values of one sequence in one layer, f16, for positions [0, size()). Memory grows by pages as positions arrive
// and never passes capacity (rounded up to a page). Thread-compatible: one writer, and no reader while it writes.
class KvCacheLayer {
 public:
  static constexpr size_t kPagePositions = 64;  // divides 256
  static constexpr size_t kMaxPositions = 1u << 20;
  static constexpr size_t kMaxHeads = 4096;
  static constexpr size_t kMaxHeadDim = 1024;

  // kInvalidArgument: a size is 0, or one of the limits above are passed.
  static Result<KvCacheLayer> Make(size_t capacity, size_t n_kv_heads, size_t head_dim);
  KvCacheLayer(KvCacheLayer&&) = default;
  KvCacheLayer& operator=(KvCacheLayer&&) = default;

  size_t size() const { return size_; }
  size_t capacity() const { return capacity_; }
  size_t n_kv_heads() const { return n_kv_heads_; }
  size_t head_dim() const { return head_dim_; }
  size_t bytes() const;  // held now
  // Bytes that a full cache of this shape holds.
  static size_t BytesAtCapacity(size_t capacity, size_t n_kv_heads, size_t head_dim);

  // Appends n positions. k (after RoPE), v: (n, n_kv_heads, head_dim) f32; stored as f16, clamped to +-65504.
  // kInvalidArgument: a value is not finite. kResourceExhausted: beyond capacity. On an error the cache is unchanged.
  Status Append(const float* k, const float* v, size_t n);
  // Forgets positions from size on. REQUIRES: size <= size(). Keeps the pages.
  void Truncate(size_t size);

  // The pages of the first count * kPagePositions positions, for other caches of this shape. REQUIRES: so many are stored.
  std::span<const KvPage> Pages(size_t count) const;
  // Starts this cache with pages of another one. REQUIRES: nothing is stored; the pages are of this shape and within capacity.
  void Adopt(std::vector<KvPage> pages);
  static size_t PageBytes(size_t n_kv_heads, size_t head_dim);

  // Attention of n queries at positions pos0 .. pos0 + n - 1, each over the positions that it may see.
  //   q (after RoPE), out: (n, n_heads, head_dim) f32, not overlapping; head h reads KV head h / (n_heads / n_kv_heads).
  // kInvalidArgument: some |q| >= 2^100 or not finite, a position not in the cache, n_heads no multiple of n_kv_heads, or a
  // parameter that is not finite or negative, or a scale above 1 (the bound that keeps scores finite).
  Status Attention(Isa isa, const float* q, size_t n_heads, size_t pos0, size_t n,
                   const AttentionParams& params, ThreadPool& pool, float* out) const;
  // The same for several sequences whose caches have the same shape, in one loop. An error: nothing was computed.
  static Status AttentionBatch(Isa isa, std::span<const AttentionItem> items, size_t n_heads,
                               const AttentionParams& params, ThreadPool& pool);

 private:
  friend class AttentionRun;
  KvCacheLayer() = default;
  uint16_t* Block(size_t head, size_t block);
  void Store(const float* k, const float* v, size_t position);
  void OwnPages(size_t begin, size_t end);
  Status CheckQueries(const cpu::Kernels& kernels, const AttentionItem& item, size_t n_heads) const;

  size_t capacity_ = 0;
  size_t n_kv_heads_ = 0;
  size_t head_dim_ = 0;
  size_t size_ = 0;
  // A page holds kPagePositions positions: (n_kv_heads, kPagePositions / 16) blocks of K (head_dim, 16), V (16, head_dim).
  std::vector<KvPage> pages_;
};

}  // namespace teetee::ops
