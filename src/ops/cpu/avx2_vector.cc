// AVX2: activation blocks, norms, element-wise functions, RoPE.
#if defined(__x86_64__)

#include "ops/cpu/avx2_kernels.h"
#include "ops/cpu/avx2_math.h"

namespace teetee::ops::cpu {
namespace {

constexpr uint32_t kInfinityBits = 0x7f800000u;

__m256i MagnitudeBits(const float* x) {
  const __m256i mask = _mm256_set1_epi32(0x7fffffff);
  return _mm256_and_si256(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(x)), mask);
}

uint32_t MaxOf8(__m256i v) {
  __m128i m = _mm_max_epi32(_mm256_castsi256_si128(v), _mm256_extracti128_si256(v, 1));
  m = _mm_max_epi32(m, _mm_shuffle_epi32(m, 0x4e));
  m = _mm_max_epi32(m, _mm_shuffle_epi32(m, 0xb1));
  return static_cast<uint32_t>(_mm_cvtsi128_si32(m));
}

int32_t SumOf8(__m256i v) {
  __m128i s = _mm_add_epi32(_mm256_castsi256_si128(v), _mm256_extracti128_si256(v, 1));
  s = _mm_add_epi32(s, _mm_shuffle_epi32(s, 0x4e));
  s = _mm_add_epi32(s, _mm_shuffle_epi32(s, 0xb1));
  return _mm_cvtsi128_si32(s);
}

__m256i RoundToInt8Range(const float* x, __m256 id) {
  const __m256i v = _mm256_cvtps_epi32(_mm256_mul_ps(_mm256_loadu_ps(x), id));
  return _mm256_max_epi32(_mm256_min_epi32(v, _mm256_set1_epi32(127)), _mm256_set1_epi32(-127));
}

float FromBits(uint32_t bits) {
  float f;
  memcpy(&f, &bits, 4);
  return f;
}

// sqrtss, not the library's function, whose inline form could be shared with other units.
float InverseRoot(float sum_of_squares, size_t n, float eps) {
  const float mean = sum_of_squares / static_cast<float>(n);
  const float v = mean + eps;
  return 1.0f / _mm_cvtss_f32(_mm_sqrt_ss(_mm_set_ss(v)));
}

// Copies the last n % 8 values, zero-padded, so that the vector form serves them too.
struct Tail {
  alignas(32) float v[8] = {};
  Tail(const float* x, size_t n) {
    for (size_t i = 0; i < n; ++i) v[i] = x[i];
  }
};

void StoreTail(__m256 v, float* y, size_t n) {
  alignas(32) float out[8];
  _mm256_store_ps(out, v);
  for (size_t i = 0; i < n; ++i) y[i] = out[i];
}

// Sixteen lanes of section 4: adds f(x) to the lane of each element. Lanes beyond the end keep their value.
template <class F>
float SumLanes(const float* x, size_t n, F add) {
  __m256 low = _mm256_setzero_ps(), high = low;
  size_t i = 0;
  for (; i + 16 <= n; i += 16) {
    low = add(low, _mm256_loadu_ps(x + i));
    high = add(high, _mm256_loadu_ps(x + i + 8));
  }
  alignas(32) float lane[16];
  const __m256 before[2] = {low, high};
  for (size_t half = 0; half < 2; ++half, i += 8) {
    const size_t left = i < n ? n - i : 0;
    const size_t used = left < 8 ? left : 8;
    const Tail tail(x + (used > 0 ? i : 0), used);
    alignas(32) float old[8];
    _mm256_store_ps(old, before[half]);
    _mm256_store_ps(lane + 8 * half, add(before[half], _mm256_load_ps(tail.v)));
    for (size_t l = used; l < 8; ++l) lane[8 * half + l] = old[l];
  }
  return AddLanes(_mm256_load_ps(lane), _mm256_load_ps(lane + 8));
}

template <Activation kAct>
__m256 Apply(__m256 x) {
  const __m256 one = Set8(1.0f);
  const __m256 minus_x = _mm256_xor_ps(x, Set8(-0.0f));
  if constexpr (kAct == Activation::kSilu) {
    return _mm256_div_ps(x, _mm256_add_ps(one, Exp8(minus_x)));
  } else if constexpr (kAct == Activation::kGeluTanh) {
    const __m256 a = _mm256_mul_ps(x, x);
    const __m256 b = _mm256_fmadd_ps(a, Set8(-0x1.2444f2p-4f), Set8(-0x1.988454p+0f));
    return _mm256_div_ps(x, _mm256_add_ps(one, Exp8(_mm256_mul_ps(x, b))));
  } else if constexpr (kAct == Activation::kGeluQuick) {
    const __m256 e = Exp8(_mm256_mul_ps(x, Set8(-0x1.b3b646p+0f)));
    return _mm256_div_ps(x, _mm256_add_ps(one, e));
  } else if constexpr (kAct == Activation::kRelu) {
    return _mm256_max_ps(x, _mm256_setzero_ps());  // the second operand where they compare equal: +0 for -0
  } else if constexpr (kAct == Activation::kSigmoid) {
    return _mm256_div_ps(one, _mm256_add_ps(one, Exp8(minus_x)));
  } else if constexpr (kAct == Activation::kTanh) {
    return Tanh8(x);
  } else {
    return Exp8(x);
  }
}

// y = act(x), or act(x) * up when up is given.
template <Activation kAct>
void Map(const float* x, const float* up, size_t n, float* y) {
  size_t i = 0;
  for (; i + 8 <= n; i += 8) {
    __m256 v = Apply<kAct>(_mm256_loadu_ps(x + i));
    if (up != nullptr) v = _mm256_mul_ps(v, _mm256_loadu_ps(up + i));
    _mm256_storeu_ps(y + i, v);
  }
  if (i == n) return;
  __m256 v = Apply<kAct>(_mm256_load_ps(Tail(x + i, n - i).v));
  if (up != nullptr) v = _mm256_mul_ps(v, _mm256_load_ps(Tail(up + i, n - i).v));
  StoreTail(v, y + i, n - i);
}

void MapAny(Activation act, const float* x, const float* up, size_t n, float* y) {
  switch (act) {
    case Activation::kSilu:
      return Map<Activation::kSilu>(x, up, n, y);
    case Activation::kGeluTanh:
      return Map<Activation::kGeluTanh>(x, up, n, y);
    case Activation::kGeluQuick:
      return Map<Activation::kGeluQuick>(x, up, n, y);
    case Activation::kRelu:
      return Map<Activation::kRelu>(x, up, n, y);
    case Activation::kSigmoid:
      return Map<Activation::kSigmoid>(x, up, n, y);
    case Activation::kTanh:
      return Map<Activation::kTanh>(x, up, n, y);
    case Activation::kExp:
      return Map<Activation::kExp>(x, up, n, y);
  }
}

void RotatePair(float c, float s, float* x0, float* x1) {
  const float t0 = *x1 * s;
  const float t1 = *x1 * c;
  const float y0 = __builtin_fmaf(*x0, c, -t0);
  *x1 = __builtin_fmaf(*x0, s, t1);
  *x0 = y0;
}

}  // namespace

bool Avx2AllBelow(const float* x, size_t n, uint32_t limit_bits) {
  __m256i max8 = _mm256_setzero_si256();
  size_t i = 0;
  for (; i + 8 <= n; i += 8) max8 = _mm256_max_epi32(max8, MagnitudeBits(x + i));
  if (i < n) max8 = _mm256_max_epi32(max8, MagnitudeBits(Tail(x + i, n - i).v));
  return n == 0 || MaxOf8(max8) < limit_bits;
}

bool Avx2Quantise(const float* x, size_t k, int8_t* q, float* dx, float* dx_sum, int32_t* sums) {
  for (size_t b = 0; b < k / 32; ++b, x += 32, q += 32, sums += 2) {
    const __m256i max8 = _mm256_max_epi32(_mm256_max_epi32(MagnitudeBits(x), MagnitudeBits(x + 8)),
                                          _mm256_max_epi32(MagnitudeBits(x + 16), MagnitudeBits(x + 24)));
    const uint32_t max = MaxOf8(max8);
    if (max >= kInfinityBits) return false;
    const float amax = FromBits(max);
    const bool is_zero = !(amax > 0x1p-100f);
    const __m256 id = Set8(is_zero ? 0.0f : 127.0f / amax);
    dx[b] = is_zero ? 0.0f : amax / 127.0f;
    const __m256i v0 = RoundToInt8Range(x, id), v1 = RoundToInt8Range(x + 8, id);
    const __m256i v2 = RoundToInt8Range(x + 16, id), v3 = RoundToInt8Range(x + 24, id);
    sums[0] = SumOf8(_mm256_add_epi32(v0, v1));
    sums[1] = SumOf8(_mm256_add_epi32(v2, v3));
    dx_sum[b] = dx[b] * static_cast<float>(sums[0] + sums[1]);
    // Both packs work within 128-bit halves; the permutation puts the groups of four back in order.
    const __m256i packed =
        _mm256_packs_epi16(_mm256_packs_epi32(v0, v1), _mm256_packs_epi32(v2, v3));
    const __m256i order = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7);
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(q), _mm256_permutevar8x32_epi32(packed, order));
  }
  return true;
}

void Avx2RmsNorm(const float* x, const float* w, size_t n, float eps, float* y) {
  const float sum =
      SumLanes(x, n, [](__m256 lane, __m256 v) { return _mm256_fmadd_ps(v, v, lane); });
  const float r = InverseRoot(sum, n, eps);
  size_t i = 0;
  for (; i + 8 <= n; i += 8) {
    __m256 v = _mm256_mul_ps(_mm256_loadu_ps(x + i), Set8(r));
    if (w != nullptr) v = _mm256_mul_ps(v, _mm256_loadu_ps(w + i));
    _mm256_storeu_ps(y + i, v);
  }
  for (; i < n; ++i) {
    const float v = x[i] * r;
    y[i] = w != nullptr ? v * w[i] : v;
  }
}

void Avx2LayerNorm(const float* x, const float* w, const float* b, size_t n, float eps, float* y) {
  const float mean =
      SumLanes(x, n, [](__m256 lane, __m256 v) { return _mm256_add_ps(lane, v); }) /
      static_cast<float>(n);
  const __m256 mean8 = Set8(mean);
  const float sum = SumLanes(x, n, [mean8](__m256 lane, __m256 v) {
    const __m256 d = _mm256_sub_ps(v, mean8);
    return _mm256_fmadd_ps(d, d, lane);
  });
  const float r = InverseRoot(sum, n, eps);
  for (size_t i = 0; i < n; ++i) {  // vectorised by the compiler, which may not reorder or contract
    float v = (x[i] - mean) * r;
    v = w != nullptr ? v * w[i] : v;
    y[i] = b != nullptr ? v + b[i] : v;
  }
}

void Avx2Activate(Activation act, const float* x, size_t n, float* y) {
  MapAny(act, x, nullptr, n, y);
}

void Avx2GatedUnit(Activation act, const float* gate, const float* up, size_t n, float* y) {
  MapAny(act, gate, up, n, y);
}

void Avx2RopeAdjacent(const float* cos_sin, size_t pairs, float* x) {
  const __m256 even_sign = _mm256_setr_ps(-0.0f, 0.0f, -0.0f, 0.0f, -0.0f, 0.0f, -0.0f, 0.0f);
  size_t i = 0;
  for (; i + 4 <= pairs; i += 4) {
    const __m256 cs = _mm256_loadu_ps(cos_sin + 2 * i);
    const __m256 sc = _mm256_permute_ps(cs, 0xb1);
    const __m256 v = _mm256_loadu_ps(x + 2 * i);
    const __m256 t = _mm256_mul_ps(_mm256_movehdup_ps(v), sc);  // x1*s, x1*c
    const __m256 y = _mm256_fmadd_ps(_mm256_moveldup_ps(v), cs, _mm256_xor_ps(t, even_sign));
    _mm256_storeu_ps(x + 2 * i, y);
  }
  for (; i < pairs; ++i) RotatePair(cos_sin[2 * i], cos_sin[2 * i + 1], x + 2 * i, x + 2 * i + 1);
}

void Avx2RopeHalfSplit(const float* cos_sin, size_t pairs, float* x) {
  size_t i = 0;
  for (; i + 8 <= pairs; i += 8) {
    const __m256 a = _mm256_loadu_ps(cos_sin + 2 * i);
    const __m256 b = _mm256_loadu_ps(cos_sin + 2 * i + 8);
    const __m256 low = _mm256_permute2f128_ps(a, b, 0x20), high = _mm256_permute2f128_ps(a, b, 0x31);
    const __m256 c = _mm256_shuffle_ps(low, high, 0x88), s = _mm256_shuffle_ps(low, high, 0xdd);
    const __m256 x0 = _mm256_loadu_ps(x + i), x1 = _mm256_loadu_ps(x + pairs + i);
    _mm256_storeu_ps(x + i, _mm256_fmsub_ps(x0, c, _mm256_mul_ps(x1, s)));
    _mm256_storeu_ps(x + pairs + i, _mm256_fmadd_ps(x0, s, _mm256_mul_ps(x1, c)));
  }
  for (; i < pairs; ++i) RotatePair(cos_sin[2 * i], cos_sin[2 * i + 1], x + i, x + pairs + i);
}

}  // namespace teetee::ops::cpu

#endif
