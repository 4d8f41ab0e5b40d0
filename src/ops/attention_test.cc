#include <cmath>
#include <cstring>
#include <limits>

#include <gtest/gtest.h>

#include "ops/activation.h"
#include "ops/attention.h"
#include "ops/norm.h"
#include "ops/rope.h"
#include "ops/sum.h"
#include "ops/testing/vectors.h"

namespace teetee::ops {
namespace {

const float kInfinity = std::numeric_limits<float>::infinity();

KvCacheLayer FilledCache(size_t positions, size_t n_kv_heads, size_t head_dim, uint64_t seed) {
  auto cache = KvCacheLayer::Make(positions, n_kv_heads, head_dim);
  EXPECT_TRUE(cache.has_value());
  const size_t row = n_kv_heads * head_dim;
  std::vector<float> k = testing::FlVector(seed, positions * row, 2.0f);
  std::vector<float> v = testing::WideVector(seed + 1, positions * row);
  // In pieces of uneven size: the pieces must not show.
  for (size_t at = 0; at < positions;) {
    size_t n = std::min<size_t>(positions - at, 1 + at % 23);
    EXPECT_TRUE(cache->Append(k.data() + at * row, v.data() + at * row, n).has_value());
    at += n;
  }
  return *std::move(cache);
}

std::vector<float> Attend(const KvCacheLayer& cache, Isa isa, const std::vector<float>& q,
                          size_t n_heads, size_t pos0, size_t n, const AttentionParams& params,
                          size_t threads) {
  ThreadPool pool(threads);
  std::vector<float> out(q.size(), std::nanf(""));
  EXPECT_TRUE(
      cache.Attention(isa, q.data(), n_heads, pos0, n, params, pool, out.data()).has_value());
  return out;
}

bool SameBits(const std::vector<float>& a, const std::vector<float>& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0;
}

TEST(KvCache, RefusesBadShapes) {
  EXPECT_FALSE(KvCacheLayer::Make(0, 1, 8).has_value());
  EXPECT_FALSE(KvCacheLayer::Make(KvCacheLayer::kMaxPositions + 1, 1, 8).has_value());
  EXPECT_FALSE(KvCacheLayer::Make(8, 0, 8).has_value());
  EXPECT_FALSE(KvCacheLayer::Make(8, KvCacheLayer::kMaxHeads + 1, 8).has_value());
  EXPECT_FALSE(KvCacheLayer::Make(8, 1, 0).has_value());
  EXPECT_FALSE(KvCacheLayer::Make(8, 1, KvCacheLayer::kMaxHeadDim + 1).has_value());
}

TEST(KvCache, RefusesNonFiniteRowsAndOverflowAndStaysAsItWas) {
  auto cache = KvCacheLayer::Make(3, 2, 8);
  ASSERT_TRUE(cache.has_value());
  std::vector<float> row(16, 1.0f), bad = row;
  ASSERT_TRUE(cache->Append(row.data(), row.data(), 1).has_value());
  for (float value : {kInfinity, std::nanf("")}) {
    bad[15] = value;
    Status k = cache->Append(bad.data(), row.data(), 1);
    Status v = cache->Append(row.data(), bad.data(), 1);
    ASSERT_FALSE(k.has_value() || v.has_value());
    EXPECT_EQ(k.error().code(), Code::kInvalidArgument);
  }
  std::vector<float> three(48, 1.0f);
  Status full = cache->Append(three.data(), three.data(), 3);
  ASSERT_FALSE(full.has_value());
  EXPECT_EQ(full.error().code(), Code::kResourceExhausted);
  EXPECT_EQ(cache->size(), 1u);
  EXPECT_TRUE(cache->Append(three.data(), three.data(), 2).has_value());
}

TEST(KvCache, GrowsByPagesUpToItsBound) {
  auto cache = KvCacheLayer::Make(100, 2, 8);
  ASSERT_TRUE(cache.has_value());
  EXPECT_EQ(cache->bytes(), 0u);
  std::vector<float> row(16, 1.0f);
  for (int i = 0; i < 64; ++i) ASSERT_TRUE(cache->Append(row.data(), row.data(), 1).has_value());
  EXPECT_EQ(cache->bytes(), KvCacheLayer::BytesAtCapacity(64, 2, 8));
  for (int i = 0; i < 36; ++i) ASSERT_TRUE(cache->Append(row.data(), row.data(), 1).has_value());
  EXPECT_EQ(cache->bytes(), KvCacheLayer::BytesAtCapacity(100, 2, 8));
  EXPECT_EQ(KvCacheLayer::BytesAtCapacity(100, 2, 8), 128u * 2 * 8 * 2 * 2);
}

TEST(Attention, RefusesBadQueriesAndParameters) {
  KvCacheLayer cache = FilledCache(5, 2, 8, 3);
  ThreadPool pool(1);
  std::vector<float> q(32, 1.0f), out(32);
  auto refused = [&](size_t n_heads, size_t pos0, size_t n, AttentionParams params) {
    Status status =
        cache.Attention(Isa::kScalar, q.data(), n_heads, pos0, n, params, pool, out.data());
    return !status.has_value() && status.error().code() == Code::kInvalidArgument;
  };
  EXPECT_FALSE(refused(4, 4, 1, {}));
  EXPECT_TRUE(refused(4, 5, 1, {}));
  EXPECT_TRUE(refused(4, 3, 3, {}));
  EXPECT_TRUE(refused(3, 4, 1, {}));
  EXPECT_TRUE(refused(0, 4, 1, {}));
  EXPECT_TRUE(refused(4, 4, 1, {.scale = 1.5f}));
  EXPECT_TRUE(refused(4, 4, 1, {.scale = std::nanf("")}));
  EXPECT_TRUE(refused(4, 4, 1, {.softcap = kInfinity}));
  std::vector<float> sinks = {0, 0, std::nanf(""), 0};
  EXPECT_TRUE(refused(4, 4, 1, {.sinks = sinks.data()}));
  for (float bad : {0x1p100f, -0x1p100f, kInfinity, std::nanf("")}) {
    q[31] = bad;
    EXPECT_TRUE(refused(4, 4, 1, {}));
  }
  q[31] = 0x1.fffffep99f;
  EXPECT_FALSE(refused(4, 4, 1, {}));
}

TEST(Attention, EveryIsaThreadCountAndChunkGivesTheScalarBits) {
  const size_t positions = 560;
  for (size_t head_dim : {8, 20, 40, 64, 80, 128}) {
    for (size_t group : {1, 3, 4}) {
      const size_t n_kv_heads = 2, n_heads = n_kv_heads * group;
      KvCacheLayer cache = FilledCache(positions, n_kv_heads, head_dim, 50 + head_dim);
      std::vector<float> sinks = testing::FlVector(9, n_heads, 3.0f);
      for (size_t window : {0, 1, 70, 300}) {
        const size_t pos0 = 505, n = 9;  // crosses the border at 512
        std::vector<float> q = testing::FlVector(60 + group, n * n_heads * head_dim, 3.0f);
        AttentionParams params{.window = window};
        if (window != 0) params.softcap = 15.0f, params.sinks = sinks.data();
        auto expected = Attend(cache, Isa::kScalar, q, n_heads, pos0, n, params, 1);
        EXPECT_TRUE(AllFinite(expected.data(), expected.size()));
        for (Isa isa : kVectorIsas) {
          if (!IsaSupported(isa)) continue;
          for (size_t threads : {1, 2}) {
            EXPECT_TRUE(SameBits(Attend(cache, isa, q, n_heads, pos0, n, params, threads), expected))
                << "head_dim " << head_dim << " group " << group << " window " << window;
          }
        }
        const size_t row = n_heads * head_dim;
        for (size_t j = 0; j < n; ++j) {
          std::vector<float> one(q.begin() + j * row, q.begin() + (j + 1) * row);
          auto alone = Attend(cache, BestIsa(), one, n_heads, pos0 + j, 1, params, 1);
          EXPECT_TRUE(SameBits(alone, {expected.begin() + j * row, expected.begin() + (j + 1) * row}));
        }
      }
    }
  }
}

// A later segment reads the query again after an earlier one has written its result (issue 3: one buffer was used for both, and
// answers were wrong beyond 256 positions).
// One query over several segments, with threads to spare: the segments run apart.
TEST(Attention, SegmentsOfOneQueryMayRunApart) {
  KvCacheLayer cache = FilledCache(1100, 1, 24, 5);
  std::vector<float> sinks = testing::FlVector(9, 3, 3.0f);
  for (size_t window : {0, 300, 700}) {
    for (size_t position : {255, 256, 700, 1099}) {
      std::vector<float> q = testing::FlVector(position, 3 * 24, 3.0f);
      AttentionParams params{.window = window, .sinks = window == 0 ? nullptr : sinks.data()};
      const auto expected = Attend(cache, Isa::kScalar, q, 3, position, 1, params, 1);
      for (Isa isa : kAllIsas) {
        if (!IsaSupported(isa)) continue;
        EXPECT_TRUE(SameBits(Attend(cache, isa, q, 3, position, 1, params, 4), expected))
            << IsaName(isa) << " window " << window << " position " << position;
      }
    }
  }
}

TEST(AttentionDeathTest, RefusesToOverwriteItsQueries) {
  KvCacheLayer cache = FilledCache(300, 1, 16, 5);
  ThreadPool pool(1);
  std::vector<float> q = testing::FlVector(8, 16, 1.0f);
  EXPECT_DEATH((void)cache.Attention(Isa::kScalar, q.data(), 1, 299, 1, {}, pool, q.data()), "item.q");
}

// What lies beyond the last position must not show, whatever it is.
TEST(Attention, StalePositionsTakeNoPart) {
  const size_t head_dim = 64;
  KvCacheLayer used = FilledCache(40, 1, head_dim, 7);
  KvCacheLayer fresh = FilledCache(40, 1, head_dim, 7);
  std::vector<float> huge(20 * head_dim, -65504.0f);
  used.Truncate(20);
  fresh.Truncate(20);
  ASSERT_TRUE(used.Append(huge.data(), huge.data(), 20).has_value());
  used.Truncate(20);
  std::vector<float> q = testing::FlVector(8, head_dim, 3.0f);
  for (Isa isa : {Isa::kScalar, Isa::kAvx2}) {
    if (!IsaSupported(isa)) continue;
    EXPECT_TRUE(SameBits(Attend(used, isa, q, 1, 19, 1, {}, 1), Attend(fresh, isa, q, 1, 19, 1, {}, 1)));
  }
}

TEST(Norm, RefusesWhatIsNotFinite) {
  for (Isa isa : {Isa::kScalar, Isa::kAvx2}) {
    if (!IsaSupported(isa)) continue;
    std::vector<float> x(21, 1.0f), y(21);
    EXPECT_TRUE(RmsNorm(isa, x.data(), nullptr, 1, 21, 1e-5f, y.data()).has_value());
    x[20] = kInfinity;
    EXPECT_FALSE(RmsNorm(isa, x.data(), nullptr, 1, 21, 1e-5f, y.data()).has_value());
    x[20] = -std::nanf("");
    EXPECT_FALSE(LayerNorm(isa, x.data(), nullptr, nullptr, 3, 7, 1e-5f, y.data()).has_value());
  }
}

TEST(Norm, OddLengthsManyRowsAndInPlaceGiveTheScalarBits) {
  for (Isa isa : kVectorIsas) {
    if (!IsaSupported(isa)) continue;
    for (size_t n : {1, 7, 8, 9, 15, 16, 17, 23, 31, 172}) {
      std::vector<float> x = testing::WideVector(n, 3 * n), w = testing::FlVector(1, n), b = w;
      std::vector<float> y(3 * n), z = x;
      ASSERT_TRUE(RmsNorm(Isa::kScalar, x.data(), w.data(), 3, n, 1e-6f, y.data()).has_value());
      ASSERT_TRUE(RmsNorm(isa, z.data(), w.data(), 3, n, 1e-6f, z.data()).has_value());
      EXPECT_TRUE(SameBits(y, z)) << n;
      z = x;
      ASSERT_TRUE(LayerNorm(Isa::kScalar, x.data(), w.data(), b.data(), 3, n, 1e-6f, y.data()).has_value());
      ASSERT_TRUE(LayerNorm(isa, z.data(), w.data(), b.data(), 3, n, 1e-6f, z.data()).has_value());
      EXPECT_TRUE(SameBits(y, z)) << n;
    }
  }
}

TEST(Activation, OddLengthsGiveTheScalarBits) {
  for (Activation act : {Activation::kSilu, Activation::kGeluTanh, Activation::kGeluQuick,
                         Activation::kRelu, Activation::kSigmoid, Activation::kTanh, Activation::kExp}) {
    for (size_t n : {1, 7, 8, 9, 100}) {
      std::vector<float> g = testing::FlVector(3, n, 20.0f), u = testing::WideVector(4, n), a(n), b(n);
      g[0] = -0.0f;
      for (Isa isa : kVectorIsas) {
        if (!IsaSupported(isa)) continue;
        GatedUnit(Isa::kScalar, act, g.data(), u.data(), n, a.data());
        GatedUnit(isa, act, g.data(), u.data(), n, b.data());
        EXPECT_TRUE(SameBits(a, b));
        Activate(Isa::kScalar, act, g.data(), n, a.data());
        Activate(isa, act, g.data(), n, b.data());
        EXPECT_TRUE(SameBits(a, b));
      }
    }
  }
}

TEST(Activation, SumsAndSoftCap) {
  std::vector<float> y = {1.0f, 2.0f, 3.0f, 4.0f}, bias = {0.5f, -0.5f};
  AddBias(bias.data(), 2, 2, y.data());
  EXPECT_EQ(y, (std::vector<float>{1.5f, 1.5f, 3.5f, 3.5f}));
  Add(y.data(), 4, y.data());
  Scale(0.5f, 4, y.data());
  EXPECT_EQ(y, (std::vector<float>{1.5f, 1.5f, 3.5f, 3.5f}));
  SoftCap(2.0f, 4, y.data());
  EXPECT_EQ(y[0], 2.0f * Tanh(0.75f));
}

TEST(Rope, RefusesBadParameters) {
  RopeParams good;
  good.rotary_dim = 8;
  ASSERT_TRUE(RopeTable::Make(good, 4).has_value());
  EXPECT_FALSE(RopeTable::Make(good, 0).has_value());
  EXPECT_FALSE(RopeTable::Make(good, kMaxRopePositions + 1).has_value());
  auto refused = [&](auto change) {
    RopeParams p = good;
    change(p);
    return !RopeTable::Make(p, 4).has_value();
  };
  EXPECT_TRUE(refused([](RopeParams& p) { p.rotary_dim = 7; }));
  EXPECT_TRUE(refused([](RopeParams& p) { p.rotary_dim = 0; }));
  EXPECT_TRUE(refused([](RopeParams& p) { p.base = 0; }));
  EXPECT_TRUE(refused([](RopeParams& p) { p.base = 1; }));
  EXPECT_TRUE(refused([](RopeParams& p) { p.base = kInfinity; }));
  EXPECT_TRUE(refused([](RopeParams& p) { p.factor = std::nanf(""); }));
  EXPECT_TRUE(refused([](RopeParams& p) { p.factors = {1, 1, 1}; }));
  EXPECT_TRUE(refused([](RopeParams& p) { p.factors = {1, 1, 1, 0}; }));
  EXPECT_TRUE(refused([](RopeParams& p) { p.factors = {1e-9f, 1, 1, 1}; }));
}

TEST(Rope, EveryIsaGivesTheScalarBits) {
  for (size_t dim : {2, 6, 8, 10, 16, 20, 64, 80}) {
    RopeParams params;
    params.rotary_dim = dim;
    auto table = RopeTable::Make(params, 40);
    ASSERT_TRUE(table.has_value());
    const size_t head_dim = dim + 4, n = 5, heads = 3;
    const std::vector<float> x = testing::WideVector(dim, n * heads * head_dim);
    for (RopePairs pairs : {RopePairs::kAdjacent, RopePairs::kHalfSplit}) {
      std::vector<float> expected = x;
      table->Apply(Isa::kScalar, pairs, 35, n, heads, head_dim, expected.data());
      for (Isa isa : kVectorIsas) {
        if (!IsaSupported(isa)) continue;
        std::vector<float> y = x;
        table->Apply(isa, pairs, 35, n, heads, head_dim, y.data());
        EXPECT_TRUE(SameBits(y, expected)) << dim;
      }
    }
  }
}

TEST(Finite, EveryPositionIsSeen) {
  for (size_t n : {1, 7, 8, 17}) {
    for (size_t at = 0; at < n; ++at) {
      std::vector<float> x(n, -1.0f);
      EXPECT_TRUE(AllFinite(x.data(), n));
      x[at] = -kInfinity;
      EXPECT_FALSE(AllFinite(x.data(), n));
      x[at] = 0x1p100f;
      EXPECT_TRUE(AllFinite(x.data(), n));
      EXPECT_FALSE(AllBelow2Pow100(x.data(), n));
    }
  }
  EXPECT_TRUE(AllFinite(nullptr, 0));
}

}  // namespace
}  // namespace teetee::ops
