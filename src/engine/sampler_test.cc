#include "engine/sampler.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

#include "crypto/hash.h"
#include "engine/sampler_random.h"
#include "ops/activation.h"
#include "ops/testing/vectors.h"

namespace teetee::engine {
namespace {

using ops::testing::FlVector;
using ops::testing::VectorOutput;
using ops::testing::VectorRecord;
using ops::testing::Z;

constexpr float kInf = std::numeric_limits<float>::infinity();
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

// ---- refusals

std::string Refusal(SamplerSettings settings) {
  auto status = settings.Validate(100);
  return status ? "accepted" : status.error().message();
}

TEST(SamplerRefusal, Settings) {
  EXPECT_TRUE(SamplerSettings{}.Validate(100));
  for (float t : {-1.0f, kNan, kInf, 0x1p-15f, 101.0f}) {
    EXPECT_EQ(Refusal({.temperature = t}), "temperature must be 0 or between 2^-14 and 100");
  }
  for (double p : {-0.1, 1.1, double{kNan}}) {
    EXPECT_EQ(Refusal({.top_p = p}), "top_p must be between 0 and 1");
    EXPECT_EQ(Refusal({.min_p = p}), "min_p must be between 0 and 1");
  }
  EXPECT_NE(Refusal({.repetition_penalty = 0}), "accepted");
  EXPECT_NE(Refusal({.frequency_penalty = kNan}), "accepted");
  EXPECT_NE(Refusal({.presence_penalty = -101}), "accepted");
  EXPECT_EQ(Refusal({.logit_bias = {{100, 1.0f}}}), "logit_bias names no token of the model");
  EXPECT_EQ(Refusal({.logit_bias = {{-1, 1.0f}}}), "logit_bias names no token of the model");
  EXPECT_EQ(Refusal({.logit_bias = {{5, 1.0f}, {5, 2.0f}}}), "logit_bias names a token twice");
  EXPECT_NE(Refusal({.logit_bias = {{5, kInf}}}), "accepted");
  SamplerSettings many;
  for (int i = 0; i <= 1024; ++i) many.logit_bias.emplace_back(i, 0.0f);
  EXPECT_EQ(many.Validate(5000).error().message(), "logit_bias has too many entries");
}

TEST(SamplerRefusal, Logits) {
  Sampler sampler;
  for (float bad : {kNan, kInf, -kInf}) {
    std::vector<float> logits = {0, bad, 1};
    for (float temperature : {0.0f, 1.0f}) {
      EXPECT_FALSE(sampler.Sample({.logits = logits}, {.temperature = temperature}));
    }
    EXPECT_FALSE(sampler.ComputeLogprobs(logits, 0, 1));
  }
  EXPECT_FALSE(sampler.Sample({}, {}));
  std::vector<float> logits = {1, 2}, large = {1, 3e38f};
  std::vector<uint8_t> none = {0, 0}, shorter = {1};
  EXPECT_FALSE(sampler.Sample({.logits = logits, .mask = none}, {}));
  EXPECT_FALSE(sampler.Sample({.logits = logits, .mask = none}, {.temperature = 0}));
  EXPECT_FALSE(sampler.Sample({.logits = logits, .mask = shorter}, {}));
  EXPECT_FALSE(sampler.Sample({.logits = large}, {.temperature = 0x1p-14f}));
  TokenHistory history;
  history.AddAnswer(2);
  EXPECT_FALSE(sampler.Sample({.logits = logits, .history = &history}, {.presence_penalty = 1}));
  EXPECT_FALSE(sampler.ComputeLogprobs(logits, 2, 0));
  EXPECT_FALSE(sampler.ComputeLogprobs(logits, 0, 21));
}

// ---- conformance vectors

struct SampleCase {
  std::vector<float> logits;
  SamplerSettings settings;
  bool adjusted = false;  // with penalties, bias and mask
};

std::vector<float> CommonLogits() {
  auto l = FlVector(72, 1000, 8);
  for (size_t i = 10; i < 20; ++i) l[i] = l[5];
  for (size_t i = 500; i < 510; ++i) l[i] = 7.75f;
  return l;
}

double WeightOfMinusOne() { return std::floor(double{ops::Exp(-1)} * 0x1p40) * 0x1p-40; }

std::map<std::string, SampleCase> SampleCases() {
  auto l = CommonLogits();
  std::vector<float> equal(4, 1.5f), steps = {0, -1, -2};
  double w1 = WeightOfMinusOne();
  return {
      {"greedy ties", {l, {.temperature = 0}}},
      {"T=1", {l, {}}},
      {"T=0.7 top-k 5 inside a tie", {l, {.temperature = 0.7f, .top_k = 5}}},
      {"T=0.7 top-k 40 top-p 0.9 min-p 0.05", {l, {.temperature = 0.7f, .top_k = 40, .top_p = 0.9, .min_p = 0.05}}},
      {"penalties bias mask T=1.3 top-p 0.95",
       {l, {.temperature = 1.3f, .top_p = 0.95, .repetition_penalty = 1.1f, .frequency_penalty = 0.3f, .presence_penalty = 0.2f}, true}},
      {"penalties greedy",
       {l, {.temperature = 0, .repetition_penalty = 1.3f, .frequency_penalty = 0.5f, .presence_penalty = 0.25f}, true}},
      {"T=2^-14", {l, {.temperature = 0x1p-14f}}},
      {"4 equal top-p 0.5 (need = 2^41, keeps 2)", {equal, {.top_p = 0.5}}},
      {"4 equal top-p 0.5000000001 (keeps 3)", {equal, {.top_p = 0.5000000001}}},
      {"4 equal top-p 0.5+2^-52 (keeps 2)", {equal, {.top_p = 0.5 + 0x1p-52}}},
      {"4 equal top-p 0.25", {equal, {.top_p = 0.25}}},
      {"4 equal top-p 0 (keeps 1)", {equal, {.top_p = 0}}},
      {"min-p equal to W_1/2^40 (keeps 2)", {steps, {.min_p = w1}}},
      {"min-p W_1/2^40 + 2^-40 (keeps 1)", {steps, {.min_p = w1 + 0x1p-40}}},
      {"min-p 1", {steps, {.min_p = 1}}},
      {"-0 and +0 tie", {{-0.0f, 0.0f, -0.0f}, {.top_k = 2}}},
  };
}

VectorOutput SampleOutput(SampleCase c, ops::Isa isa) {
  TokenHistory history;
  std::vector<uint8_t> mask;
  for (int32_t i = 0; c.adjusted && i < 1000; ++i) {
    auto k = static_cast<uint64_t>(i);
    mask.push_back(Z(74, k) % 5 != 0);
    if (i % 7 != 0) continue;
    history.AddPrompt(std::span(&i, 1));
    for (uint64_t n = Z(73, k) % 4; n > 0; --n) history.AddAnswer(i);
  }
  if (c.adjusted) c.settings.logit_bias = {{3, 5.0f}, {77, -100.0f}};
  EXPECT_TRUE(c.settings.Validate(c.logits.size()));
  VectorOutput out;
  Sampler sampler(isa);
  for (uint64_t r = 0; r < 20; ++r) {
    c.settings.seed = 0x123456789abcdef + r;
    SampleInput input = {.logits = c.logits, .history = &history, .mask = mask, .position = 100 + r, .stream = r % 2};
    auto kept = sampler.Kept(input, c.settings);
    auto draw = sampler.Sample(input, c.settings);
    EXPECT_TRUE(kept && draw);
    if (!kept || !draw) return out;
    if (r == 0) {
      out.Put(static_cast<uint32_t>(kept->size()));
      for (const Candidate& k : *kept) {
        out.Put(k.id);
        out.Put(k.logit);
        out.Put(k.weight);
      }
    }
    out.Put(draw->random);
    out.Put(draw->id);
    int32_t expected = c.settings.temperature > 0 ? PickByWeight(*kept, draw->random) : kept->front().id;
    EXPECT_EQ(draw->id, expected);
  }
  return out;
}

VectorOutput PhiloxOutput() {
  VectorOutput out;
  constexpr uint32_t kAll = 0xffffffff;
  for (uint32_t v : Philox({0, 0, 0, 0}, {0, 0})) out.Put(v);
  for (uint32_t v : Philox({kAll, kAll, kAll, kAll}, {kAll, kAll})) out.Put(v);
  for (uint32_t v : Philox({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0})) out.Put(v);
  return out;
}

VectorOutput Draw64Output() {
  VectorOutput out;
  for (uint64_t i = 0; i < 1000; ++i) out.Put(Draw64(Z(71, i), i * 977, i % 3));
  out.Put(Draw64(1, uint64_t{1} << 33, uint64_t{1} << 40));
  return out;
}

VectorOutput PickOutput(bool thirds) {
  VectorOutput out;
  if (!thirds) {
    std::vector<Candidate> c = {{0, 0, uint64_t{1} << 40}, {1, 0, 1}};
    for (uint64_t u : {uint64_t{0}, ~uint64_t{0}, 0xfffffffffeffffff, 0xffffffffff000000, 0xffffffffff000001}) {
      out.Put(PickByWeight(c, u));
    }
    return out;
  }
  std::vector<Candidate> c = {{7, 0, 3}, {2, 0, 2}, {9, 0, 0}, {4, 0, 5}};
  __extension__ using Wide = unsigned __int128;
  for (uint64_t r = 0; r < 10; ++r) {
    for (int d = -1; d <= 1; ++d) {
      uint64_t u = static_cast<uint64_t>(((Wide{r} << 64) + 9) / 10) + static_cast<uint64_t>(int64_t{d});
      out.Put(PickByWeight(c, u));
    }
  }
  return out;
}

VectorOutput LogprobsOutput(const std::vector<float>& logits, ops::Isa isa) {
  VectorOutput out;
  std::vector<float> all(logits.size());
  auto sum = Sampler(isa).AllLogprobs(logits, all);
  EXPECT_TRUE(sum);
  out.Put(sum ? *sum : uint64_t{0});
  out.All(all);
  return out;
}

VectorOutput OutputOf(const VectorRecord& r, ops::Isa isa) {
  if (r.op == "philox") return PhiloxOutput();
  if (r.op == "draw64") return Draw64Output();
  if (r.op == "pick") return PickOutput(r.in.starts_with("W=3"));
  if (r.op == "logprobs") {
    return LogprobsOutput(r.in.starts_with("fl(75)") ? FlVector(75, 50000, 30) : CommonLogits(), isa);
  }
  auto cases = SampleCases();
  auto found = cases.find(r.in);
  EXPECT_NE(found, cases.end()) << r.in;
  return found == cases.end() ? VectorOutput() : SampleOutput(found->second, isa);
}

TEST(SamplerVectors, EveryRecordOnEveryInstructionSet) {
  auto records = ops::testing::LoadVectors("vectors-model.json");
  ASSERT_TRUE(records);
  std::map<std::string, int> seen;
  for (ops::Isa isa : {ops::Isa::kScalar, ops::Isa::kAvx2}) {
    if (!ops::IsaSupported(isa)) continue;
    for (const VectorRecord& r : *records) {
      if (r.op != "philox" && r.op != "draw64" && r.op != "sample" && r.op != "pick" && r.op != "logprobs") continue;
      VectorOutput out = OutputOf(r, isa);
      EXPECT_EQ(Difference(r, out.bytes(), ToHex(crypto::Sha256(out.bytes()))), "") << r.op << " " << r.in;
      if (isa == ops::Isa::kScalar) ++seen[r.op];
    }
  }
  EXPECT_EQ(seen, (std::map<std::string, int>{{"philox", 1}, {"draw64", 1}, {"sample", 16}, {"pick", 2}, {"logprobs", 2}}));
}

// ---- the lazy order against a full sort

TEST(Sampler, LazyOrderPicksWhatAFullSortPicks) {
  Sampler sampler;
  for (uint64_t seed = 0; seed < 60; ++seed) {
    size_t n = 1 + Z(seed, 0) % 6000;
    auto logits = FlVector(seed + 900, n, seed % 3 == 0 ? 0.01f : 12.0f);
    if (seed % 4 == 0) {
      for (float& l : logits) l = std::floor(l);  // many ties
    }
    SamplerSettings s = {.temperature = 0.5f + static_cast<float>(seed % 5), .seed = seed};
    if (seed % 2) s.top_k = static_cast<uint32_t>(Z(seed, 1) % 3000);
    if (seed % 3) s.top_p = static_cast<double>(Z(seed, 2) % 1001) / 1000;
    if (seed % 5 == 1) s.min_p = static_cast<double>(Z(seed, 3) % 100) / 200;
    for (uint64_t position = 0; position < 20; ++position) {
      SampleInput input = {.logits = logits, .position = position};
      auto draw = sampler.Sample(input, s);
      auto kept = sampler.Kept(input, s);
      ASSERT_TRUE(draw && kept);
      EXPECT_EQ(draw->id, PickByWeight(*kept, draw->random)) << seed;
      EXPECT_TRUE(std::is_sorted(kept->begin(), kept->end(), [](const Candidate& a, const Candidate& b) {
        return a.logit > b.logit || (a.logit == b.logit && a.id < b.id);
      }));
    }
  }
}

TEST(Sampler, StreamsAndPositionsDiffer) {
  auto logits = FlVector(5, 1000, 0.1f);
  Sampler sampler;
  std::map<int32_t, int> ids;
  for (uint64_t position = 0; position < 50; ++position) {
    for (uint64_t stream = 0; stream < 2; ++stream) {
      ++ids[sampler.Sample({.logits = logits, .position = position, .stream = stream}, {.seed = 7})->id];
    }
  }
  EXPECT_GT(ids.size(), 80u);
}

TEST(Sampler, LogprobsListTheLikeliest) {
  std::vector<float> logits = {1, 3, 2, 3, -5};
  auto out = Sampler().ComputeLogprobs(logits, 4, 3);
  ASSERT_TRUE(out);
  ASSERT_EQ(out->top.size(), 3u);
  EXPECT_EQ(out->top[0].id, 1);
  EXPECT_EQ(out->top[1].id, 3);
  EXPECT_EQ(out->top[2].id, 2);
  double sum = 0;
  std::vector<float> all(5);
  ASSERT_TRUE(Sampler().AllLogprobs(logits, all));
  for (float l : all) sum += std::exp(double{l});
  EXPECT_NEAR(sum, 1, 1e-6);
  EXPECT_EQ(out->chosen, (TokenLogprob{4, all[4]}));
  EXPECT_EQ(Sampler().ComputeLogprobs(logits, 0, 20)->top.size(), 5u);
}

}  // namespace
}  // namespace teetee::engine
