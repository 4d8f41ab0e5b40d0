// The reference: each function is a line-by-line reading of docs/formats/numerics.md. Other instruction sets must give its bits.
#include <bit>
#include <cmath>

#include "base/check.h"
#include "ops/cpu/block.h"
#include "ops/cpu/kernels.h"
#include "ops/f16.h"
#include "ops/sum.h"

namespace teetee::ops::cpu {

// scalar_attention.cc
void ScalarAttention(const AttentionArgs& args);
void ScalarAttentionMerge(const float* partial, size_t stride, size_t n, size_t head_dim, const float* sink, float* out);

namespace {

constexpr uint32_t kInfinityBits = 0x7f800000u;

float Fma(float a, float b, float c) { return __builtin_fmaf(a, b, c); }
uint32_t MagnitudeBits(float x) { return std::bit_cast<uint32_t>(x) & 0x7fffffffu; }

bool AllBelow(const float* x, size_t n, uint32_t limit_bits) {
  uint32_t max = 0;
  for (size_t i = 0; i < n; ++i) {
    uint32_t bits = MagnitudeBits(x[i]);
    max = bits > max ? bits : max;
  }
  return n == 0 || max < limit_bits;
}

int32_t PackSums(int s0, int s1) {
  return static_cast<int32_t>((static_cast<uint32_t>(s0) & 0xffff) | static_cast<uint32_t>(s1) << 16);
}

// Section 1.
bool QuantiseBlock(const float* x, size_t at, const BlockSink& sink) {
  uint32_t max = 0;
  for (int i = 0; i < 32; ++i) {
    uint32_t bits = MagnitudeBits(x[i]);
    max = bits > max ? bits : max;
  }
  if (max >= kInfinityBits) return false;
  float amax = std::bit_cast<float>(max);
  bool is_zero = !(amax > 0x1p-100f);
  float id = is_zero ? 0.0f : 127.0f / amax;
  float dx = is_zero ? 0.0f : amax / 127.0f;
  int sums[2] = {0, 0};
  for (int i = 0; i < 32; ++i) {
    float product = x[i] * id;
    float rounded = (product + 0x1.8p23f) - 0x1.8p23f;  // to nearest even, as |product| < 2^22
    int v = static_cast<int>(rounded);
    v = v > 127 ? 127 : v < -127 ? -127 : v;
    sink.q[32 * at + static_cast<size_t>(i)] = static_cast<int8_t>(v);
    sums[i / 16] += v;
  }
  sink.dx[at] = dx;
  sink.dx_sum[at] = dx * static_cast<float>(sums[0] + sums[1]);
  sink.sums[at] = PackSums(sums[0], sums[1]);
  return true;
}

bool Quantise(const float* x, size_t k, const BlockSink& sink) {
  for (size_t b = 0; b < k / 32; ++b) {
    if (!QuantiseBlock(x + 32 * b, b * sink.stride, sink)) return false;
  }
  return true;
}

// Section 2: the two or three lines that add one block to one accumulator.
float AddBlock(Scales scales, const Block& block, const int8_t* q, float dx, float dx_sum,
               int32_t sums, float acc) {
  int half[2] = {0, 0};
  for (int i = 0; i < 32; ++i) half[i / 16] += block.w[i] * q[i];
  bool two = scales == Scales::kTwo || scales == Scales::kTwoMin;
  int integer = two ? block.s0 * half[0] + block.s1 * half[1] : half[0] + half[1];
  float s = BlockScale(scales, block) * dx;
  acc = Fma(s, static_cast<float>(integer), acc);
  if (scales == Scales::kHalfMin || scales == Scales::kSubMin) {
    acc = Fma(BlockMin(scales, block), dx_sum, acc);
  }
  if (scales == Scales::kTwoMin) {
    float g = -(F16ToF32(block.m) * dx);
    int s0 = static_cast<int16_t>(sums & 0xffff), s1 = static_cast<int16_t>(sums >> 16);
    acc = Fma(g, static_cast<float>(block.m0 * s0 + block.m1 * s1), acc);
  }
  return acc;
}

void MatMulQuantised(const MatMulArgs& a) {
  const Scales scales = ScalesOf(a.dtype);
  const size_t blocks = a.k / 32;
  for (size_t row = 0; row < a.rows; ++row) {
    float* y = a.y + row;
    for (size_t j = 0; j < a.n; ++j) y[j * a.y_stride] = 0.0f;
    for (size_t b = 0; b < blocks; ++b) {
      Block block;
      ReadBlock(a.dtype, a.tiles + row * a.tile_bytes, b, &block);
      for (size_t j = 0; j < a.n; ++j) {
        size_t at = j * blocks + b;
        float& acc = y[j * a.y_stride];
        acc = AddBlock(scales, block, a.q + 32 * at, a.dx[at], a.dx_sum[at], a.sums[at], acc);
      }
    }
  }
}

float Widen(DType dtype, const uint8_t* row, size_t i) {
  if (dtype == DType::kF32) {
    float f;
    __builtin_memcpy(&f, row + 4 * i, 4);
    return f;
  }
  uint16_t bits = static_cast<uint16_t>(row[2 * i] | row[2 * i + 1] << 8);
  return dtype == DType::kF16 ? F16ToF32(bits) : Bf16ToF32(bits);
}

// Section 3.
void MatMulFloat(const MatMulArgs& a) {
  for (size_t row = 0; row < a.rows; ++row) {
    const uint8_t* w = a.tiles + row * a.tile_bytes;
    for (size_t j = 0; j < a.n; ++j) {
      const float* x = a.x + j * a.k;
      float acc = 0.0f;
      for (size_t i = 0; i < a.k; ++i) acc = Fma(Widen(a.dtype, w, i), x[i], acc);
      a.y[j * a.y_stride + row] = acc;
    }
  }
}

void MatMul(const MatMulArgs& args) {
  if (IsQuantised(args.dtype)) {
    MatMulQuantised(args);
  } else {
    MatMulFloat(args);
  }
}

// Section 4.
float AddLanes(float* lane) {
  for (int h = 8; h > 0; h /= 2) {
    for (int l = 0; l < h; ++l) lane[l] = lane[l] + lane[l + h];
  }
  return lane[0];
}

float InverseRoot(float sum_of_squares, size_t n, float eps) {
  float mean = sum_of_squares / static_cast<float>(n);
  float v = mean + eps;
  return 1.0f / std::sqrt(v);
}

void RmsNorm(const float* x, const float* w, size_t n, float eps, float* y) {
  float lane[16] = {};
  for (size_t i = 0; i < n; ++i) lane[i % 16] = Fma(x[i], x[i], lane[i % 16]);
  float r = InverseRoot(AddLanes(lane), n, eps);
  for (size_t i = 0; i < n; ++i) {
    float scaled = x[i] * r;
    y[i] = w != nullptr ? scaled * w[i] : scaled;
  }
}

void LayerNorm(const float* x, const float* w, const float* b, size_t n, float eps, float* y) {
  float mean = Sum16(x, n) / static_cast<float>(n);
  float lane[16] = {};
  for (size_t i = 0; i < n; ++i) {
    float d = x[i] - mean;
    lane[i % 16] = Fma(d, d, lane[i % 16]);
  }
  float r = InverseRoot(AddLanes(lane), n, eps);
  for (size_t i = 0; i < n; ++i) {
    float scaled = (x[i] - mean) * r;
    scaled = w != nullptr ? scaled * w[i] : scaled;
    y[i] = b != nullptr ? scaled + b[i] : scaled;
  }
}

// Section 5.
float Apply(Activation act, float x) {
  switch (act) {
    case Activation::kSilu:
      return Silu(x);
    case Activation::kGeluTanh:
      return GeluTanh(x);
    case Activation::kGeluQuick:
      return GeluQuick(x);
    case Activation::kRelu:
      return Relu(x);
    case Activation::kSigmoid:
      return Sigmoid(x);
    case Activation::kTanh:
      return Tanh(x);
    case Activation::kExp:
      return Exp(x);
  }
  CheckFailed("act is one of Activation", __FILE__, __LINE__);
}

void Activate(Activation act, const float* x, size_t n, float* y) {
  for (size_t i = 0; i < n; ++i) y[i] = Apply(act, x[i]);
}

void GatedUnit(Activation act, const float* gate, const float* up, size_t n, float* y) {
  for (size_t i = 0; i < n; ++i) y[i] = Apply(act, gate[i]) * up[i];
}

void Add(const float* x, size_t n, float* y) {
  for (size_t i = 0; i < n; ++i) y[i] = y[i] + x[i];
}

void ToF16(const float* x, size_t n, uint16_t* y) {
  for (size_t i = 0; i < n; ++i) y[i] = F32ToF16(x[i]);
}

// Section 6.
void RotatePair(float c, float s, float* x0, float* x1) {
  float t0 = *x1 * s;
  float t1 = *x1 * c;
  float y0 = Fma(*x0, c, -t0);
  *x1 = Fma(*x0, s, t1);
  *x0 = y0;
}

void RopeAdjacent(const float* cos_sin, size_t pairs, float* x) {
  for (size_t i = 0; i < pairs; ++i) {
    RotatePair(cos_sin[2 * i], cos_sin[2 * i + 1], x + 2 * i, x + 2 * i + 1);
  }
}

void RopeHalfSplit(const float* cos_sin, size_t pairs, float* x) {
  for (size_t i = 0; i < pairs; ++i) {
    RotatePair(cos_sin[2 * i], cos_sin[2 * i + 1], x + i, x + pairs + i);
  }
}

}  // namespace

const Kernels kScalarKernels = {
    .tile_rows = 1,
    .float_tile_rows = 1,
    .gguf_rows = true,
    .group_rows = 1,
    .matmul_tiles = 1,
    .matmul_streams = 1,
    .task_macs = 24u << 20,
    .matmul = MatMul,
    .quantise = Quantise,
    .all_below = AllBelow,
    .rms_norm = RmsNorm,
    .layer_norm = LayerNorm,
    .activate = Activate,
    .gated_unit = GatedUnit,
    .add = Add,
    .to_f16 = ToF16,
    .rope_adjacent = RopeAdjacent,
    .rope_half_split = RopeHalfSplit,
    .attention = ScalarAttention,
    .attention_merge = ScalarAttentionMerge,
};

}  // namespace teetee::ops::cpu
