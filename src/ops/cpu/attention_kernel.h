// Attention of numerics.md section 7, as templates over the lanes V: sixteen positions per vector for the scores, sixteen
// dimensions for the output, so that every chain keeps its order. Rows of one task share the loads of keys and values. For the
// translation units of an instruction set only.
#pragma once

#include "ops/cpu/vector_math.h"

namespace teetee::ops::cpu {
namespace {

constexpr size_t kMaxHeadDim = 1024;  // KvCacheLayer::kMaxHeadDim
constexpr size_t kStripPositions = 64;  // of V under one pass: they stay in the first-level cache
constexpr size_t kScoreStride = kSegment + 16;  // a power of two would put the scores of all rows into the same few cache sets

inline size_t Min(size_t a, size_t b) { return a < b ? a : b; }
inline size_t Max(size_t a, size_t b) { return a > b ? a : b; }

inline const uint16_t* KvBlock(const AttentionArgs& args, size_t block) {
  return args.pages[block / args.blocks_per_page] + args.head_offset +
         block % args.blocks_per_page * 32 * args.head_dim;
}

template <class V, class T>
TT_INLINE typename V::F LoadAny(const T* p) {
  if constexpr (sizeof(T) == 2) return V::LoadHalves(p);
  else return V::Load(p);
}

// sum[r][c] = fma(a[r][i], b[c][i * stride ..], sum[r][c]) for rising i < n.
template <class V, int kRows, int kCols, class T>
TT_INLINE void Chains(const float* const* a, const T* const* b, size_t stride, size_t n,
                      typename V::F (*sum)[kCols]) {
#pragma GCC unroll 4
  for (size_t i = 0; i < n; ++i) {
    typename V::F line[kCols];
    ForEach<kCols>([&](auto c) __attribute__((always_inline)) { line[c] = LoadAny<V>(b[c] + i * stride); });
    ForEach<kRows>([&](auto r) __attribute__((always_inline)) {
      const typename V::F x = V::Broadcast(a[r] + i);
      ForEach<kCols>([&](auto c) __attribute__((always_inline)) { sum[r][c] = V::Fma(x, line[c], sum[r][c]); });
    });
  }
}

// Scaled scores of kRows rows over kCols blocks of 16 positions.
template <class V, int kRows, int kCols, class T>
__attribute__((noinline)) void Scores(const float* const* rows, const T* const* blocks, size_t head_dim, float scale,
                                      float* const* s, size_t at) {
  const float* q[kRows];
  const T* k[kCols];
  typename V::F sum[kRows][kCols];
  ForEach<kCols>([&](auto c) __attribute__((always_inline)) { k[c] = blocks[c]; });
  ForEach<kRows>([&](auto r) __attribute__((always_inline)) {
    q[r] = rows[r];
    ForEach<kCols>([&](auto c) __attribute__((always_inline)) { sum[r][c] = V::Zero(); });
  });
  Chains<V, kRows, kCols, T>(q, k, kKvBlock, head_dim, sum);
  ForEach<kRows>([&](auto r) __attribute__((always_inline)) {
    ForEach<kCols>([&](auto c) __attribute__((always_inline)) {
      V::Store(s[r] + at + 16 * c.value, V::Mul(sum[r][c], V::Set(scale)));
    });
  });
}

// Positions [first, last) of a strip: block[b] holds (16, stride) values of 16 positions. Widened blocks (floats) lie one after the other.
template <class T>
struct Strip {
  const T* block[kStripPositions / kKvBlock];
  size_t stride;
  size_t first, last;
  bool is_first;  // of its segment
};

// o (zero before the first strip of a segment) += the weighted values of a strip, for kRows rows and 16 kCols dimensions from d on.
// w[r][t]: weight of position t.
template <class V, int kRows, int kCols, class T>
__attribute__((noinline)) void WeightedValues(const float* const* w, const Strip<T>& strip, size_t d, float* const* o) {
  typename V::F sum[kRows][kCols];
  ForEach<kRows>([&](auto r) __attribute__((always_inline)) {
    ForEach<kCols>([&](auto c) __attribute__((always_inline)) {
      sum[r][c] = strip.is_first ? V::Zero() : V::Load(o[r] + d + 16 * c.value);
    });
  });
  for (size_t t = strip.first; t < strip.last;) {
    const size_t end = sizeof(T) == 4 ? strip.last : Min(strip.last, (t / kKvBlock + 1) * kKvBlock);
    const T* v[kCols];
    const float* a[kRows];
    ForEach<kCols>([&](auto c) __attribute__((always_inline)) {
      v[c] = strip.block[t / kKvBlock] + t % kKvBlock * strip.stride + d + 16 * c.value;
    });
    ForEach<kRows>([&](auto r) __attribute__((always_inline)) { a[r] = w[r] + t; });
    Chains<V, kRows, kCols, T>(a, v, strip.stride, end - t, sum);
    t = end;
  }
  ForEach<kRows>([&](auto r) __attribute__((always_inline)) {
    ForEach<kCols>([&](auto c) __attribute__((always_inline)) { V::Store(o[r] + d + 16 * c.value, sum[r][c]); });
  });
}

template <class V>
void SoftCap(size_t begin, size_t end, float softcap, float* s) {
  const typename V::F cap = V::Set(softcap);
  for (size_t t = begin; t < end; t += 16) V::Store(s + t, V::Mul(cap, Tanh16<V>(V::Div(V::Load(s + t), cap))));
}

// Positions outside a..e become -infinity.
template <class V>
void Mask(size_t begin, size_t end, size_t a, size_t e, float* s) {
  if (begin >= a && end <= e + 1) return;
  const typename V::F minus_infinity = V::Set(-__builtin_inff());
  for (size_t t = begin; t < end; t += 16) {
    if (t >= a && t + 15 <= e) continue;
    const auto seen = V::InRange(static_cast<int>(t), static_cast<int>(a), static_cast<int>(e));
    V::Store(s + t, V::Select(seen, V::Load(s + t), minus_infinity));
  }
}

// Turns scaled scores of positions [begin, end) (multiples of 16) into weights w_t in place; positions outside a..e become +0.
// Returns m and l.
template <class V>
void Softmax(float softcap, size_t begin, size_t end, size_t a, size_t e, float* s, float* m, float* l) {
  using F = typename V::F;
  if (softcap > 0) SoftCap<V>(begin, end, softcap, s);
  Mask<V>(begin, end, a, e, s);
  F max = V::Load(s + begin);
  for (size_t t = begin + 16; t < end; t += 16) max = V::Max(max, V::Load(s + t));
  *m = V::MaxLane(max);
  F sum = V::Zero();  // lanes t mod 16
  for (size_t t = begin; t < end; t += 16) {
    const F w = Exp16<V, true>(V::Sub(V::Load(s + t), V::Set(*m)));
    V::Store(s + t, w);
    sum = V::Add(sum, w);
  }
  *l = V::SumLanes(sum);
}

struct Merged {
  bool is_first = true;
  float m = 0;
  float l = 0;
};

// Merges the segment (m, l, o) into the result so far; o == nullptr: all +0 (a sink).
template <class V>
void Merge(float m, float l, const float* o, size_t head_dim, Merged* into, float* out) {
  if (into->is_first) {
    *into = {false, m, l};
    memcpy(out, o, head_dim * sizeof(float));
    return;
  }
  const float max = into->m > m ? into->m : m;
  alignas(64) float factor[16] = {into->m - max, m - max};
  V::Store(factor, Exp16<V>(V::Load(factor)));
  const float lb = l * factor[1];
  into->l = __builtin_fmaf(into->l, factor[0], lb);
  size_t i = 0;
  for (; i + 16 <= head_dim; i += 16) {
    const typename V::F ob = o == nullptr ? V::Zero() : V::Mul(V::Load(o + i), V::Set(factor[1]));
    V::Store(out + i, V::Fma(V::Load(out + i), V::Set(factor[0]), ob));
  }
  for (; i < head_dim; ++i) {
    const float ob = o == nullptr ? 0.0f : o[i] * factor[1];
    out[i] = __builtin_fmaf(out[i], factor[0], ob);
  }
  into->m = max;
}

template <class V>
void Finish(const float* sink, size_t head_dim, Merged* merged, float* out) {
  if (sink != nullptr) Merge<V>(*sink, 1.0f, nullptr, head_dim, merged, out);
  const float r = 1.0f / merged->l;
  for (size_t i = 0; i < head_dim; ++i) out[i] = out[i] * r;
}

template <class V>
class AttentionTask {
 public:
  explicit AttentionTask(const AttentionArgs& args)
      : args_(args), width_((args.head_dim + 15) / 16 * 16), is_direct_(args.n <= kRows && args.head_dim % 16 == 0) {
    for (size_t r = 0; r < kAttentionRows; ++r) {
      // Rows beyond the last one repeat it, so that groups are full; their results go nowhere.
      q_row_[r] = q_ + (r < args.n ? r : args.n - 1) * width_;
      s_row_[r] = s_ + r * kScoreStride;
      o_row_[r] = o_ + r * width_;
    }
    for (size_t r = 0; r < args.n; ++r) memcpy(q_ + r * width_, args.q[r], args.head_dim * sizeof(float));
  }

  void Run() {
    size_t first = args_.first[0], last = args_.last[0];
    for (size_t r = 1; r < args_.n; ++r) {
      first = Min(first, args_.first[r]);
      last = Max(last, args_.last[r]);
    }
    for (size_t g = first / kSegment; g <= last / kSegment; ++g) {
      origin_ = g * kSegment;
      first_ = Max(first, origin_) - origin_;
      last_ = Min(last, origin_ + kSegment - 1) - origin_;
      Segment();
    }
    for (size_t r = 0; r < args_.n && args_.partial == nullptr; ++r) {
      Finish<V>(args_.sink[r], args_.head_dim, &merged_[r], args_.out[r]);
    }
  }

 private:
  static constexpr size_t kRows = static_cast<size_t>(V::kAttentionRows);
  static constexpr int kCols = V::kAttentionBlocks;

  // Rows of a group that has `left` rows to come: all, half, a quarter, ... of kRows.
  static constexpr size_t Group(size_t left) {
    size_t size = kRows;
    while (size / 2 >= left) size /= 2;
    return size;
  }

  void Segment() {
    if (is_direct_) AllScores(KeysInPlace{});
    else AllScores(KeysWidened{});
    for (size_t r = 0; r < args_.n; ++r) Weigh(r);
    for (size_t t = first_ / kStripPositions * kStripPositions; t <= last_; t += kStripPositions) {
      if (is_direct_) Values<uint16_t>(t);
      else Values<float>(t);
    }
    for (size_t r = 0; r < args_.n; ++r) {
      if (!Sees(r)) continue;
      if (args_.partial == nullptr) {
        Merge<V>(m_[r], l_[r], o_row_[r], args_.head_dim, &merged_[r], args_.out[r]);
      } else {
        float* out = args_.partial + r * args_.partial_stride;
        out[0] = m_[r], out[1] = l_[r];
        memcpy(out + 2, o_row_[r], args_.head_dim * sizeof(float));
      }
    }
  }

  struct KeysInPlace { using T = uint16_t; };
  struct KeysWidened { using T = float; };

  template <class Keys>
  void AllScores(Keys) {
    using T = typename Keys::T;
    const size_t end = last_ / kKvBlock + 1;
    for (size_t b = first_ / kKvBlock; b < end;) {
      const size_t count = b + kCols <= end ? static_cast<size_t>(kCols) : 1;
      const T* keys[kCols];
      for (size_t c = 0; c < count; ++c) keys[c] = Keys16<T>(b + c, c);
      for (size_t r = 0; r < args_.n;) {
        const size_t size = Group(args_.n - r);
        if (count == 1) ScoresOf<kRows, 1, T>(size, r, keys, b * kKvBlock);
        else ScoresOf<kRows, kCols, T>(size, r, keys, b * kKvBlock);
        r += size;
      }
      b += count;
    }
  }

  // Block b of the segment's keys, (head_dim, 16).
  template <class T>
  const T* Keys16(size_t b, size_t slot) {
    const uint16_t* k = KvBlock(args_, origin_ / kKvBlock + b);
    if constexpr (sizeof(T) == 2) return k;
    else {
      float* out = wide_ + slot * 16 * args_.head_dim;
      for (size_t i = 0; i < args_.head_dim; ++i) V::Store(out + 16 * i, V::LoadHalves(k + 16 * i));
      return out;
    }
  }

  template <size_t kMost, int kBlocks, class T>
  void ScoresOf(size_t size, size_t r, const T* const* keys, size_t at) {
    if (size == kMost) {
      Scores<V, static_cast<int>(kMost), kBlocks, T>(q_row_ + r, keys, args_.head_dim, args_.scale, s_row_ + r, at);
    } else if constexpr (kMost > 1) {
      ScoresOf<kMost / 2, kBlocks, T>(size, r, keys, at);
    }
  }

  bool Sees(size_t r) const { return args_.first[r] <= origin_ + last_ && args_.last[r] >= origin_ + first_; }

  void Weigh(size_t r) {
    const size_t begin = first_ / kKvBlock * kKvBlock, end = last_ / kKvBlock * kKvBlock + kKvBlock;
    if (!Sees(r)) {
      memset(s_row_[r] + begin, 0, (end - begin) * sizeof(float));
      return;
    }
    const size_t a = Max(args_.first[r], origin_) - origin_;
    const size_t e = Min(args_.last[r], origin_ + kSegment - 1) - origin_;
    Softmax<V>(args_.softcap, begin, end, a, e, s_row_[r], &m_[r], &l_[r]);
  }

  // Adds what positions [t, t + kStripPositions) of the segment give to every row's o.
  template <class T>
  void Values(size_t t) {
    Strip<T> strip;
    strip.is_first = t <= first_;
    strip.first = Max(t, first_) - t;
    strip.last = Min(t + kStripPositions, last_ + 1) - t;
    strip.stride = sizeof(T) == 2 ? args_.head_dim : width_;
    for (size_t b = strip.first / kKvBlock; b * kKvBlock < strip.last; ++b) {
      const uint16_t* v = KvBlock(args_, (origin_ + t) / kKvBlock + b) + kKvBlock * args_.head_dim;
      if constexpr (sizeof(T) == 2) strip.block[b] = v;
      else strip.block[b] = WidenValues(v, wide_ + b * kKvBlock * width_);
    }
    for (size_t r = 0; r < args_.n;) {
      const size_t size = Group(args_.n - r);
      const float* w[kRows];
      for (size_t i = 0; i < size; ++i) w[i] = s_row_[r + i < args_.n ? r + i : r] + t;
      size_t d = 0;
      for (; d + 16 * kCols <= width_; d += 16 * kCols) ValuesOf<kRows, kCols, T>(size, w, strip, d, r);
      for (; d < width_; d += 16) ValuesOf<kRows, 1, T>(size, w, strip, d, r);
      r += size;
    }
  }

  // (16, head_dim) halves to (16, width_) floats, the rest of a row zero.
  const float* WidenValues(const uint16_t* v, float* out) {
    const size_t whole = args_.head_dim / 16 * 16, rest = args_.head_dim - whole;
    for (size_t t = 0; t < kKvBlock; ++t, v += args_.head_dim, out += width_) {
      for (size_t i = 0; i < whole; i += 16) V::Store(out + i, V::LoadHalves(v + i));
      if (rest == 0) continue;
      uint16_t tail[16] = {};
      memcpy(tail, v + whole, rest * sizeof(uint16_t));
      V::Store(out + whole, V::LoadHalves(tail));
    }
    return out - kKvBlock * width_;
  }

  template <size_t kMost, int kBlocks, class T>
  void ValuesOf(size_t size, const float* const* w, const Strip<T>& strip, size_t d, size_t r) {
    if (size == kMost) {
      WeightedValues<V, static_cast<int>(kMost), kBlocks, T>(w, strip, d, o_row_ + r);
    } else if constexpr (kMost > 1) {
      ValuesOf<kMost / 2, kBlocks, T>(size, w, strip, d, r);
    }
  }

  const AttentionArgs& args_;
  const size_t width_;      // of a row of values, padded to whole vectors
  const bool is_direct_;    // one group of rows: keys and values are widened where they are used
  size_t origin_ = 0;       // first position of the segment
  size_t first_ = 0, last_ = 0;  // positions of the segment that some row sees
  const float* q_row_[kAttentionRows];
  float* s_row_[kAttentionRows];
  float* o_row_[kAttentionRows];
  float m_[kAttentionRows], l_[kAttentionRows];
  Merged merged_[kAttentionRows];
  alignas(64) float q_[kAttentionRows * kMaxHeadDim];  // side by side: rows of args_.q may lie whole pages apart
  alignas(64) float s_[kAttentionRows * kScoreStride];
  alignas(64) float wide_[kStripPositions * kMaxHeadDim];
  alignas(64) float o_[kAttentionRows * kMaxHeadDim];
};

template <class V>
void AttentionOf(const AttentionArgs& args) {
  AttentionTask<V>(args).Run();
}

template <class V>
void AttentionMergeOf(const float* partial, size_t stride, size_t n, size_t head_dim, const float* sink, float* out) {
  Merged merged;
  for (size_t i = 0; i < n; ++i, partial += stride) Merge<V>(partial[0], partial[1], partial + 2, head_dim, &merged, out);
  Finish<V>(sink, head_dim, &merged, out);
}

}  // namespace
}  // namespace teetee::ops::cpu
