// What the bench states about a machine and a model, without asserting any time.
#include <gtest/gtest.h>

#include <deque>
#include <map>

#include "bench/cluster_subject.h"
#include "bench/probe_kernels.h"
#include "bench/runner.h"
#include "model/testing/tiny_model.h"

namespace teetee::bench {
namespace {

constexpr MachineLimits kLimits{
    .read_gb_s = 20, .int8_gops = 100, .int4_gops = 150, .f32_gflops = 50};

// 1,000 bytes and 500 multiply-adds of integers per token.
ModelWork IntegerWork() {
  return {.weight_bytes = 1000, .blocks = {.int8 = 400}, .head = {.int8 = 100}};
}

TEST(ModelWork, CountsBlocksAndATiedHeadOnce) {
  const auto file = *model::GgufFile::Parse(model::testing::TinyModel{}.Build());
  const ModelWork work = *ModelWork::From(file);
  uint64_t bytes = 0, block_macs = 0;
  for (const auto& tensor : file.tensors()) {
    if (tensor.name.starts_with("blk.") || tensor.name == "token_embd.weight")
      bytes += tensor.bytes;
    if (tensor.name.starts_with("blk.") && tensor.dims.size() == 2) {
      block_macs += tensor.dims[0] * tensor.dims[1];
    }
  }
  EXPECT_EQ(work.weight_bytes, bytes);
  EXPECT_EQ(work.blocks.f32, block_macs);
  EXPECT_EQ(work.blocks.int8, 0u);
  EXPECT_EQ(work.head.f32, 8u * 259u);
}

TEST(Limits, DecodeOfOneSequenceIsBoundByReading) {
  EXPECT_DOUBLE_EQ(DecodeLimit(IntegerWork(), 1, 1, kLimits), 20e9 / 1000);
}

TEST(Limits, ABatchIsBoundByReadingUntilArithmeticIsSlower) {
  EXPECT_DOUBLE_EQ(DecodeLimit(IntegerWork(), 2, 1, kLimits), 2 * 20e9 / 1000);
  EXPECT_DOUBLE_EQ(DecodeLimit(IntegerWork(), 32, 1, kLimits), 0.7 * 100e9 / (2 * 500));
}

TEST(Limits, EveryGroupReadsTheWeightsAgain) {
  EXPECT_DOUBLE_EQ(DecodeLimit(IntegerWork(), 4, 2, kLimits), 2 * 20e9 / 1000);
}

TEST(Limits, PrefillRunsTheHeadOnce) {
  EXPECT_DOUBLE_EQ(PrefillLimit(IntegerWork(), 10, kLimits), 10 * 100e9 / (2 * (10 * 400 + 100)));
}

TEST(Limits, FloatWeightsCountAgainstTheFloatPeak) {
  const ModelWork work{.weight_bytes = 1, .blocks = {.int8 = 300, .f32 = 100}, .head = {}};
  const double ns = 2 * 300 / 100.0 + 2 * 100 / 50.0;
  EXPECT_NEAR(PrefillLimit(work, 1, kLimits), 1e9 / ns, 1e-3);
}

TEST(Drift, LooksOnlyAtTheLimitsOfThePhase) {
  MachineLimits slower_reads = kLimits, slower_sums = kLimits;
  slower_reads.read_gb_s = 10;
  slower_sums.int8_gops = 80;
  const ModelWork work = IntegerWork();
  EXPECT_DOUBLE_EQ(Drift(work, Phase::kPrefill, 1, kLimits, slower_reads), 0);
  EXPECT_DOUBLE_EQ(Drift(work, Phase::kDecode, 1, kLimits, slower_reads), 1);
  EXPECT_DOUBLE_EQ(Drift(work, Phase::kDecode, 1, kLimits, slower_sums), 0);
  EXPECT_DOUBLE_EQ(Drift(work, Phase::kDecode, 8, kLimits, slower_sums), 0.25);
  EXPECT_DOUBLE_EQ(Drift(work, Phase::kPrefill, 1, slower_sums, kLimits), 0.25);
}

struct FakeSubject : Subject {
  std::vector<std::pair<size_t, size_t>> decodes;  // (batch, tokens)
  double passes = 1;
  Result<Timing> Prefill(size_t) override { return Timing{0.5, 1}; }
  Result<Timing> Decode(size_t batch, size_t tokens) override {
    decodes.push_back({batch, tokens});
    return Timing{2.0, passes};
  }
};

const Plan kPlan{.threads = 3,
                 .stages = 1,
                 .prompt_tokens = 100,
                 .decode_tokens = 10,
                 .batches = {1, 4},
                 .tries = 5};

TEST(RunPlan, RatesEachPhaseAgainstItsLimit) {
  FakeSubject subject;
  const auto results = *RunPlan(subject, IntegerWork(), kPlan, [](size_t) { return kLimits; });
  ASSERT_EQ(results.size(), 3u);
  EXPECT_EQ(results[0].phase, Phase::kPrefill);
  EXPECT_DOUBLE_EQ(results[0].tok_s, 200);
  EXPECT_DOUBLE_EQ(results[0].share_of_limit, 200 / PrefillLimit(IntegerWork(), 100, kLimits));
  EXPECT_EQ(results[2].batch, 4u);
  EXPECT_DOUBLE_EQ(results[2].tok_s, 20);
  EXPECT_DOUBLE_EQ(results[2].share_of_limit, 20 / DecodeLimit(IntegerWork(), 4, 1, kLimits));
  EXPECT_FALSE(results[2].noisy);
}

TEST(RunPlan, RepeatsARoundWhoseProbesDiffer) {
  FakeSubject subject;
  size_t probes = 0;
  const auto results = *RunPlan(subject, IntegerWork(), kPlan, [&](size_t) {
    MachineLimits limits = kLimits;
    if (++probes == 4) limits.read_gb_s /= 2;  // after the first round of the first decode
    return limits;
  });
  EXPECT_EQ(probes, 8u);  // one result of three took two rounds
  EXPECT_FALSE(results[1].noisy);
}

TEST(RunPlan, SaysNoisyAfterTheLastTry) {
  FakeSubject subject;
  size_t probes = 0;
  const auto results = *RunPlan(subject, IntegerWork(), kPlan, [&](size_t) {
    MachineLimits limits = kLimits;
    if (++probes % 2 == 0) limits.read_gb_s /= 2;
    return limits;
  });
  EXPECT_FALSE(results[0].noisy);  // prefill does not depend on reading
  EXPECT_TRUE(results[1].noisy);
  EXPECT_EQ(probes, 2u + 10u + 10u);
}

TEST(RunPlan, ProbesTheThreadsThatCanBeAtWorkTogether) {
  FakeSubject subject;
  Plan plan = kPlan;
  plan.stages = 2;
  std::vector<size_t> threads;
  ASSERT_TRUE(RunPlan(subject, IntegerWork(), plan, [&](size_t n) {
    threads.push_back(n);
    return kLimits;
  }));
  EXPECT_EQ(threads, (std::vector<size_t>{6, 6, 3, 3, 6, 6}));  // prefill, one sequence, four
}

TEST(RunPlan, CountsEveryPassOverTheWeights) {
  FakeSubject subject;
  subject.passes = 2;
  const auto results = *RunPlan(subject, IntegerWork(), kPlan, [](size_t) { return kLimits; });
  EXPECT_DOUBLE_EQ(results[2].share_of_limit, 20 / DecodeLimit(IntegerWork(), 4, 2, kLimits));
}

TEST(RunPlan, PassesTheSubjectsErrorOn) {
  struct Broken : FakeSubject {
    Result<Timing> Decode(size_t, size_t) override { return Error(Code::kInternal, "broken"); }
  } subject;
  const auto results = RunPlan(subject, IntegerWork(), kPlan, [](size_t) { return kLimits; });
  ASSERT_FALSE(results);
  EXPECT_EQ(results.error().code(), Code::kInternal);
}

TEST(Report, JsonHasExactlyTheDocumentedMembers) {
  std::vector<PhaseResult> results = {{Phase::kPrefill, 512, 1, 1, 2, 123.456, 0.61234, false},
                                      {Phase::kDecode, 128, 8, 2, 2, 45, 0.5, true}};
  EXPECT_EQ(ToJson("a cpu", "avx2", kLimits, results).Dump(),
            "{\"machine\":{\"cpu\":\"a cpu\",\"isa\":\"avx2\",\"read_gb_s\":20,\"int8_gops\":100,"
            "\"f32_gflops\":50},\"results\":[{\"phase\":\"prefill\",\"tokens\":512,\"batch\":1,"
            "\"stages\":1,\"threads\":2,\"tok_s\":123.46,\"share_of_limit\":0.6123},{\"phase\":"
            "\"decode\",\"tokens\":128,\"batch\":8,\"stages\":2,\"threads\":2,\"tok_s\":45,"
            "\"share_of_limit\":0.5,\"noisy\":true}]}");
}

TEST(Report, TableSaysMachineLimitsAndNoise) {
  const std::string table =
      ToTable("a cpu", "avx2", 2, kLimits, {{Phase::kDecode, 128, 1, 1, 2, 45, 0.5, true}});
  for (const char* word : {"a cpu", "avx2", "20.0 GB/s", "100 GOPS", "50 GFLOPS", "50.0 %",
                           "read bandwidth", "(noisy)"}) {
    EXPECT_NE(table.find(word), std::string::npos) << word << " in " << table;
  }
}

class EachIsa : public ::testing::TestWithParam<ops::Isa> {};

TEST_P(EachIsa, ReadsEveryLine) {
  if (!ops::IsaSupported(GetParam())) GTEST_SKIP() << "not on this machine";
  const ProbeKernels& kernels = ProbeKernelsFor(GetParam());
  for (const ReadPattern pattern : {ReadPattern{1, 0}, ReadPattern{4, 0}, ReadPattern{4, 1024}}) {
    alignas(64) uint8_t data[4096] = {};
    std::map<uint64_t, int> seen;
    const uint64_t nothing = kernels.read(data, sizeof data, pattern);
    size_t missed = 0;
    for (size_t i = 0; i < sizeof data; i += 64) {
      data[i] = 1;  // the first lane of every line is in the result of each instruction set
      missed += kernels.read(data, sizeof data, pattern) == nothing;
      data[i] = 0;
    }
    EXPECT_EQ(missed, 0u);
  }
}

TEST_P(EachIsa, MeasuresSomething) {
  if (!ops::IsaSupported(GetParam())) GTEST_SKIP() << "not on this machine";
  const MachineLimits limits = (*Prober::Make(GetParam(), 8u << 20))->Measure(2);
  for (double limit : {limits.read_gb_s, limits.int8_gops, limits.int4_gops, limits.f32_gflops}) {
    EXPECT_GT(limit, 0);
  }
}

INSTANTIATE_TEST_SUITE_P(Isas, EachIsa,
                         ::testing::ValuesIn(ops::kAllIsas),
                         [](const auto& set) { return std::string(ops::IsaName(set.param)); });

void RunsEveryPhase(Subject& subject) {
  EXPECT_TRUE(subject.Prefill(16));
  const auto decode = subject.Decode(3, 4);
  ASSERT_TRUE(decode) << decode.error().message();
  EXPECT_GE(decode->passes, 1);
  EXPECT_LE(decode->passes, 3) << "at most one per sequence";
  EXPECT_FALSE(subject.Decode(1, 1u << 20)) << "beyond the context";
}

TEST(LocalSubject, RunsEveryPhaseOfATinyModel) {
  const auto file = *model::GgufFile::Parse(model::testing::TinyModel{}.Build());
  RunsEveryPhase(**LocalSubject::Load(file, 2, ops::Isa::kScalar));
}

#ifdef TEETEE_SIMULATED
TEST(ClusterSubject, RunsEveryPhaseOverChannels) {
  const auto file = *model::GgufFile::Parse(model::testing::TinyModel{}.Build());
  RunsEveryPhase(**ClusterSubject::Start(file, 2, 1, ops::Isa::kScalar, 3));
}
#endif

}  // namespace
}  // namespace teetee::bench
