#include "model/config.h"

#include <gtest/gtest.h>

#include "model/testing/shared_data.h"
#include "model/testing/tiny_model.h"

namespace teetee::model {
namespace {

using testing::TinyModel;

Result<ModelConfig> ConfigOf(const TinyModel& tiny) {
  auto file = GgufFile::Parse(tiny.Build());
  EXPECT_TRUE(file) << file.error().message();
  return ModelConfig::From(*file);
}

void ExpectRefused(const TinyModel& tiny, std::string_view words) {
  auto config = ConfigOf(tiny);
  ASSERT_FALSE(config) << "accepted; expected: " << words;
  EXPECT_NE(config.error().message().find(words), std::string::npos) << config.error().message();
}

TEST(Config, RefusesValuesOutOfRange) {
  for (const char* key :
       {"block_count", "embedding_length", "feed_forward_length", "attention.head_count",
        "attention.head_count_kv", "context_length", "rope.dimension_count", "vocab_size"}) {
    for (uint32_t bad : {0u, 0xffffffffu}) {
      TinyModel tiny;
      tiny.u32["llama." + std::string(key)] = bad;
      ExpectRefused(tiny, key);
    }
  }
  TinyModel odd;
  odd.u32["llama.rope.dimension_count"] = 3;
  ExpectRefused(odd, "even");
  TinyModel heads;
  heads.u32["llama.attention.head_count"] = 3;
  ExpectRefused(heads, "attention.head_count");
  TinyModel bos;
  bos.u32["tokenizer.ggml.bos_token_id"] = 1u << 30;
  ExpectRefused(bos, "bos_token_id");
  for (float bad : {0.0f, -1.0f, std::nanf("")}) {
    TinyModel eps;
    eps.f32["llama.attention.layer_norm_rms_epsilon"] = bad;
    ExpectRefused(eps, "epsilon");
    TinyModel base;
    base.f32["llama.rope.freq_base"] = bad;
    ExpectRefused(base, "freq_base");
  }
}

TEST(Config, RefusesVariantsByName) {
  TinyModel experts;
  experts.u32["llama.expert_count"] = 8;
  ExpectRefused(experts, "llama.expert_count");
  TinyModel window;
  window.u32["llama.attention.sliding_window"] = 4096;
  ExpectRefused(window, "sliding_window");
  TinyModel scale;
  scale.f32["llama.logit_scale"] = 8;
  ExpectRefused(scale, "logit_scale");
  TinyModel rope;
  rope.text["llama.rope.scaling.type"] = "longrope";
  ExpectRefused(rope, "rope.scaling.type");
  TinyModel other;
  other.text["general.architecture"] = "mamba";
  ExpectRefused(other, "supported: llama");
  TinyModel value;
  value.u32["llama.attention.value_length"] = 2;
  ExpectRefused(value, "value_length");
}

TEST(Config, RefusesMissingKeys) {
  TinyModel tiny;
  tiny.u32.erase("llama.block_count");
  auto config = ConfigOf(tiny);
  ASSERT_FALSE(config);
  EXPECT_EQ(config.error().code(), Code::kNotFound);
}

TEST(Config, ReadsYarn) {
  TinyModel tiny;
  tiny.text["llama.rope.scaling.type"] = "yarn";
  ExpectRefused(tiny, "rope.scaling.factor");
  tiny.f32["llama.rope.scaling.factor"] = 4;
  ExpectRefused(tiny, "original_context_length");
  tiny.u32["llama.rope.scaling.original_context_length"] = 32;
  ModelConfig config = *ConfigOf(tiny);
  EXPECT_EQ(config.rope.scaling, RopeScaling::kYarn);
  EXPECT_EQ(config.rope.factor, 4);
  EXPECT_EQ(config.rope.original_context, 32u);
  EXPECT_EQ(config.rope.beta_fast, 32);
}

TEST(Config, TensorsMustBeExactlyTheExpectedOnes) {
  const BlockRange whole{0, 3, true, true};
  TinyModel good;
  GgufFile file = *GgufFile::Parse(good.Build());
  EXPECT_TRUE(CheckTensors(file, *ModelConfig::From(file), whole));

  TinyModel bias;
  bias.extra_tensors = {{"blk.0.attn_q.bias", {8}}};
  GgufFile with_bias = *GgufFile::Parse(bias.Build());
  auto extra = CheckTensors(with_bias, *ModelConfig::From(with_bias), whole);
  ASSERT_FALSE(extra);
  EXPECT_NE(extra.error().message().find("blk.0.attn_q.bias"), std::string::npos);

  TinyModel missing;
  missing.without = "blk.1.ffn_up.weight";
  GgufFile cut = *GgufFile::Parse(missing.Build());
  auto absent = CheckTensors(cut, *ModelConfig::From(cut), whole);
  ASSERT_FALSE(absent);
  EXPECT_EQ(absent.error().message(), "tensor blk.1.ffn_up.weight: missing");

  TinyModel shape;
  shape.without = "blk.1.ffn_up.weight";
  shape.extra_tensors = {{"blk.1.ffn_up.weight", {12, 8}}};
  GgufFile turned = *GgufFile::Parse(shape.Build());
  auto wrong = CheckTensors(turned, *ModelConfig::From(turned), whole);
  ASSERT_FALSE(wrong);
  EXPECT_NE(wrong.error().message().find("expected (8, 12), found (12, 8)"), std::string::npos);
}

TEST(Config, ExpectedTensorsFollowTheRange) {
  GgufFile file = *GgufFile::Parse(TinyModel().Build());
  ModelConfig config = *ModelConfig::From(file);
  EXPECT_TRUE(config.tied_head);
  EXPECT_EQ(ExpectedTensors(config, {0, 3, true, true}).size(), 2u + 27);
  EXPECT_EQ(ExpectedTensors(config, {1, 1, false, false}).size(), 9u);
  EXPECT_EQ(ExpectedTensors(config, {1, 2, false, true}).size(), 2u + 18);
  config.tied_head = false;
  config.rope.has_freq_factors = true;
  EXPECT_EQ(ExpectedTensors(config, {1, 2, false, true}).size(), 3u + 18);
}

TEST(Config, RealModels) {
  TEETEE_NEEDS_SHARED("models/stories260k/stories260K-f32.gguf");
  GgufFile file = *GgufFile::Open(testing::SharedPath("models/stories260k/stories260K-f32.gguf"));
  ModelConfig c = *ModelConfig::From(file);
  EXPECT_EQ(c.n_layers, 5u);
  EXPECT_EQ(c.head_dim, 8u);
  EXPECT_EQ(c.n_kv_heads, 4u);
  EXPECT_EQ(c.ffn_dim, 172u);
  EXPECT_EQ(c.vocab_size, 512u);
  EXPECT_EQ(c.bos, 1u);
  EXPECT_TRUE(c.tied_head);
  EXPECT_EQ(c.rope.pairs, RopePairs::kAdjacent);
  EXPECT_TRUE(CheckTensors(file, c, *RangeOf(file, c)));
  for (const char* name : {"f32", "Q8_0", "Q4_0"}) {
    GgufFile f = *GgufFile::Open(testing::SharedPath("models/tinystories-656k/TinyStories-656K-" +
                                                     std::string(name) + ".gguf"));
    ModelConfig config = *ModelConfig::From(f);
    EXPECT_TRUE(CheckTensors(f, config, *RangeOf(f, config)));
  }
}

}  // namespace
}  // namespace teetee::model
