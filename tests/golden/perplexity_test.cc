// The perplexities of ../shared/models/text/REFERENCE.md (llama.cpp), over as many chunks as the
// reference has: within 0.02 % for F32 and 0.1 % for quantised weights. TEETEE_ALL_PERPLEXITIES=1
// runs those that take longer, too. Under a sanitizer they take minutes: there the first stands for all.
#include "engine/perplexity.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <string>
#include <vector>

#include "base/file.h"
#include "golden/testing.h"

namespace teetee::golden {
namespace {

constexpr const char* kStoriesText = "models/text/tinystories_val.txt";
constexpr const char* kTinyText = "models/text/tinystories_val.656k-chars.txt";
constexpr const char* kWikiText = "models/text/wiki.test.raw";

struct Case {
  const char* name;
  const char* model;
  const char* text;
  size_t ctx;
  size_t chunks;
  uint64_t scored;
  double ppl;
  double tolerance;  // relative
  bool always;
};

constexpr Case kCases[] = {
    {"Stories260KF32Ctx128", kStories, kStoriesText, 128, 200, 12600, 4.0466, 0.0002, true},
    {"Stories260KF32Ctx256", kStories, kStoriesText, 256, 200, 25400, 3.9174, 0.0002, false},
    {"TinyStories656KF32Ctx128", kTiny, kTinyText, 128, 200, 12600, 25.7861, 0.0002, false},
    {"TinyStories656KF32Ctx256", kTiny, kTinyText, 256, 200, 25400, 27.3229, 0.0002, false},
    {"TinyStories656KQ8Ctx256", kTinyQ8, kTinyText, 256, 200, 25400, 27.3130, 0.001, true},
    {"TinyStories656KQ4Ctx256", kTinyQ4, kTinyText, 256, 200, 25400, 28.7459, 0.001, true},
    {"Stories260KF32Wiki", kStories, kWikiText, 256, 100, 12700, 139.6311, 0.0002, false},
};

std::vector<Case> ChosenCases() {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  return {kCases[0]};
#endif
  const char* all = std::getenv("TEETEE_ALL_PERPLEXITIES");
  std::vector<Case> out;
  for (const Case& c : kCases) {
    if (c.always || (all != nullptr && std::string(all) == "1")) out.push_back(c);
  }
  return out;
}

class PerplexityTest : public ::testing::TestWithParam<Case> {};

TEST_P(PerplexityTest, AgreesWithTheReference) {
  const Case& c = GetParam();
  TEETEE_NEEDS_SHARED(c.model);
  TEETEE_NEEDS_SHARED(c.text);
  auto model = LoadShared(c.model, ops::BestIsa(), 1);
  ASSERT_TRUE(model);
  auto text = ReadFile(model::testing::SharedPath(c.text));
  ASSERT_TRUE(text);
  auto ids = model->tokenizer.Encode(AsText(*text));
  ASSERT_TRUE(ids) << ids.error().message();
  ASSERT_EQ(ids->front(), *model->tokenizer.bos());
  const auto result = engine::Perplexity(*model->pipeline, *ids, {c.ctx, c.chunks, ids->front()});
  ASSERT_TRUE(result) << result.error().message();
  EXPECT_EQ(result->scored, c.scored);
  EXPECT_NEAR(result->ppl / c.ppl, 1, c.tolerance) << result->ppl;
}

INSTANTIATE_TEST_SUITE_P(Reference, PerplexityTest, ::testing::ValuesIn(ChosenCases()),
                         [](const auto& c) { return std::string(c.param.name); });

}  // namespace
}  // namespace teetee::golden
