#include "ops/attention.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <functional>
#include <optional>

#include "base/check.h"
#include "base/secret.h"
#include "ops/cpu/kernels.h"
#include "ops/f16.h"

namespace teetee::ops {
namespace {

constexpr uint32_t kInfinityBits = 0x7f800000u;
constexpr size_t kBlocksPerPage = KvCacheLayer::kPagePositions / cpu::kKvBlock;
// With fewer tasks than this per thread, segments of one query run apart.
constexpr size_t kTasksPerThread = 2;

size_t PageElements(size_t n_kv_heads, size_t head_dim) {
  return n_kv_heads * KvCacheLayer::kPagePositions * 2 * head_dim;
}

size_t PagesFor(size_t positions) {
  return (positions + KvCacheLayer::kPagePositions - 1) / KvCacheLayer::kPagePositions;
}

KvPage MakePage(size_t bytes) {
  auto wipe = [](AlignedBuffer* page) {
    SecureZero(page->data(), page->size());
    delete page;
  };
  return KvPage(new AlignedBuffer(bytes), wipe);
}

Status CheckParams(const AttentionParams& p, size_t n_heads) {
  if (!(p.scale >= 0 && p.scale <= 1) || !(p.softcap >= 0) || !std::isfinite(p.softcap)) {
    return Error(Code::kInvalidArgument, "attention: scale or softcap is out of range");
  }
  for (size_t h = 0; p.sinks != nullptr && h < n_heads; ++h) {
    if (!std::isfinite(p.sinks[h])) {
      return Error(Code::kInvalidArgument, "attention: a sink is not finite");
    }
  }
  return Ok{};
}

}  // namespace

Result<KvCacheLayer> KvCacheLayer::Make(size_t capacity, size_t n_kv_heads, size_t head_dim) {
  if (capacity == 0 || capacity > kMaxPositions || n_kv_heads == 0 || n_kv_heads > kMaxHeads ||
      head_dim == 0 || head_dim > kMaxHeadDim) {
    return Error(Code::kInvalidArgument, "KV cache: a size is zero or too large");
  }
  KvCacheLayer out;
  out.capacity_ = capacity;
  out.n_kv_heads_ = n_kv_heads;
  out.head_dim_ = head_dim;
  return out;
}

size_t KvCacheLayer::bytes() const {
  return pages_.size() * PageBytes(n_kv_heads_, head_dim_);
}

size_t KvCacheLayer::BytesAtCapacity(size_t capacity, size_t n_kv_heads, size_t head_dim) {
  return PagesFor(capacity) * PageBytes(n_kv_heads, head_dim);
}

size_t KvCacheLayer::PageBytes(size_t n_kv_heads, size_t head_dim) {
  return PageElements(n_kv_heads, head_dim) * sizeof(uint16_t);
}

uint16_t* KvCacheLayer::Block(size_t head, size_t block) {
  uint16_t* page = reinterpret_cast<uint16_t*>(pages_[block / kBlocksPerPage]->data());
  return page + (head * kBlocksPerPage + block % kBlocksPerPage) * 32 * head_dim_;
}

void KvCacheLayer::Store(const float* k, const float* v, size_t position) {
  const cpu::Kernels& kernels = cpu::KernelsFor(BestIsa());
  const size_t slot = position % cpu::kKvBlock;
  uint16_t halves[kMaxHeadDim];
  for (size_t h = 0; h < n_kv_heads_; ++h) {
    uint16_t* keys = Block(h, position / cpu::kKvBlock);
    kernels.to_f16(v + h * head_dim_, head_dim_, keys + (cpu::kKvBlock + slot) * head_dim_);
    kernels.to_f16(k + h * head_dim_, head_dim_, halves);
    for (size_t i = 0; i < head_dim_; ++i) keys[i * cpu::kKvBlock + slot] = halves[i];
  }
}

Status KvCacheLayer::Append(const float* k, const float* v, size_t n) {
  if (n > capacity_ - size_) return Error(Code::kResourceExhausted, "KV cache: full");
  const size_t row = n_kv_heads_ * head_dim_;
  const cpu::Kernels& kernels = cpu::KernelsFor(BestIsa());
  if (!kernels.all_below(k, n * row, kInfinityBits) ||
      !kernels.all_below(v, n * row, kInfinityBits)) {
    return Error(Code::kInvalidArgument, "KV cache: a key or value is not finite");
  }
  OwnPages(size_ / kPagePositions, PagesFor(size_ + n));
  for (size_t j = 0; j < n; ++j) Store(k + j * row, v + j * row, size_ + j);
  size_ += n;
  return Ok{};
}

// Makes pages [begin, end) this cache's own: new ones, and copies of those that others read.
void KvCacheLayer::OwnPages(size_t begin, size_t end) {
  const size_t bytes = PageBytes(n_kv_heads_, head_dim_);
  for (size_t i = begin; i < end && i < pages_.size(); ++i) {
    if (pages_[i].use_count() == 1) continue;
    KvPage copy = MakePage(bytes);
    std::memcpy(copy->data(), pages_[i]->data(), bytes);
    pages_[i] = std::move(copy);
  }
  while (pages_.size() < end) pages_.push_back(MakePage(bytes));
}

std::span<const KvPage> KvCacheLayer::Pages(size_t count) const {
  TT_CHECK(count * kPagePositions <= size_);
  return std::span(pages_).first(count);
}

void KvCacheLayer::Adopt(std::vector<KvPage> pages) {
  TT_CHECK(size_ == 0 && pages.size() * kPagePositions <= capacity_);
  for (const KvPage& page : pages) TT_CHECK(page->size() == PageBytes(n_kv_heads_, head_dim_));
  size_ = pages.size() * kPagePositions;
  pages_ = std::move(pages);
}

void KvCacheLayer::Truncate(size_t size) {
  TT_CHECK(size <= size_);
  size_ = size;
}

Status KvCacheLayer::CheckQueries(const cpu::Kernels& kernels, const AttentionItem& item, size_t n_heads) const {
  if (n_heads == 0 || n_heads % n_kv_heads_ != 0) {
    return Error(Code::kInvalidArgument, "attention: n_heads is no multiple of n_kv_heads");
  }
  if (item.pos0 > size_ || item.n > size_ - item.pos0) {
    return Error(Code::kInvalidArgument, "attention: a position is not in the cache");
  }
  const size_t count = item.n * n_heads * head_dim_;
  if (!kernels.all_below(item.q, count, std::bit_cast<uint32_t>(0x1p100f))) {
    return Error(Code::kInvalidArgument, "attention: a query is not finite or not below 2^100");
  }
  // A later segment reads q again after an earlier one has written to out.
  TT_CHECK(std::less_equal<>()(item.q + count, item.out) || std::less_equal<>()(item.out + count, item.q));
  return Ok{};
}

namespace {

// Some (query, head) rows of one KV head of one item, over all that they see or, for one query, over one segment.
struct AttentionTask {
  size_t item;
  size_t kv_head;
  size_t row0, count;
  std::optional<size_t> segment;  // counted from the first that the query sees
};

struct Visible {
  size_t first, last;
};

Visible VisibleTo(size_t position, size_t window) {
  return {window == 0 || window > position ? 0 : position - window + 1, position};
}

size_t SegmentsOf(Visible v) { return v.last / cpu::kSegment - v.first / cpu::kSegment + 1; }

std::vector<AttentionTask> MakeTasks(std::span<const AttentionItem> items, size_t n_heads, size_t window, size_t threads) {
  std::vector<AttentionTask> tasks;
  for (size_t i = 0; i < items.size(); ++i) {
    const size_t n_kv_heads = items[i].kv->n_kv_heads();
    const size_t rows = items[i].n * (n_heads / n_kv_heads);
    for (size_t h = 0; h < n_kv_heads; ++h) {
      for (size_t row = 0; row < rows; row += cpu::kAttentionRows) {
        tasks.push_back({i, h, row, std::min<size_t>(cpu::kAttentionRows, rows - row), std::nullopt});
      }
    }
  }
  if (tasks.size() >= threads * kTasksPerThread || threads == 1) return tasks;
  std::vector<AttentionTask> split;
  for (AttentionTask task : tasks) {
    const AttentionItem& item = items[task.item];
    const size_t segments = item.n == 1 ? SegmentsOf(VisibleTo(item.pos0, window)) : 1;
    if (segments == 1) split.push_back(task);
    for (size_t s = 0; segments > 1 && s < segments; ++s) {
      task.segment = s;
      split.push_back(task);
    }
  }
  return split;
}

}  // namespace

// One call of AttentionBatch.
class AttentionRun {
 public:
  AttentionRun(Isa isa, std::span<const AttentionItem> items, size_t n_heads, const AttentionParams& params,
               ThreadPool& pool)
      : kernels_(cpu::KernelsFor(isa)), items_(items), n_heads_(n_heads), params_(params), pool_(pool) {
    for (const AttentionItem& item : items) {
      pages_.emplace_back();
      for (const auto& page : item.kv->pages_) pages_.back().push_back(reinterpret_cast<const uint16_t*>(page->data()));
    }
  }

  void Run() {
    const std::vector<AttentionTask> tasks = MakeTasks(items_, n_heads_, params_.window, pool_.threads());
    size_t most_segments = 0;
    for (const AttentionTask& task : tasks) {
      if (task.segment) most_segments = std::max(most_segments, *task.segment + 1);
    }
    const KvCacheLayer& kv = *items_[0].kv;
    partial_stride_ = kv.head_dim_ + 2;
    partial_segments_ = most_segments;
    partial_.resize(items_.size() * n_heads_ * most_segments * partial_stride_);
    // The last rows of a prompt see most: they go first, so that threads end together.
    pool_.ParallelFor(tasks.size(), [&](size_t i) { RunTask(tasks[tasks.size() - 1 - i]); });
    if (most_segments > 0) MergeSegments();
  }

 private:
  float* Partial(size_t item, size_t head, size_t segment) {
    return partial_.data() + ((item * n_heads_ + head) * partial_segments_ + segment) * partial_stride_;
  }

  void RunTask(const AttentionTask& task) {
    const AttentionItem& item = items_[task.item];
    const KvCacheLayer& kv = *item.kv;
    const size_t group = n_heads_ / kv.n_kv_heads_;
    cpu::AttentionArgs args{};
    args.n = task.count;
    args.head_dim = kv.head_dim_;
    for (size_t r = 0; r < task.count; ++r) {
      const size_t query = (task.row0 + r) / group;
      const size_t head = task.kv_head * group + (task.row0 + r) % group;
      const Visible seen = VisibleTo(item.pos0 + query, params_.window);
      args.q[r] = item.q + (query * n_heads_ + head) * kv.head_dim_;
      args.out[r] = item.out + (query * n_heads_ + head) * kv.head_dim_;
      args.first[r] = seen.first;
      args.last[r] = seen.last;
      args.sink[r] = params_.sinks != nullptr ? params_.sinks + head : nullptr;
    }
    if (task.segment) {
      const size_t begin = (args.first[0] / cpu::kSegment + *task.segment) * cpu::kSegment;
      for (size_t r = 0; r < task.count; ++r) {
        args.first[r] = std::max(args.first[r], begin);
        args.last[r] = std::min<size_t>(args.last[r], begin + cpu::kSegment - 1);
      }
      args.partial = Partial(task.item, task.kv_head * group + task.row0, *task.segment);
      args.partial_stride = partial_segments_ * partial_stride_;
    }
    args.scale = params_.scale > 0 ? params_.scale : 1.0f / std::sqrt(static_cast<float>(kv.head_dim_));
    args.softcap = params_.softcap;
    args.pages = pages_[task.item].data();
    args.blocks_per_page = kBlocksPerPage;
    args.head_offset = task.kv_head * kBlocksPerPage * 32 * kv.head_dim_;
    kernels_.attention(args);
  }

  // In rising order, whoever computed them.
  void MergeSegments() {
    for (size_t i = 0; i < items_.size(); ++i) {
      const size_t segments = items_[i].n == 1 ? SegmentsOf(VisibleTo(items_[i].pos0, params_.window)) : 1;
      for (size_t h = 0; segments > 1 && h < n_heads_; ++h) {
        const size_t head_dim = items_[i].kv->head_dim_;
        kernels_.attention_merge(Partial(i, h, 0), partial_stride_, segments, head_dim,
                                 params_.sinks != nullptr ? params_.sinks + h : nullptr, items_[i].out + h * head_dim);
      }
    }
  }

  const cpu::Kernels& kernels_;
  const std::span<const AttentionItem> items_;
  const size_t n_heads_;
  const AttentionParams& params_;
  ThreadPool& pool_;
  std::vector<std::vector<const uint16_t*>> pages_;  // of each item
  // (items, n_heads, segments, 2 + head_dim): m, l, o of segments that ran apart.
  std::vector<float> partial_;
  size_t partial_segments_ = 0;
  size_t partial_stride_ = 0;
};

Status KvCacheLayer::AttentionBatch(Isa isa, std::span<const AttentionItem> items, size_t n_heads,
                                    const AttentionParams& params, ThreadPool& pool) {
  TT_RETURN_IF_ERROR(CheckParams(params, n_heads));
  for (const AttentionItem& item : items) {
    TT_CHECK(item.kv->head_dim_ == items[0].kv->head_dim_ && item.kv->n_kv_heads_ == items[0].kv->n_kv_heads_);
    TT_RETURN_IF_ERROR(item.kv->CheckQueries(cpu::KernelsFor(isa), item, n_heads));
  }
  if (!items.empty()) AttentionRun(isa, items, n_heads, params, pool).Run();
  return Ok{};
}

Status KvCacheLayer::Attention(Isa isa, const float* q, size_t n_heads, size_t pos0, size_t n,
                               const AttentionParams& params, ThreadPool& pool, float* out) const {
  const AttentionItem item{this, q, out, pos0, n};
  return AttentionBatch(isa, std::span(&item, 1), n_heads, params, pool);
}

}  // namespace teetee::ops
