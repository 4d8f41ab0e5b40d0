#include "model/split.h"

#include <gtest/gtest.h>

#include <map>

#include "base/file.h"
#include "model/shard_keys.h"
#include "model/testing/shared_data.h"
#include "model/testing/tiny_model.h"
#include "model/tokenizer.h"

namespace teetee::model {
namespace {

struct Model {
  explicit Model(Bytes bytes)
      : file(*GgufFile::Parse(std::move(bytes))), config(*ModelConfig::From(file)) {}
  GgufFile file;
  ModelConfig config;
};

TEST(Split, RefusesBadPlans) {
  Model tiny(testing::TinyModel().Build());
  EXPECT_FALSE(SplitPlan::Even(tiny.config, 0));
  EXPECT_FALSE(SplitPlan::Even(tiny.config, 4));  // three blocks
  EXPECT_FALSE(SplitPlan::At(tiny.config, {0}));
  EXPECT_FALSE(SplitPlan::At(tiny.config, {3}));
  EXPECT_FALSE(SplitPlan::At(tiny.config, {2, 1}));
  EXPECT_FALSE(SplitPlan::At(tiny.config, {1, 1}));
  for (const char* bad : {"", "a", "1,", ",1", "1,,2", "-1", " 1", "1 ", "99999999999"}) {
    EXPECT_FALSE(ParseCuts(bad)) << bad;
  }
  EXPECT_EQ(*ParseCuts("12,20"), (std::vector<uint32_t>{12, 20}));
}

TEST(Split, EvenPlansGiveTheLargerShardsFirst) {
  ModelConfig config;
  config.n_layers = 30;
  auto counts = [&](uint32_t slots) {
    std::vector<uint32_t> out;
    const SplitPlan plan = *SplitPlan::Even(config, slots);
    for (const BlockRange& r : plan.slots()) out.push_back(r.count);
    return out;
  };
  EXPECT_EQ(counts(1), (std::vector<uint32_t>{30}));
  EXPECT_EQ(counts(2), (std::vector<uint32_t>{15, 15}));
  EXPECT_EQ(counts(4), (std::vector<uint32_t>{8, 8, 7, 7}));
}

TEST(Split, RefusesAShardAndUnknownTensors) {
  Model tiny(testing::TinyModel().Build());
  SplitPlan plan = *SplitPlan::Even(tiny.config, 2);
  const std::string path = ::testing::TempDir() + "/again.gguf";
  ASSERT_TRUE(WriteShard(tiny.file, tiny.config, plan, 1, path));
  GgufFile shard = *GgufFile::Open(path);
  EXPECT_EQ(ShardHeader(shard, tiny.config, plan, 0).error().code(), Code::kFailedPrecondition);

  testing::TinyModel odd;
  odd.extra_tensors = {{"blk.0.attn_q.bias", {8}}};
  Model with_bias(odd.Build());
  EXPECT_EQ(ShardHeader(with_bias.file, with_bias.config, plan, 0).error().code(),
            Code::kUnimplemented);
}

// Every shard is a model file of its range, with the bytes of the original.
void CheckShards(const Model& model, const SplitPlan& plan) {
  const uint32_t slots = static_cast<uint32_t>(plan.slots().size());
  std::map<std::string, int> seen;
  for (uint32_t slot = 0; slot < slots; ++slot) {
    const std::string path = ::testing::TempDir() + "/shard.gguf";
    ByteWriter file_bytes;
    uint64_t tensor_bytes = 0;
    ShardObserver observer;
    observer.file = [&](ByteView piece) -> Status {
      file_bytes.Raw(piece);
      return Ok{};
    };
    observer.tensor = [&](const TensorInfo&, uint64_t, ByteView piece) -> Status {
      tensor_bytes += piece.size();
      return Ok{};
    };
    ASSERT_TRUE(WriteShard(model.file, model.config, plan, slot, path, observer));
    EXPECT_EQ(*ReadFile(path), file_bytes.bytes());

    GgufFile shard = *GgufFile::Open(path);
    ModelConfig config = *ModelConfig::From(shard);
    EXPECT_EQ(CanonicalConfig(config), CanonicalConfig(model.config));
    BlockRange range = *RangeOf(shard, config);
    EXPECT_EQ(range.first, plan.slots()[slot].first);
    EXPECT_EQ(range.count, plan.slots()[slot].count);
    EXPECT_EQ(range.with_embedding, slot == 0);
    EXPECT_EQ(range.with_head, slot + 1 == slots);
    EXPECT_TRUE(CheckTensors(shard, config, range));
    EXPECT_EQ(Tokenizer::From(shard.metadata()).has_value(), slot == 0);
    uint64_t sum = 0;
    for (const TensorInfo& tensor : shard.tensors()) {
      EXPECT_EQ(*shard.ReadTensor(tensor),
                *model.file.ReadTensor(**model.file.FindTensor(tensor.name)));
      sum += tensor.bytes;
      ++seen[tensor.name];
    }
    EXPECT_EQ(sum, tensor_bytes);
  }
  EXPECT_EQ(seen.size(), model.file.tensors().size());
  for (const auto& [name, times] : seen) {
    const bool twice = name == "token_embd.weight" && model.config.tied_head && slots > 1;
    EXPECT_EQ(times, twice ? 2 : 1) << name;
  }
}

TEST(Split, ShardsHoldTheirOwnTensors) {
  Model tiny(testing::TinyModel().Build());
  for (uint32_t slots : {1u, 2u, 3u}) CheckShards(tiny, *SplitPlan::Even(tiny.config, slots));
  CheckShards(tiny, *SplitPlan::At(tiny.config, {1}));
  testing::TinyModel untied;
  untied.extra_tensors = {{"output.weight", {8, 259}}};
  Model model(untied.Build());
  EXPECT_FALSE(model.config.tied_head);
  for (uint32_t slots : {1u, 3u}) CheckShards(model, *SplitPlan::Even(model.config, slots));
}

TEST(Split, ShardsOfAModelWithoutVocabSizeStillKnowIt) {
  testing::TinyModel tiny;
  tiny.u32.erase("llama.vocab_size");
  Model model(tiny.Build());
  CheckShards(model, *SplitPlan::Even(model.config, 3));
}

TEST(Split, RangeOfRefusesContradictions) {
  struct Case {
    uint32_t slot, slots, first, count;
  };
  for (const Case& c : {Case{2, 2, 1, 2}, Case{0, 2, 1, 1}, Case{1, 2, 0, 3}, Case{1, 2, 1, 1},
                        Case{0, 2, 0, 3}, Case{1, 3, 1, 0xffffffff}, Case{0, 1, 0, 0}}) {
    testing::TinyModel tiny;
    tiny.u32[std::string(kShardSlot)] = c.slot;
    tiny.u32[std::string(kShardSlots)] = c.slots;
    tiny.u32[std::string(kShardFirstBlock)] = c.first;
    tiny.u32[std::string(kShardBlockCount)] = c.count;
    Model model(tiny.Build());
    EXPECT_FALSE(RangeOf(model.file, model.config))
        << c.slot << " " << c.slots << " " << c.first << " " << c.count;
  }
}

TEST(Split, RealModel) {
  TEETEE_NEEDS_SHARED("models/tinystories-656k/TinyStories-656K-Q8_0.gguf");
  GgufFile file =
      *GgufFile::Open(testing::SharedPath("models/tinystories-656k/TinyStories-656K-Q8_0.gguf"));
  ModelConfig config = *ModelConfig::From(file);
  SplitPlan plan = *SplitPlan::Even(config, 2);
  uint64_t sizes = 0;
  for (uint32_t slot : {0u, 1u}) {
    const std::string path = ::testing::TempDir() + "/real.gguf";
    ASSERT_TRUE(WriteShard(file, config, plan, slot, path));
    GgufFile shard = *GgufFile::Open(path);
    EXPECT_TRUE(CheckTensors(shard, config, plan.slots()[slot]));
    sizes += shard.file_bytes();
  }
  EXPECT_GT(sizes, file.file_bytes());  // the tied embedding lies in both
}

}  // namespace
}  // namespace teetee::model
