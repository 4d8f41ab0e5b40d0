#include "engine/generate.h"

#include <gtest/gtest.h>

#include "model/testing/tiny_model.h"

namespace teetee::engine {
namespace {

class GenerateTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto file = model::GgufFile::Parse(model::testing::TinyModel().Build());
    ASSERT_TRUE(file);
    auto config = model::ModelConfig::From(*file);
    auto tokenizer = model::Tokenizer::From(file->metadata());
    ASSERT_TRUE(config && tokenizer);
    tokenizer_.emplace(*std::move(tokenizer));
    auto ranges = CutEvenly(config->n_layers, 2);
    auto pipeline = LocalPipeline::Load(*file, *config, *ranges, ops::Isa::kScalar, 1);
    ASSERT_TRUE(pipeline) << pipeline.error().message();
    pipeline_ = *std::move(pipeline);
    options_.sampler.temperature = 0;
    options_.limits = {8, {}, true};
  }

  Result<GenerateResult> Run(std::vector<TokenId> prompt) {
    return Generate(*pipeline_, *tokenizer_, prompt, options_);
  }
  Code CodeOf(const Result<GenerateResult>& result) {
    return result ? Code::kInternal : result.error().code();
  }

  std::optional<model::Tokenizer> tokenizer_;
  std::unique_ptr<LocalPipeline> pipeline_;
  GenerateOptions options_;
};

TEST_F(GenerateTest, RefusesPromptsThatDoNotFit) {
  EXPECT_EQ(CodeOf(Run({})), Code::kInvalidArgument);
  EXPECT_EQ(CodeOf(Run(std::vector<TokenId>(64, 5))), Code::kInvalidArgument);
  EXPECT_EQ(CodeOf(Run({1, 259})), Code::kInvalidArgument);
}

TEST_F(GenerateTest, RefusesOptionsOutOfRange) {
  options_.limits.max_tokens = 0;
  EXPECT_EQ(CodeOf(Run({1})), Code::kInvalidArgument);
  options_.limits.max_tokens = 8;
  options_.prefill_chunk = 0;
  EXPECT_EQ(CodeOf(Run({1})), Code::kInvalidArgument);
  options_.prefill_chunk = 512;
  options_.sampler.temperature = -1;
  EXPECT_EQ(CodeOf(Run({1})), Code::kInvalidArgument);
}

TEST_F(GenerateTest, EndsAtMaxTokensAndWhenTheContextIsFull) {
  auto eight = Run({1, 5});
  ASSERT_TRUE(eight);
  EXPECT_EQ(eight->ids.size(), 8u);
  EXPECT_EQ(eight->finish, FinishReason::kLength);
  options_.limits.max_tokens = 1000;
  auto full = Run(std::vector<TokenId>(60, 5));
  ASSERT_TRUE(full) << full.error().message();
  EXPECT_EQ(full->ids.size(), 4u);
  EXPECT_EQ(full->finish, FinishReason::kLength);
}

TEST_F(GenerateTest, CancelsWhenToldTo) {
  int calls = 0;
  options_.on_token = [&](const SampledToken&, std::string_view) { return ++calls < 3; };
  EXPECT_EQ(CodeOf(Run({1, 5})), Code::kCancelled);
  EXPECT_EQ(calls, 3);
}

TEST_F(GenerateTest, StopsBeforeAStopString) {
  auto whole = Run({1, 5});
  ASSERT_TRUE(whole);
  ASSERT_GE(whole->text.size(), 4u);
  std::string streamed;
  options_.limits.stops = {whole->text.substr(2, 2)};
  options_.on_token = [&](const SampledToken&, std::string_view text) {
    streamed += text;
    return true;
  };
  auto cut = Run({1, 5});
  ASSERT_TRUE(cut) << cut.error().message();
  EXPECT_EQ(cut->finish, FinishReason::kStop);
  EXPECT_EQ(cut->text, whole->text.substr(0, whole->text.find(options_.limits.stops[0])));
  EXPECT_EQ(streamed, cut->text);
}

TEST_F(GenerateTest, TheSameSeedGivesTheSameAnswerAndPositionsCountThePrompt) {
  options_.sampler = {.temperature = 1.5f, .repetition_penalty = 1.2f, .seed = 42};
  options_.top_logprobs = 2;
  std::vector<uint64_t> positions;
  options_.on_token = [&](const SampledToken& token, std::string_view) {
    positions.push_back(token.position);
    EXPECT_TRUE(token.logprobs && token.logprobs->top.size() == 2);
    return true;
  };
  auto a = Run({1, 5, 6});
  auto b = Run({1, 5, 6});
  options_.sampler.seed = 43;
  auto c = Run({1, 5, 6});
  ASSERT_TRUE(a && b && c);
  EXPECT_EQ(a->ids, b->ids);
  EXPECT_NE(a->ids, c->ids);
  for (size_t i = 0; i < 8; ++i) EXPECT_EQ(positions[i], 3 + i);
}

TEST_F(GenerateTest, DraftsChangeNoBit) {
  struct Seen {
    std::vector<std::vector<float>> logits;
    std::vector<float> logprobs;
  };
  size_t accepted = 0;
  for (const SamplerSettings& sampler :
       {SamplerSettings{.temperature = 0}, SamplerSettings{.temperature = 0.3f, .seed = 5},
        SamplerSettings{.temperature = 0.3f, .repetition_penalty = 1.1f, .frequency_penalty = 0.1f, .seed = 6}}) {
    for (const std::vector<std::string>& stops : {std::vector<std::string>{}, std::vector<std::string>{"e", "\x05"}}) {
      Seen seen[2];
      Result<GenerateResult> results[2] = {Error(Code::kInternal, ""), Error(Code::kInternal, "")};
      for (size_t drafts : {0u, 1u}) {
        options_.sampler = sampler;
        options_.top_logprobs = 1;
        options_.limits.max_tokens = 50;
        options_.limits.stops = stops;
        options_.drafts = {.most = drafts * 8, .first_rate = 0.99};
        options_.on_logits = [&](std::span<const float> row) { seen[drafts].logits.emplace_back(row.begin(), row.end()); };
        options_.on_token = [&](const SampledToken& token, std::string_view) {
          seen[drafts].logprobs.push_back(token.logprobs->chosen.logprob);
          return true;
        };
        results[drafts] = Run({1, 5, 6, 5, 6});
        ASSERT_TRUE(results[drafts]) << results[drafts].error().message();
      }
      EXPECT_EQ(results[0]->ids, results[1]->ids);
      EXPECT_EQ(results[0]->text, results[1]->text);
      EXPECT_EQ(results[0]->finish, results[1]->finish);
      EXPECT_EQ(seen[0].logits, seen[1].logits);
      EXPECT_EQ(seen[0].logprobs, seen[1].logprobs);
      EXPECT_EQ(results[0]->drafted, 0u);
      accepted += results[1]->accepted;
    }
  }
  EXPECT_GT(accepted, 0u) << "no guess came true: nothing was tested";
}

TEST_F(GenerateTest, SamplingGoesBackToWhatItWas) {
  const std::vector<TokenId> prompt{1, 5, 6};
  const SamplerSettings settings{
      .temperature = 1.0f, .repetition_penalty = 1.3f, .frequency_penalty = 0.5f, .seed = 7};
  auto straight = SamplingState::Make(settings, 0, {}, prompt, 259);
  auto winding = SamplingState::Make(settings, 0, {}, prompt, 259);
  ASSERT_TRUE(straight && winding);
  Sampler sampler(ops::Isa::kScalar);
  std::vector<float> logits(259);
  for (size_t i = 0; i < logits.size(); ++i) logits[i] = static_cast<float>((i * 37) % 17) * 0.25f;
  for (uint64_t step = 0; step < 10; ++step) {
    for (TokenId wrong : {TokenId{5}, TokenId(40 + step), TokenId{5}}) ASSERT_TRUE(winding->Replay(wrong));
    ASSERT_TRUE(winding->Rewind(3 + step));
    EXPECT_EQ(winding->Next(logits, sampler)->id, straight->Next(logits, sampler)->id);
  }
  EXPECT_EQ(winding->Rewind(2).error().code(), Code::kFailedPrecondition);
  EXPECT_EQ(winding->Rewind(14).error().code(), Code::kFailedPrecondition);
}

// An answer that goes on elsewhere: the tail that takes over is told the ids so far and draws the
// same ones.
TEST_F(GenerateTest, ReplayedHistoryDrawsTheSame) {
  const std::vector<TokenId> prompt{1, 5, 6};
  const SamplerSettings settings{
      .temperature = 1.0f, .repetition_penalty = 1.3f, .presence_penalty = 0.5f, .seed = 7};
  auto first = SamplingState::Make(settings, 0, {}, prompt, 259);
  auto second = SamplingState::Make(settings, 0, {}, prompt, 259);
  ASSERT_TRUE(first && second);
  Sampler sampler(ops::Isa::kScalar);
  std::vector<float> logits(259);
  for (size_t i = 0; i < logits.size(); ++i) logits[i] = static_cast<float>((i * 37) % 17) * 0.25f;
  for (int step = 0; step < 10; ++step) {
    auto token = first->Next(logits, sampler);
    ASSERT_TRUE(token);
    if (step == 9) {
      EXPECT_EQ(second->Next(logits, sampler)->id, token->id);
    } else {
      ASSERT_TRUE(second->Replay(token->id));
    }
  }
}

}  // namespace
}  // namespace teetee::engine
