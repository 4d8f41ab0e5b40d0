// The cluster of one machine: the bits of one process over real channels, and errors that come back.
#include "pipeline/local_cluster.h"

#ifdef TEETEE_SIMULATED

#include <gtest/gtest.h>

#include <algorithm>

#include "engine/local_pipeline.h"
#include "model/testing/tiny_model.h"

namespace teetee::pipeline {
namespace {

const std::vector<std::vector<uint32_t>> kPrompts{{1, 5, 9}, {2}, {3, 3, 3, 7, 1, 2, 4}, {9, 8}, {6, 6}};

model::GgufFile TinyFile() {
  model::testing::TinyModel tiny;
  auto file = model::GgufFile::Parse(tiny.Build());
  EXPECT_TRUE(file) << file.error().message();
  return *std::move(file);
}

std::vector<uint32_t> GreedyIds(const model::GgufFile& file, std::vector<uint32_t> feed, size_t n) {
  auto config = *model::ModelConfig::From(file);
  auto whole = *engine::CutEvenly(config.n_layers, 1);
  auto local = *engine::LocalPipeline::Load(file, config, whole, ops::Isa::kScalar, 1);
  auto sequence = *local->MakeSequence(feed.size() + n);
  std::vector<float> logits(config.vocab_size);
  std::vector<uint32_t> out;
  while (out.size() < n) {
    EXPECT_TRUE(local->Prefill(sequence, feed, 4, logits.data()).has_value());
    out.push_back(static_cast<uint32_t>(std::max_element(logits.begin(), logits.end()) - logits.begin()));
    feed.assign(1, out.back());
  }
  return out;
}

ClusterLoad Load(uint32_t n) {
  ClusterLoad load{kPrompts, n, {}};
  load.sampling.settings.temperature = 0;
  return load;
}

TEST(LocalCluster, GivesTheBitsOfOneProcess) {
  model::GgufFile file = TinyFile();
  for (uint32_t stages : {1u, 2u}) {
    SCOPED_TRACE(stages);
    LocalClusterOptions options;
    options.stages = stages;
    auto cluster = LocalCluster::Start(file, options);
    ASSERT_TRUE(cluster) << cluster.error().message();
    for (int again = 0; again < 2; ++again) {
      auto run = (*cluster)->Run(Load(9));
      ASSERT_TRUE(run) << run.error().message();
      for (size_t i = 0; i < kPrompts.size(); ++i) EXPECT_EQ(run->ids[i], GreedyIds(file, kPrompts[i], 9)) << i;
      ASSERT_EQ(run->batches.size(), stages);
      for (uint64_t batches : run->batches) EXPECT_GE(batches, 8u);  // one per token at least
    }
  }
}

TEST(LocalCluster, AFailureOfOneSequenceEndsTheRun) {
  model::GgufFile file = TinyFile();
  auto cluster = LocalCluster::Start(file, {});
  ASSERT_TRUE(cluster) << cluster.error().message();
  auto run = (*cluster)->Run(Load(100'000));  // beyond the context
  ASSERT_FALSE(run);
  EXPECT_EQ(run.error().code(), Code::kInvalidArgument) << run.error().message();
  auto after = (*cluster)->Run(Load(2));
  EXPECT_TRUE(after) << after.error().message();
}

TEST(LocalCluster, RefusesWhatItCannotCut) {
  model::GgufFile file = TinyFile();
  LocalClusterOptions options;
  options.stages = 100;
  auto cluster = LocalCluster::Start(file, options);
  ASSERT_FALSE(cluster);
  EXPECT_EQ(cluster.error().code(), Code::kInvalidArgument);
}

}  // namespace
}  // namespace teetee::pipeline

#endif  // TEETEE_SIMULATED
