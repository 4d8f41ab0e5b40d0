#include "ops/attention.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

#include "base/check.h"
#include "base/secret.h"
#include "ops/cpu/kernels.h"
#include "ops/f16.h"

namespace teetee::ops {
namespace {

constexpr uint32_t kInfinityBits = 0x7f800000u;
constexpr size_t kBlocksPerPage = KvCacheLayer::kPagePositions / cpu::kKvBlock;
constexpr size_t kRowsPerTask = 2 * cpu::kAttentionRows;

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
  const size_t slot = position % cpu::kKvBlock;
  for (size_t h = 0; h < n_kv_heads_; ++h) {
    uint16_t* keys = Block(h, position / cpu::kKvBlock);
    uint16_t* values = keys + (cpu::kKvBlock + slot) * head_dim_;
    for (size_t i = 0; i < head_dim_; ++i) {
      keys[i * cpu::kKvBlock + slot] = F32ToF16(k[h * head_dim_ + i]);
      values[i] = F32ToF16(v[h * head_dim_ + i]);
    }
  }
}

Status KvCacheLayer::Append(const float* k, const float* v, size_t n) {
  if (n > capacity_ - size_) return Error(Code::kResourceExhausted, "KV cache: full");
  const size_t row = n_kv_heads_ * head_dim_;
  const cpu::Kernels& kernels = cpu::kScalarKernels;
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

Status KvCacheLayer::Attention(Isa isa, const float* q, size_t n_heads, size_t pos0, size_t n,
                               const AttentionParams& params, ThreadPool& pool, float* out) const {
  TT_RETURN_IF_ERROR(CheckParams(params, n_heads));
  if (n_heads == 0 || n_heads % n_kv_heads_ != 0) {
    return Error(Code::kInvalidArgument, "attention: n_heads is no multiple of n_kv_heads");
  }
  if (pos0 > size_ || n > size_ - pos0) {
    return Error(Code::kInvalidArgument, "attention: a position is not in the cache");
  }
  const cpu::Kernels& kernels = cpu::KernelsFor(isa);
  if (!kernels.all_below(q, n * n_heads * head_dim_, std::bit_cast<uint32_t>(0x1p100f))) {
    return Error(Code::kInvalidArgument, "attention: a query is not finite or not below 2^100");
  }
  if (n == 0) return Ok{};
  std::vector<const uint16_t*> pages(pages_.size());
  for (size_t i = 0; i < pages.size(); ++i) {
    pages[i] = reinterpret_cast<const uint16_t*>(pages_[i]->data());
  }
  const float scale =
      params.scale > 0 ? params.scale : 1.0f / std::sqrt(static_cast<float>(head_dim_));
  const size_t group = n_heads / n_kv_heads_;
  const size_t rows = n * group;  // (query, head) pairs of one KV head
  const size_t tasks_per_head = (rows - 1) / kRowsPerTask + 1;

  auto run_rows = [&](size_t kv_head, size_t row0, size_t count) {
    cpu::AttentionArgs args{};
    args.n = count;
    args.head_dim = head_dim_;
    for (size_t r = 0; r < count; ++r) {
      const size_t query = (row0 + r) / group;
      const size_t head = kv_head * group + (row0 + r) % group;
      const size_t position = pos0 + query;
      args.q[r] = q + (query * n_heads + head) * head_dim_;
      args.out[r] = out + (query * n_heads + head) * head_dim_;
      args.last[r] = position;
      args.first[r] =
          params.window == 0 || params.window > position ? 0 : position - params.window + 1;
      args.sink[r] = params.sinks != nullptr ? params.sinks + head : nullptr;
    }
    args.scale = scale;
    args.softcap = params.softcap;
    args.pages = pages.data();
    args.blocks_per_page = kBlocksPerPage;
    args.head_offset = kv_head * kBlocksPerPage * 32 * head_dim_;
    kernels.attention(args);
  };
  pool.ParallelFor(n_kv_heads_ * tasks_per_head, [&](size_t task) {
    const size_t begin = task % tasks_per_head * kRowsPerTask;
    const size_t end = std::min(rows, begin + kRowsPerTask);
    for (size_t row = begin; row < end; row += cpu::kAttentionRows) {
      run_rows(task / tasks_per_head, row, std::min<size_t>(cpu::kAttentionRows, end - row));
    }
  });
  return Ok{};
}

}  // namespace teetee::ops
