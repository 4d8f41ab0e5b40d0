#include "ops/rope.h"

#include <bit>
#include <cmath>

#include "base/check.h"
#include "ops/cpu/kernels.h"

namespace teetee::ops {
namespace {

constexpr double kLog2E = 0x1.71547652b82fep+0;
constexpr double kLn2High = 0x1.62e42feep-1;
constexpr double kLn2Low = 0x1.a39ef35793c76p-33;
constexpr double kTwoPi = 0x1.921fb54442d18p+2;
constexpr double kTwoOverPi = 0x1.45f306dc9c883p-1;
constexpr double kHalfPi1 = 0x1.921fb54442d18p+0;  // pi/2 in three parts
constexpr double kHalfPi2 = 0x1.1a62633145c07p-54;
constexpr double kHalfPi3 = -0x1.f1976b7ed8fbcp-110;
constexpr double kRound = 0x1.8p52;  // adding and subtracting it rounds to an integer
constexpr double kMaxTheta = 127.0;  // keeps position * theta below 2^27, where SinCos64 is exact enough

double Fma(double a, double b, double c) { return __builtin_fma(a, b, c); }

}  // namespace

double Exp64(double x) {
  if (!(x >= -708.0)) return 0.0;
  if (x > 709.0) x = 709.0;
  double k = Fma(x, kLog2E, kRound) - kRound;
  double high = Fma(k, -kLn2High, x);
  double low = k * kLn2Low;
  double r = high - low;
  double c = (high - r) - low;
  double z = r * r;
  double q = 1.0 / 6227020800.0;  // 1/13!
  for (double f : {479001600.0, 39916800.0, 3628800.0, 362880.0, 40320.0, 5040.0, 720.0, 120.0,
                   24.0, 6.0, 2.0}) {
    q = Fma(q, r, 1.0 / f);
  }
  double y = 1.0 + (r + Fma(z, q, c));
  uint64_t exponent = static_cast<uint64_t>(static_cast<int64_t>(k) + 1023);
  return y * std::bit_cast<double>(exponent << 52);
}

double Ln64(double x) {
  constexpr uint64_t kMantissa = 0xfffffffffffffull;
  constexpr uint64_t kRootTwo = 0x6a09e667f3bcdull;  // mantissa of sqrt(2)
  uint64_t bits = std::bit_cast<uint64_t>(x);
  int e = static_cast<int>(bits >> 52) - 1023;
  uint64_t m = bits & kMantissa;
  bool halve = m >= kRootTwo;
  double f = std::bit_cast<double>(m | (halve ? 1022ull : 1023ull) << 52) - 1.0;
  double k = static_cast<double>(halve ? e + 1 : e);
  double s = f / (2.0 + f);
  double z = s * s;
  double h = 0.5 * (f * f);
  double p = 2.0 / 25.0;
  for (double n : {23.0, 21.0, 19.0, 17.0, 15.0, 13.0, 11.0, 9.0, 7.0, 5.0, 3.0}) {
    p = Fma(p, z, 2.0 / n);
  }
  double rest = z * p;
  return Fma(k, kLn2High, f - (h - Fma(k, kLn2Low, s * (h + rest))));
}

void SinCos64(double a, double e, double* sin, double* cos) {
  double k = Fma(a, kTwoOverPi, kRound) - kRound;
  double r0 = Fma(-k, kHalfPi1, a);
  double t = Fma(-k, kHalfPi2, e);
  t = Fma(-k, kHalfPi3, t);
  double r = r0 + t;
  double d = (r0 - r) + t;
  double z = r * r;
  double s = 1.0 / 355687428096000.0;  // 1/17!
  for (double f : {-1307674368000.0, 6227020800.0, -39916800.0, 362880.0, -5040.0, 120.0, -6.0}) {
    s = Fma(s, z, 1.0 / f);
  }
  double c = 1.0 / 20922789888000.0;  // 1/16!
  for (double f : {-87178291200.0, 479001600.0, -3628800.0, 40320.0, -720.0, 24.0, -2.0}) {
    c = Fma(c, z, 1.0 / f);
  }
  double cosine = 1.0 + Fma(c, z, -(r * d));
  double sine = r + Fma(r * z, s, d * cosine);
  switch (static_cast<int64_t>(k) & 3) {
    case 0:
      *sin = sine;
      *cos = cosine;
      return;
    case 1:
      *sin = cosine;
      *cos = -sine;
      return;
    case 2:
      *sin = -sine;
      *cos = -cosine;
      return;
    default:
      *sin = -cosine;
      *cos = sine;
  }
}

namespace {

double BaseTheta(size_t i, size_t d, double ln_base) {
  return Exp64(-((static_cast<double>(2 * i) / static_cast<double>(d)) * ln_base));
}

// YaRN's ramp between the frequencies that are kept and those that are interpolated (Peng et al. 2023, section 3.2).
struct YarnRamp {
  double low;
  double high;
};

YarnRamp MakeYarnRamp(const RopeParams& p, double ln_base) {
  const double d = static_cast<double>(p.rotary_dim);
  auto dim = [&](float beta) {
    double turns = static_cast<double>(p.orig_context) / (static_cast<double>(beta) * kTwoPi);
    return (d * Ln64(turns)) / (2.0 * ln_base);
  };
  double low = std::floor(dim(p.beta_fast));
  double high = std::ceil(dim(p.beta_slow));
  double max = d - 1.0;
  return {low > 0 ? low : 0, high < max ? high : max};
}

double YarnTheta(const YarnRamp& ramp, double theta, size_t i, float factor) {
  double width = ramp.high - ramp.low;
  width = width > 0.001 ? width : 0.001;
  double y = (static_cast<double>(i) - ramp.low) / width;
  y = y > 0 ? y : 0;
  y = y < 1 ? y : 1;
  double g = 1.0 - y;
  double interpolated = theta / static_cast<double>(factor);
  return Fma(interpolated, 1.0 - g, theta * g);
}

bool IsPositive(float x) { return std::isnormal(x) && x > 0; }

Status CheckParams(const RopeParams& p, size_t n_positions) {
  if (p.rotary_dim == 0 || p.rotary_dim % 2 != 0 || p.rotary_dim > 65536) {
    return Error(Code::kInvalidArgument, "rope: rotary_dim is zero, odd or too large");
  }
  if (n_positions == 0 || n_positions > kMaxRopePositions) {
    return Error(Code::kInvalidArgument, "rope: number of positions is zero or too large");
  }
  for (float v : {p.base, p.factor, p.orig_context, p.beta_fast, p.beta_slow, p.attn_factor}) {
    if (!IsPositive(v)) return Error(Code::kInvalidArgument, "rope: a parameter is not positive");
  }
  if (!(p.base > 1.0f)) return Error(Code::kInvalidArgument, "rope: base is not above 1");
  if (!p.factors.empty() && p.factors.size() != p.rotary_dim / 2) {
    return Error(Code::kInvalidArgument, "rope: there is not one frequency factor per pair");
  }
  for (float v : p.factors) {
    if (!IsPositive(v)) return Error(Code::kInvalidArgument, "rope: a factor is not positive");
  }
  return Ok{};
}

std::vector<double> MakeTheta(const RopeParams& p) {
  const double ln_base = Ln64(static_cast<double>(p.base));
  YarnRamp ramp{0, 0};
  if (p.scaling == RopeScaling::kYarn) ramp = MakeYarnRamp(p, ln_base);
  std::vector<double> theta(p.rotary_dim / 2);
  for (size_t i = 0; i < theta.size(); ++i) {
    double t = BaseTheta(i, p.rotary_dim, ln_base);
    if (!p.factors.empty()) t = t / static_cast<double>(p.factors[i]);
    if (p.scaling == RopeScaling::kLinear) t = t / static_cast<double>(p.factor);
    if (p.scaling == RopeScaling::kYarn) t = YarnTheta(ramp, t, i, p.factor);
    theta[i] = t;
  }
  return theta;
}

}  // namespace

std::vector<float> Llama3RopeFactors(size_t rotary_dim, float base, float factor, float low_freq,
                                     float high_freq, float orig_context) {
  const double ln_base = Ln64(static_cast<double>(base));
  const double low = static_cast<double>(low_freq);
  const double high = static_cast<double>(high_freq);
  const double orig = static_cast<double>(orig_context);
  std::vector<float> out(rotary_dim / 2);
  for (size_t i = 0; i < out.size(); ++i) {
    double wavelength = kTwoPi / BaseTheta(i, rotary_dim, ln_base);
    if (wavelength < orig / high) {
      out[i] = 1.0f;
    } else if (wavelength > orig / low) {
      out[i] = factor;
    } else {
      double s = (orig / wavelength - low) / (high - low);
      out[i] = static_cast<float>(1.0 / ((1.0 - s) / static_cast<double>(factor) + s));
    }
  }
  return out;
}

Result<RopeTable> RopeTable::Make(const RopeParams& params, size_t n_positions) {
  TT_RETURN_IF_ERROR(CheckParams(params, n_positions));
  RopeTable table;
  table.n_positions_ = n_positions;
  table.theta_ = MakeTheta(params);
  for (double theta : table.theta_) {
    if (!(theta <= kMaxTheta)) return Error(Code::kInvalidArgument, "rope: a frequency is too large");
  }
  table.magnitude_ = static_cast<double>(params.attn_factor);
  if (params.scaling == RopeScaling::kYarn) {
    table.magnitude_ *= 1.0 + 0.1 * Ln64(static_cast<double>(params.factor));
  }
  table.table_.resize(n_positions * params.rotary_dim);
  float* entry = table.table_.data();
  for (size_t p = 0; p < n_positions; ++p) {
    const double position = static_cast<double>(p);
    for (double theta : table.theta_) {
      double a = position * theta;
      double e = Fma(position, theta, -a);
      double sine, cosine;
      SinCos64(a, e, &sine, &cosine);
      *entry++ = static_cast<float>(cosine * table.magnitude_);
      *entry++ = static_cast<float>(sine * table.magnitude_);
    }
  }
  return table;
}

const float* RopeTable::Position(size_t position) const {
  TT_CHECK(position < n_positions_);
  return table_.data() + position * rotary_dim();
}

void RopeTable::Apply(Isa isa, RopePairs pairs, size_t pos0, size_t n, size_t n_heads,
                      size_t head_dim, float* x) const {
  TT_CHECK(rotary_dim() <= head_dim && pos0 <= n_positions_ && n <= n_positions_ - pos0);
  const cpu::Kernels& kernels = cpu::KernelsFor(isa);
  auto rotate =
      pairs == RopePairs::kAdjacent ? kernels.rope_adjacent : kernels.rope_half_split;
  for (size_t j = 0; j < n; ++j) {
    const float* cos_sin = Position(pos0 + j);
    for (size_t h = 0; h < n_heads; ++h) {
      rotate(cos_sin, theta_.size(), x + (j * n_heads + h) * head_dim);
    }
  }
}

}  // namespace teetee::ops
