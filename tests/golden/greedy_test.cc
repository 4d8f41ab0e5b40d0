// The greedy continuations of ../shared/models/golden.json: equal, id by id, to llama.cpp's.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "base/file.h"
#include "base/json.h"
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

TokenId Greedy(const std::vector<float>& logits) {
  return static_cast<TokenId>(std::max_element(logits.begin(), logits.end()) - logits.begin());
}

void ExpectContinuation(engine::LocalPipeline& pipeline, const Json& entry) {
  const std::vector<TokenId> prompt = ToIds(*entry.Find("prompt_ids"));
  const std::vector<TokenId> want = ToIds(*entry.Find("greedy_ids"));
  auto sequence = pipeline.MakeSequence(prompt.size() + want.size());
  ASSERT_TRUE(sequence);
  std::vector<float> logits(pipeline.config().vocab_size);
  ASSERT_TRUE(pipeline.Prefill(*sequence, prompt, 512, logits.data()).has_value());
  for (const Json& row : entry.Find("first_logits_top8")->as_array()) {
    const size_t id = static_cast<size_t>(*row.as_array()[0].ToUint64());
    EXPECT_NEAR(logits[id], row.as_array()[1].as_double(), 0.03) << "logit of id " << id;
  }
  std::vector<TokenId> got;
  while (got.size() < want.size()) {
    got.push_back(Greedy(logits));
    ASSERT_TRUE(pipeline.Prefill(*sequence, {&got.back(), 1}, 1, logits.data()).has_value());
  }
  EXPECT_EQ(got, want);
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
  for (const Json& entry : entries->as_array()) ExpectContinuation(*model->pipeline, entry);
}

TEST(Golden, Stories260KScalar) { ExpectGolden(kStories, "stories260K", ops::Isa::kScalar); }
TEST(Golden, TinyStories656KScalar) { ExpectGolden(kTiny, "TinyStories-656K", ops::Isa::kScalar); }
TEST(Golden, Stories260KFastest) { ExpectGolden(kStories, "stories260K", ops::BestIsa()); }
TEST(Golden, TinyStories656KFastest) { ExpectGolden(kTiny, "TinyStories-656K", ops::BestIsa()); }

}  // namespace
}  // namespace teetee::golden
