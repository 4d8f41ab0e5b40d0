// Rotary position embedding (Su et al. 2021, section 3.4) with linear, YaRN (Peng et al. 2023) and Llama-3 frequency scaling.
// The tables are made in f64 by our own exp, ln, sin and cos: libm's differ by version and CPU.
// Source: docs/formats/numerics.md section 6.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/result.h"
#include "ops/isa.h"

namespace teetee::ops {

// The f64 functions. Exp64: |x| <= 708. Ln64: x normal and positive. SinCos64: of the exact sum a + e, 0 <= a < 2^27,
// |e| <= ulp(a) / 2.
double Exp64(double x);
double Ln64(double x);
void SinCos64(double a, double e, double* sin, double* cos);

enum class RopePairs {
  kAdjacent,   // (x[2i], x[2i+1]): GGUF "normal", Llama
  kHalfSplit,  // (x[i], x[i + rotary_dim/2]): GGUF "neox", Qwen, Gemma
};

enum class RopeScaling { kNone, kLinear, kYarn };

struct RopeParams {
  size_t rotary_dim = 0;  // even; dimensions beyond it pass through
  float base = 10000.0f;
  RopeScaling scaling = RopeScaling::kNone;
  float factor = 1.0f;         // kLinear, kYarn
  float orig_context = 4096;   // kYarn
  float beta_fast = 32.0f;     // kYarn
  float beta_slow = 1.0f;      // kYarn
  float attn_factor = 1.0f;    // times the YaRN magnitude; multiplies cos and sin
  std::vector<float> factors;  // (rotary_dim / 2) frequency factors (tensor rope_freqs), or empty
};

// Llama-3 frequency factors, for a model whose file has no rope_freqs tensor. Result: (rotary_dim / 2).
std::vector<float> Llama3RopeFactors(size_t rotary_dim, float base, float factor, float low_freq,
                                     float high_freq, float orig_context);

inline constexpr size_t kMaxRopePositions = 1u << 20;

// cos and sin for positions [0, n_positions). Immutable and thread-safe after Make.
class RopeTable {
 public:
  // kInvalidArgument: odd or zero rotary_dim (or above 65536), a parameter that is not finite or not positive, factors of
  // another size, more than kMaxRopePositions positions. Memory: n_positions * rotary_dim * 4 bytes.
  static Result<RopeTable> Make(const RopeParams& params, size_t n_positions);

  size_t n_positions() const { return n_positions_; }
  size_t rotary_dim() const { return 2 * theta_.size(); }
  const std::vector<double>& theta() const { return theta_; }  // (rotary_dim / 2)
  double magnitude() const { return magnitude_; }
  // (rotary_dim / 2, 2): cos, sin of each pair at one position. REQUIRES: position < n_positions().
  const float* Position(size_t position) const;

  // Rotates heads in place. x: (n, n_heads, head_dim); row j stands at position pos0 + j.
  // REQUIRES: rotary_dim() <= head_dim, pos0 + n <= n_positions().
  void Apply(Isa isa, RopePairs pairs, size_t pos0, size_t n, size_t n_heads, size_t head_dim,
             float* x) const;

 private:
  RopeTable() = default;

  size_t n_positions_ = 0;
  double magnitude_ = 1.0;
  std::vector<double> theta_;
  std::vector<float> table_;  // (n_positions, rotary_dim / 2, 2)
};

}  // namespace teetee::ops
