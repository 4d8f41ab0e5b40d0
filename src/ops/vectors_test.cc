// Every record of tests/vectors/numerics/ whose operation lives in ops, on every instruction set of this machine.
#include <bit>
#include <cmath>
#include <cstdio>
#include <map>
#include <set>

#include <gtest/gtest.h>

#include "base/testing/sanitizers.h"
#include "crypto/hash.h"
#include "ops/activation.h"
#include "ops/attention.h"
#include "ops/f16.h"
#include "ops/norm.h"
#include "ops/packed_matrix.h"
#include "ops/rope.h"
#include "ops/sum.h"
#include "ops/testing/vectors.h"

namespace teetee::ops {
namespace {

using testing::Fl;
using testing::FlVector;
using testing::HfVector;
using testing::VectorOutput;
using testing::VectorRecord;
using testing::WideVector;
using testing::Z;

// Operations of numerics.md sections 9 and 10, tested where they live.
const std::set<std::string> kElsewhere = {"moe", "philox", "draw64", "sample", "pick", "logprobs"};

size_t SizeOf(const VectorRecord& r, const char* key) {
  auto value = testing::Parameter(r.in, key);
  EXPECT_TRUE(value.has_value()) << r.in << " has no " << key;
  return value ? static_cast<size_t>(*value) : 1;
}

float FloatOf(const VectorRecord& r, const char* key) {
  auto value = testing::Parameter(r.in, key);
  EXPECT_TRUE(value.has_value()) << r.in << " has no " << key;
  return value ? static_cast<float>(*value) : 1.0f;
}

bool Contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

// The number inside "name(123...": Seed("w=row(100+r)", "row(") = 100.
uint64_t Seed(const std::string& text, const std::string& name) {
  size_t at = text.find(name);
  EXPECT_NE(at, std::string::npos) << text;
  return at == std::string::npos ? 0 : std::strtoull(text.c_str() + at + name.size(), nullptr, 10);
}

// The vector written after "x=".
std::vector<float> InputOf(const std::string& in, size_t k) {
  std::string x = in.substr(in.find("x=") + 2);
  x = x.substr(0, x.find(' '));
  std::vector<float> out(k);
  if (x.starts_with("wide(")) {
    out = WideVector(Seed(x, "wide("), k);
  } else if (x.starts_with("fl(")) {
    out = FlVector(Seed(x, "fl("), k);
  } else if (x.starts_with("sign(")) {
    for (size_t i = 0; i < k; ++i) out[i] = Z(Seed(x, "sign("), i) & 1 ? 1.0f : -1.0f;
  } else {
    EXPECT_TRUE(x == "-1" || x == "0") << x;
    std::fill(out.begin(), out.end(), x == "-1" ? -1.0f : 0.0f);
  }
  if (x.ends_with("*2^-100")) {
    for (float& v : out) v *= 0x1p-100f;
  }
  return out;
}

float SpecialValue(const std::string& name, uint64_t k) {
  if (name == "zeros") return 0.0f;
  if (name == "negzeros") return -0.0f;
  if (name == "subnormal") return std::bit_cast<float>(uint32_t(Z(21, k)) & 0x807fffffu);
  if (name == "amax_2^-100" || name == "amax_above") return Fl(22, k) * 0x1p-100f;
  if (name == "maxmag") return Z(23, k) & 1 ? 0x1.fffffep127f : -0x1.fffffep127f;
  if (name == "ties") return static_cast<float>(static_cast<int>(Z(24, k) % 509) - 254) * 0.5f;
  EXPECT_EQ(name, "minus127");
  return -127.0f;
}

std::vector<float> NearTies() {
  std::vector<float> x(8192);
  for (size_t b = 0; b < 256; ++b) {
    float amax = 1.0f + std::fabs(Fl(25, b));
    float dx = amax / 127.0f;
    for (size_t k = 0; k < 32; ++k) {
      size_t i = b * 32 + k;
      uint64_t z = Z(26, i);
      float v = (static_cast<float>(static_cast<int>(z % 127)) + 0.5f) * dx;
      v = std::bit_cast<float>(std::bit_cast<uint32_t>(v) + static_cast<uint32_t>(z >> 32) % 5 - 2);
      x[i] = z >> 63 ? -v : v;
    }
    x[b * 32 + 7] = amax;
  }
  return x;
}

std::vector<float> QuantInput(const std::string& name) {
  if (name.starts_with("wide(20)")) return WideVector(20, 4096);
  if (name.starts_with("nearties")) return NearTies();
  std::vector<float> x(64);
  for (size_t k = 0; k < 64; ++k) x[k] = SpecialValue(name, k);
  if (name == "amax_2^-100") x[3] = -0x1p-100f, x[40] = 0x1p-100f;
  if (name == "amax_above") x[3] = -0x1.000002p-100f, x[40] = 0x1.000002p-100f;
  if (name == "ties") x[5] = 127.0f, x[37] = -127.0f;
  return x;
}

Bytes Quant(Isa isa, const VectorRecord& r) {
  std::vector<float> x = QuantInput(r.in);
  Activations a;
  EXPECT_TRUE(a.Set(isa, x.data(), 1, x.size(), true).has_value());
  VectorOutput out;
  for (size_t i = 0; i < x.size(); ++i) out.Put(a.q()[i]);
  for (size_t b = 0; b < x.size() / 32; ++b) {
    out.Put(a.dx()[b]);
    out.Put(a.dx_sum()[b]);
    out.Put(int32_t{static_cast<int16_t>(a.sums()[b] & 0xffff)});
    out.Put(int32_t{a.sums()[b] >> 16});
  }
  return out.bytes();
}

std::vector<float> Product(Isa isa, DType dtype, const Bytes& w, size_t rows,
                           const std::vector<float>& x) {
  auto matrix = PackedMatrix::Pack(isa, dtype, rows, x.size(), w);
  EXPECT_TRUE(matrix.has_value());
  Activations a;
  EXPECT_TRUE(a.Set(isa, x.data(), 1, x.size(), IsQuantised(dtype)).has_value());
  std::vector<float> y(rows);
  ThreadPool pool(2);
  MatMul(*matrix, a, 1, y.data(), pool);
  return y;
}

Bytes DotQuantised(Isa isa, DType dtype, const VectorRecord& r) {
  const size_t k = SizeOf(r, "K");
  const size_t rows = SizeOf(r, "R");
  Bytes w;
  for (size_t i = 0; i < rows; ++i) {
    Bytes row = testing::QuantisedRow(dtype, Seed(r.in, "w=row(") + i, k);
    if (Contains(r.in, "fill=")) testing::FillCodes(dtype, uint8_t(SizeOf(r, "fill")), &row);
    if (Contains(r.in, "subnormal scales")) testing::MakeScalesSubnormal(dtype, &row);
    w.insert(w.end(), row.begin(), row.end());
  }
  VectorOutput out;
  out.All(Product(isa, dtype, w, rows, InputOf(r.in, k)));
  return out.bytes();
}

Bytes DotUnderflow(Isa isa) {
  VectorOutput out;
  std::vector<float> x(40);
  for (size_t k = 0; k < 40; ++k) x[k] = Fl(12, k) * 0x1p-80f;
  for (size_t r = 0; r < 16; ++r) {
    Bytes w;
    const size_t columns = r == 15 ? 12 : 40;
    for (size_t k = 0; k < columns; ++k) {
      float v = (k > r ? 1.0f : -1.0f) * std::fabs(Fl(1200 + r, k)) * 0x1p-75f *
                (x[k] < 0 ? -1.0f : 1.0f);
      const auto* p = reinterpret_cast<const uint8_t*>(&v);
      w.insert(w.end(), p, p + 4);
    }
    out.All(Product(isa, DType::kF32, w, 1, std::vector<float>(x.begin(), x.begin() + columns)));
  }
  return out.bytes();
}

Bytes DotFloat(Isa isa, DType dtype, const VectorRecord& r) {
  if (r.in == "underflow") return DotUnderflow(isa);
  const size_t k = SizeOf(r, "K");
  Bytes w;
  for (size_t i = 0; i < SizeOf(r, "R"); ++i) {
    Bytes row = testing::FloatRow(dtype, 1100 + i, k);
    w.insert(w.end(), row.begin(), row.end());
  }
  VectorOutput out;
  out.All(Product(isa, dtype, w, SizeOf(r, "R"), InputOf(r.in, k)));
  return out.bytes();
}

Bytes Dequantise(Isa isa, DType dtype, const VectorRecord& r) {
  const size_t k = SizeOf(r, "K");
  auto matrix = PackedMatrix::Pack(isa, dtype, 1, k, testing::QuantisedRow(dtype, 900, k));
  EXPECT_TRUE(matrix.has_value());
  std::vector<float> y(k);
  matrix->Row(0, y.data());
  VectorOutput out;
  out.All(y);
  return out.bytes();
}

Bytes NormZeros(Isa isa) {
  VectorOutput out;
  std::vector<float> x(64), y(64);
  EXPECT_TRUE(RmsNorm(isa, x.data(), nullptr, 1, 64, 1e-6f, y.data()).has_value());
  out.All(y);
  x[5] = -0.0f;
  x[6] = 0x1p-140f;
  EXPECT_TRUE(RmsNorm(isa, x.data(), nullptr, 1, 64, 1e-6f, y.data()).has_value());
  out.All(y);
  return out.bytes();
}

Bytes Norm(Isa isa, const VectorRecord& r) {
  if (r.in == "zeros") return NormZeros(isa);
  const size_t n = SizeOf(r, "n");
  std::vector<float> x = WideVector(13, n), w = FlVector(14, n), b = FlVector(15, n), y(n);
  VectorOutput out;
  if (r.op == "sum16") {
    out.Put(Sum16(x.data(), n));
    return out.bytes();
  }
  const float* bias = Contains(r.in, "nobias") ? nullptr : b.data();
  Status status = r.op == "rmsnorm"
                      ? RmsNorm(isa, x.data(), w.data(), 1, n, 1e-5f, y.data())
                      : LayerNorm(isa, x.data(), w.data(), bias, 1, n, 1e-5f, y.data());
  EXPECT_TRUE(status.has_value());
  out.All(y);
  return out.bytes();
}

std::vector<float> FunctionInput(const VectorRecord& r) {
  std::vector<float> x;
  if (r.in == "bits k*65537") {
    for (uint32_t k = 0; k < 65536; ++k) {
      float v = std::bit_cast<float>(k * 65537u);
      x.push_back(std::isfinite(v) ? v : 0.0f);
    }
  } else if (r.in == "fl(31)*100") {
    x = FlVector(31, 65536, 100.0f);
  } else if (r.in == "nonfinite") {
    for (uint32_t u : {0x7fc00000u, 0xffc00000u, 0x7f800000u, 0xff800000u}) {
      x.push_back(std::bit_cast<float>(u));
    }
  } else if (r.op == "f2h") {
    x = {65504.f, 65519.f,  65520.f,   1e9f,       -1e9f,      0x1p-24f,     0x1p-25f, 0x1.000002p-25f,
         0x1.8p-24f, 0x1.004p0f, 0x1.00cp0f, -0.f, 0x1.ffcp-15f, 0x1.ffep-15f};
  } else {
    EXPECT_EQ(r.in, "literals");
    x = {0.f,   -0.f,   1.f,           -1.f, 0.25f, 0x1.fffffep-3f, -0.25f,     88.f,
         88.5f, -87.f, -0x1.5c0002p+6f, 1e30f, -1e30f, 0x1p-149f,      -0x1p-130f, 0.6931472f};
  }
  return x;
}

const std::map<std::string, Activation> kFunctions = {
    {"exp", Activation::kExp},     {"sigmoid", Activation::kSigmoid},
    {"silu", Activation::kSilu},   {"tanh", Activation::kTanh},
    {"gelu", Activation::kGeluTanh}, {"gelu_quick", Activation::kGeluQuick}};

Bytes Function(Isa isa, const VectorRecord& r) {
  std::vector<float> x = FunctionInput(r), y(x.size());
  VectorOutput out;
  if (r.op == "f2h") {
    for (float v : x) out.Put(F32ToF16(v));
    return out.bytes();
  }
  Activate(isa, kFunctions.at(r.op), x.data(), x.size(), y.data());
  out.All(y);
  return out.bytes();
}

Bytes SwigluOai() {
  std::vector<float> g = FlVector(32, 4096, 12.0f), u = FlVector(33, 4096, 12.0f), y(4096);
  SwiGluOai(g.data(), u.data(), y.size(), 1.702f, 7.0f, y.data());
  VectorOutput out;
  out.All(y);
  return out.bytes();
}

Bytes Function64(const VectorRecord& r) {
  VectorOutput out;
  for (uint64_t k = 0; k < 20000; ++k) {
    double u = static_cast<double>(static_cast<int64_t>(Z(34, k) >> 11)) * 0x1p-53;
    if (r.op == "exp64") out.Put(Exp64(-20 * u));
    if (r.op == "ln64") {
      out.Put(Ln64(u + 0x1p-60));
      out.Put(Ln64(1 + u * 1e6));
    }
    if (r.op == "sincos64") {
      double theta = Exp64(-14 * u);
      double p = static_cast<double>(Z(35, k) & 0xfffff);
      double a = p * theta, s, c;
      SinCos64(a, std::fma(p, theta, -a), &s, &c);
      out.Put(s);
      out.Put(c);
    }
  }
  return out.bytes();
}

RopeParams RopeOf(const VectorRecord& r) {
  RopeParams p;
  p.rotary_dim = SizeOf(r, "d");
  p.base = FloatOf(r, "base");
  if (Contains(r.in, "linear ")) {
    p.scaling = RopeScaling::kLinear;
    p.factor = static_cast<float>(Seed(r.in, "linear "));
  }
  if (Contains(r.in, "yarn ")) {
    p.scaling = RopeScaling::kYarn;
    p.factor = FloatOf(r, "factor");
    p.orig_context = FloatOf(r, "orig");
  }
  if (Contains(r.in, "llama3 ")) {
    p.factors = Llama3RopeFactors(p.rotary_dim, p.base, FloatOf(r, "factor"), FloatOf(r, "low"),
                                  FloatOf(r, "high"), FloatOf(r, "orig"));
  }
  return p;
}

Bytes RopeApply(Isa isa, const VectorRecord& r) {
  RopeParams params;
  params.rotary_dim = 64;
  auto table = RopeTable::Make(params, 131072);
  EXPECT_TRUE(table.has_value());
  VectorOutput out;
  for (size_t p : {0, 1, 77, 4095, 131071}) {
    std::vector<float> x = WideVector(41, 80);
    RopePairs pairs =
        r.in.starts_with("half-split") ? RopePairs::kHalfSplit : RopePairs::kAdjacent;
    table->Apply(isa, pairs, p, 1, 1, 80, x.data());
    out.All(x);
  }
  return out.bytes();
}

Bytes Rope(Isa isa, const VectorRecord& r) {
  if (r.op == "rope_apply") return RopeApply(isa, r);
  RopeParams params = RopeOf(r);
  VectorOutput out;
  if (r.op == "rope_factors") {
    out.All(params.factors);
    return out.bytes();
  }
  const size_t positions = r.op == "rope_table" ? SizeOf(r, "P") : 1;
  auto table = RopeTable::Make(params, positions);
  EXPECT_TRUE(table.has_value());
  if (r.op == "rope_table") {
    const auto* p = reinterpret_cast<const uint8_t*>(table->Position(0));
    return Bytes(p, p + positions * params.rotary_dim * 4);
  }
  out.All(table->theta());
  out.Put(table->magnitude());
  return out.bytes();
}

std::vector<float> Widened(const std::vector<uint16_t>& halves) {
  std::vector<float> out(halves.size());
  for (size_t i = 0; i < out.size(); ++i) out[i] = F16ToF32(halves[i]);
  return out;
}

void AttendAt(Isa isa, const KvCacheLayer& cache, const std::vector<float>& q, size_t p,
              const AttentionParams& params, VectorOutput* out) {
  ThreadPool pool(1);
  std::vector<float> o(q.size());
  ASSERT_TRUE(cache.Attention(isa, q.data(), 1, p, 1, params, pool, o.data()).has_value());
  out->All(o);
}

KvCacheLayer CacheOf(const std::vector<uint16_t>& k, const std::vector<uint16_t>& v, size_t n,
                     size_t head_dim) {
  auto cache = KvCacheLayer::Make(n, 1, head_dim);
  EXPECT_TRUE(cache.has_value());
  EXPECT_TRUE(cache->Append(Widened(k).data(), Widened(v).data(), n).has_value());
  return *std::move(cache);
}

Bytes AttentionExtreme(Isa isa) {
  const size_t hd = 16, n = 600;
  std::vector<uint16_t> k(n * hd), v(n * hd);
  for (size_t i = 0; i < k.size(); ++i) {
    k[i] = i / hd == 5 ? 0x7bff : 0xfbff;
    v[i] = i % 3 ? 0x8000 : 0x8001;
  }
  KvCacheLayer cache = CacheOf(k, v, n, hd);
  VectorOutput out;
  for (size_t p : {4, 5, 300, 599}) {
    AttendAt(isa, cache, std::vector<float>(hd, 1.0f), p, {.scale = 0.25f}, &out);
  }
  return out.bytes();
}

Bytes Attention(Isa isa, const VectorRecord& r) {
  if (r.in == "extreme") return AttentionExtreme(isa);
  const size_t hd = SizeOf(r, "hd");
  static std::map<size_t, KvCacheLayer> caches;  // the same for all records of one head size
  if (!caches.contains(hd)) {
    caches.emplace(hd, CacheOf(HfVector(51, 800 * hd), HfVector(52, 800 * hd), 800, hd));
  }
  std::vector<float> q = FlVector(53, hd, 4.0f);
  const float plus = 2.5f, minus = -30.0f;
  VectorOutput out;
  for (int variant = 0; variant < 3; ++variant) {
    AttentionParams params;
    params.window = SizeOf(r, "W");
    if (variant == 1) params.sinks = &plus;
    if (variant == 2) params.sinks = &minus, params.softcap = 20.0f;
    AttendAt(isa, caches.at(hd), q, SizeOf(r, "p"), params, &out);
  }
  return out.bytes();
}

// The output of one record; an empty one for an operation that nobody here knows.
Bytes Compute(Isa isa, const VectorRecord& r) {
  if (r.op == "quant") return Quant(isa, r);
  if (r.op.starts_with("dot_") || r.op.starts_with("deq_")) {
    auto dtype = ParseDType(r.op.substr(4));
    EXPECT_TRUE(dtype.has_value()) << r.op;
    if (!dtype) return {};
    if (r.op.starts_with("deq_")) return Dequantise(isa, *dtype, r);
    return IsQuantised(*dtype) ? DotQuantised(isa, *dtype, r) : DotFloat(isa, *dtype, r);
  }
  if (r.op == "sum16" || r.op == "rmsnorm" || r.op == "layernorm") return Norm(isa, r);
  if (r.op == "f2h" || kFunctions.contains(r.op)) return Function(isa, r);
  if (r.op == "swiglu_oai") return SwigluOai();
  if (r.op == "exp64" || r.op == "ln64" || r.op == "sincos64") return Function64(r);
  if (r.op.starts_with("rope_")) return Rope(isa, r);
  if (r.op == "attention") return Attention(isa, r);
  return {};
}

// These read no instruction set, so one run is enough.
bool IsPortable(const std::string& op) {
  return op == "rope_table" || op == "rope_theta" || op == "rope_factors" || op == "exp64" ||
         op == "ln64" || op == "sincos64" || op == "f2h" || op == "swiglu_oai" || op == "sum16";
}

std::vector<Isa> SupportedIsas() {
  std::vector<Isa> out;
  for (Isa isa : kAllIsas) {
    if (IsaSupported(isa)) out.push_back(isa);
  }
  return out;
}

// Runs every record of a file and checks how many there were: a record that drops out is a failure, not silence.
void RunFile(const std::string& name, size_t expected) {
  auto records = testing::LoadVectors(name);
  ASSERT_TRUE(records.has_value()) << records.error().message();
  for (Isa isa : SupportedIsas()) {
    std::map<std::string, size_t> ran;
    size_t total = 0, rope_tables = 0;
    for (const VectorRecord& r : *records) {
      if (kElsewhere.contains(r.op)) continue;
      ++total;
      if (isa != Isa::kScalar && IsPortable(r.op)) continue;
      // By far the largest outputs, all from the same code.
      if (kSanitized && r.op == "rope_table" && rope_tables++ % 4 != 0) continue;
      Bytes output = Compute(isa, r);
      EXPECT_EQ(testing::Difference(r, output, ToHex(crypto::Sha256(output))), "") << IsaName(isa);
      ++ran[r.op];
    }
    EXPECT_EQ(total, expected) << name;
    std::printf("%s, %s:", name.c_str(), std::string(IsaName(isa)).c_str());
    for (const auto& [op, count] : ran) std::printf(" %s %zu", op.c_str(), count);
    std::printf("\n");
  }
}

TEST(Vectors, Weights) { RunFile("vectors-weights.json", 260); }
TEST(Vectors, Functions) { RunFile("vectors-functions.json", 53); }
TEST(Vectors, Model) { RunFile("vectors-model.json", 281); }

TEST(Vectors, AWrongOutputIsNoticed) {
  auto records = testing::LoadVectors("vectors-functions.json");
  ASSERT_TRUE(records.has_value());
  Bytes output = Compute(Isa::kScalar, records->front());
  output[17] ^= 1;
  EXPECT_NE(testing::Difference(records->front(), output, ToHex(crypto::Sha256(output))), "");
}

}  // namespace
}  // namespace teetee::ops
