// Attention of numerics.md section 7, one (query, head) pair at a time.
#include <algorithm>
#include <vector>

#include "ops/activation.h"
#include "ops/cpu/kernels.h"
#include "ops/f16.h"

namespace teetee::ops::cpu {

void ScalarAttention(const AttentionArgs& args);
void ScalarAttentionMerge(const float* partial, size_t stride, size_t n, size_t head_dim, const float* sink, float* out);

namespace {

float Fma(float a, float b, float c) { return __builtin_fmaf(a, b, c); }

// Running maximum, weight sum and output of the segments merged so far.
struct Merged {
  bool is_first = true;
  float m = 0;
  float l = 0;
  float* o;  // (head_dim)
};

void Merge(float m, float l, const float* o, size_t head_dim, Merged* into) {
  if (into->is_first) {
    into->is_first = false;
    into->m = m;
    into->l = l;
    std::copy(o, o + head_dim, into->o);
    return;
  }
  float max = into->m > m ? into->m : m;
  float a = Exp(into->m - max);
  float b = Exp(m - max);
  float lb = l * b;
  into->l = Fma(into->l, a, lb);
  for (size_t i = 0; i < head_dim; ++i) {
    float ob = o[i] * b;
    into->o[i] = Fma(into->o[i], a, ob);
  }
  into->m = max;
}

const uint16_t* KvBlock(const AttentionArgs& args, size_t position) {
  size_t block = position / kKvBlock;
  return args.pages[block / args.blocks_per_page] + args.head_offset +
         block % args.blocks_per_page * 32 * args.head_dim;
}

float Score(const AttentionArgs& args, const float* q, size_t t) {
  const uint16_t* k = KvBlock(args, t) + t % kKvBlock;
  float acc = 0.0f;
  for (size_t i = 0; i < args.head_dim; ++i) acc = Fma(q[i], F16ToF32(k[i * kKvBlock]), acc);
  acc = acc * args.scale;
  if (args.softcap > 0) acc = args.softcap * Tanh(acc / args.softcap);
  return acc;
}

// Positions a..e of one segment: (m, l, o).
void Segment(const AttentionArgs& args, const float* q, size_t a, size_t e, float* m, float* l, float* o) {
  float s[kSegment];
  *m = 0;
  for (size_t t = a; t <= e; ++t) {
    s[t - a] = Score(args, q, t);
    *m = t == a || s[t - a] > *m ? s[t - a] : *m;
  }
  float lane[16] = {};
  for (size_t t = a; t <= e; ++t) {
    s[t - a] = Exp(s[t - a] - *m);
    lane[t % 16] = lane[t % 16] + s[t - a];
  }
  for (int h = 8; h > 0; h /= 2) {
    for (int i = 0; i < h; ++i) lane[i] = lane[i] + lane[i + h];
  }
  *l = lane[0];
  std::fill_n(o, args.head_dim, 0.0f);
  for (size_t t = a; t <= e; ++t) {
    const uint16_t* v = KvBlock(args, t) + (kKvBlock + t % kKvBlock) * args.head_dim;
    for (size_t i = 0; i < args.head_dim; ++i) o[i] = Fma(s[t - a], F16ToF32(v[i]), o[i]);
  }
}

void Finish(const float* sink, size_t head_dim, Merged* merged) {
  if (sink != nullptr) {
    const std::vector<float> zeros(head_dim);
    Merge(*sink, 1.0f, zeros.data(), head_dim, merged);
  }
  float r = 1.0f / merged->l;
  for (size_t i = 0; i < head_dim; ++i) merged->o[i] = merged->o[i] * r;
}

void AttentionRow(const AttentionArgs& args, size_t row) {
  std::vector<float> o(args.head_dim);
  Merged merged;
  merged.o = args.out[row];
  size_t first = args.first[row];
  size_t last = args.last[row];
  for (size_t g = first / kSegment; g <= last / kSegment; ++g) {
    size_t a = std::max(first, g * kSegment);
    size_t e = std::min(last, g * kSegment + kSegment - 1);
    float m, l;
    Segment(args, args.q[row], a, e, &m, &l, o.data());
    Merge(m, l, o.data(), args.head_dim, &merged);
  }
  Finish(args.sink[row], args.head_dim, &merged);
}

}  // namespace

void ScalarAttention(const AttentionArgs& args) {
  for (size_t row = 0; row < args.n; ++row) {
    if (args.partial == nullptr) {
      AttentionRow(args, row);
    } else {
      float* p = args.partial + row * args.partial_stride;
      Segment(args, args.q[row], args.first[row], args.last[row], p, p + 1, p + 2);
    }
  }
}

void ScalarAttentionMerge(const float* partial, size_t stride, size_t n, size_t head_dim, const float* sink, float* out) {
  Merged merged;
  merged.o = out;
  for (size_t i = 0; i < n; ++i, partial += stride) Merge(partial[0], partial[1], partial + 2, head_dim, &merged);
  Finish(sink, head_dim, &merged);
}

}  // namespace teetee::ops::cpu
