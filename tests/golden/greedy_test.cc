// The greedy continuations of ../shared/models/golden.json: equal, id by id, to llama.cpp's.
#include <gtest/gtest.h>

#include "base/file.h"
#include "base/json.h"
#include "engine/generate.h"
#include "golden/testing.h"

namespace teetee::golden {
namespace {

using engine::TokenId;

constexpr const char* kGolden = "models/golden.json";

std::vector<TokenId> ToIds(const Json& array) {
  std::vector<TokenId> ids;
  for (const Json& id : array.as_array()) ids.push_back(static_cast<TokenId>(*id.ToUint64()));
  return ids;
}

// The prompt's text through tokenizer, pipeline, sampler and text stream.
void ExpectContinuation(Model& model, const Json& entry) {
  const std::vector<TokenId> prompt = ToIds(*entry.Find("prompt_ids"));
  const std::vector<TokenId> want = ToIds(*entry.Find("greedy_ids"));
  auto ids = model.tokenizer.Encode(entry.Find("prompt")->as_string());
  ASSERT_TRUE(ids);
  EXPECT_EQ(*ids, prompt);

  std::vector<float> first;
  engine::GenerateOptions options;
  options.sampler.temperature = 0;
  options.limits.max_tokens = want.size();
  options.on_logits = [&](std::span<const float> row) {
    if (first.empty()) first.assign(row.begin(), row.end());
  };
  auto got = engine::Generate(*model.pipeline, model.tokenizer, prompt, options);
  ASSERT_TRUE(got) << got.error().message();
  EXPECT_EQ(got->ids, want);
  EXPECT_EQ(got->text, entry.Find("text")->as_string());
  for (const Json& row : entry.Find("first_logits_top8")->as_array()) {
    const size_t id = static_cast<size_t>(*row.as_array()[0].ToUint64());
    EXPECT_NEAR(first[id], row.as_array()[1].as_double(), 0.03) << "logit of id " << id;
  }
}

void ExpectGolden(const char* model_file, const char* model_name, ops::Isa isa) {
  TEETEE_NEEDS_SHARED(model_file);
  auto bytes = ReadFile(model::testing::SharedPath(kGolden));
  ASSERT_TRUE(bytes);
  auto golden = Json::Parse(AsText(*bytes));
  ASSERT_TRUE(golden) << golden.error().message();
  auto model = LoadShared(model_file, isa, 1);
  ASSERT_TRUE(model);
  const Json* entries = golden->Find(model_name);
  ASSERT_TRUE(entries && entries->as_array().size() == 3);
  for (const Json& entry : entries->as_array()) ExpectContinuation(*model, entry);
}

TEST(Golden, Stories260KScalar) { ExpectGolden(kStories, "stories260K", ops::Isa::kScalar); }
TEST(Golden, TinyStories656KScalar) { ExpectGolden(kTiny, "TinyStories-656K", ops::Isa::kScalar); }
TEST(Golden, Stories260KFastest) { ExpectGolden(kStories, "stories260K", ops::BestIsa()); }
TEST(Golden, TinyStories656KFastest) { ExpectGolden(kTiny, "TinyStories-656K", ops::BestIsa()); }

}  // namespace
}  // namespace teetee::golden
