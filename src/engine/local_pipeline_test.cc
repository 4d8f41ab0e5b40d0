// The determinism contract: the same bits whatever the cut, the instruction set, the threads, the
// chunk and the batch.
#include "engine/local_pipeline.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "base/testing/sanitizers.h"
#include "crypto/hash.h"
#include "model/testing/shared_data.h"
#include "model/testing/tiny_model.h"

namespace teetee::engine {
namespace {

using model::testing::SharedPath;
using model::testing::TinyModel;

constexpr const char* kStories = "models/stories260k/stories260K-f32.gguf";
constexpr const char* kQ8 = "models/tinystories-656k/TinyStories-656K-Q8_0.gguf";
constexpr const char* kQ4 = "models/tinystories-656k/TinyStories-656K-Q4_0.gguf";

struct Variant {
  std::vector<size_t> cuts;
  ops::Isa isa = ops::Isa::kScalar;
  size_t threads = 1;
};

std::string Describe(const Variant& setup, size_t chunk, bool beside) {
  std::string text = std::string(ops::IsaName(setup.isa)) + " threads " +
                     std::to_string(setup.threads) + " chunk " + std::to_string(chunk) +
                     (beside ? " beside another" : " alone") + " cuts";
  for (size_t cut : setup.cuts) text += " " + std::to_string(cut);
  return text;
}

std::unique_ptr<LocalPipeline> Load(const model::GgufFile& file, const Variant& setup) {
  auto config = model::ModelConfig::From(file);
  EXPECT_TRUE(config) << config.error().message();
  auto ranges = CutAt(config->n_layers, setup.cuts);
  EXPECT_TRUE(ranges) << ranges.error().message();
  auto loaded = LocalPipeline::Load(file, *config, *ranges, setup.isa, setup.threads);
  EXPECT_TRUE(loaded) << loaded.error().message();
  return *std::move(loaded);
}

std::unique_ptr<LocalPipeline> LoadPath(const std::string& path, const Variant& setup) {
  auto file = model::GgufFile::Open(path);
  EXPECT_TRUE(file) << file.error().message();
  return Load(*file, setup);
}

// A fixed walk through the vocabulary, BOS first.
std::vector<TokenId> Ids(size_t n, size_t vocab, uint32_t seed) {
  std::vector<TokenId> ids{1};
  for (uint32_t x = seed; ids.size() < n;) {
    x = x * 1664525u + 1013904223u;
    ids.push_back(static_cast<TokenId>((x >> 8) % vocab));
  }
  return ids;
}

// Runs `n` ids in chunks, then 3 greedy steps, and hashes every row of logits. With `beside`,
// another sequence of other ids runs in the same batches, always at another position.
Hash32 HashLogits(LocalPipeline& pipeline, size_t n, size_t chunk, bool beside) {
  const size_t vocab = pipeline.config().vocab_size;
  std::vector<TokenId> ids = Ids(n, vocab, 1);
  const size_t other_size = std::min<size_t>(2 * n + 11, pipeline.config().context_length);
  const std::vector<TokenId> other = Ids(other_size, vocab, 2);
  auto a = pipeline.MakeSequence(n + 8);
  auto b = pipeline.MakeSequence(other.size());
  EXPECT_TRUE(a && b);
  if (beside) {
    EXPECT_TRUE(pipeline.Prefill(*b, std::span(other).first(3), 2, nullptr).has_value());
  }
  crypto::Sha256Stream hash;
  std::vector<float> logits, other_logits(vocab);
  for (size_t done = 0; done < n + 3;) {
    const size_t rows = done < n ? std::min(chunk, n - done) : 1;
    logits.resize(rows * vocab);
    std::vector<PipelineItem> items;
    if (beside) {  // before it in the batch, then after it
      const size_t b_rows = done % 2 == 0 ? 1 : std::min<size_t>(2, other.size() - b->length());
      items.push_back({&*b, std::span(other).subspan(b->length(), b_rows), 1, other_logits.data(),
                       std::nullopt});
    }
    items.push_back({&*a, std::span(ids).subspan(done, rows), rows, logits.data(), std::nullopt});
    if (done % 3 == 0) std::reverse(items.begin(), items.end());
    const Status status = pipeline.Forward(items);
    EXPECT_TRUE(status) << status.error().message();
    for (const PipelineItem& item : items) EXPECT_FALSE(item.error);
    hash.Update({reinterpret_cast<const uint8_t*>(logits.data()), logits.size() * sizeof(float)});
    done += rows;
    if (done < n) continue;
    const auto last = logits.end() - static_cast<ptrdiff_t>(vocab);
    ids.push_back(static_cast<TokenId>(std::max_element(last, logits.end()) - last));
  }
  return hash.Finish();
}

std::vector<ops::Isa> SupportedIsas() {
  std::vector<ops::Isa> out;
  for (ops::Isa isa : ops::kAllIsas) {
    if (ops::IsaSupported(isa)) out.push_back(isa);
  }
  return out;
}

// All ways to cut n blocks.
std::vector<std::vector<size_t>> AllCuts(size_t n) {
  std::vector<std::vector<size_t>> out;
  for (size_t mask = 0; mask < (size_t{1} << (n - 1)); ++mask) {
    std::vector<size_t> cuts;
    for (size_t i = 1; i < n; ++i) {
      if (mask >> (i - 1) & 1) cuts.push_back(i);
    }
    out.push_back(cuts);
  }
  return out;
}

TEST(Cut, RefusesCutsThatMakeNoShards) {
  const std::vector<std::vector<size_t>> bad{{0}, {5}, {6}, {2, 2}, {3, 1}};
  for (const auto& cuts : bad) EXPECT_FALSE(CutAt(5, cuts));
  EXPECT_FALSE(CutEvenly(5, 0));
  EXPECT_FALSE(CutEvenly(5, 6));
}

TEST(Cut, SharesBlocksEvenly) {
  auto ranges = CutEvenly(5, 3);
  ASSERT_TRUE(ranges);
  ASSERT_EQ(ranges->size(), 3u);
  EXPECT_EQ((*ranges)[0].count, 2u);
  EXPECT_EQ((*ranges)[1].count, 2u);
  EXPECT_EQ((*ranges)[2].count, 1u);
  EXPECT_TRUE((*ranges)[0].with_embedding && (*ranges)[2].with_head);
  EXPECT_FALSE((*ranges)[1].with_embedding || (*ranges)[1].with_head);
}

TEST(LocalPipeline, RefusesIdsAndSequencesOutOfRange) {
  auto file = model::GgufFile::Parse(TinyModel().Build());
  ASSERT_TRUE(file);
  const auto pipeline = Load(*file, {});
  EXPECT_FALSE(pipeline->MakeSequence(65));
  auto sequence = pipeline->MakeSequence(4);
  ASSERT_TRUE(sequence);
  const std::vector<TokenId> bad{1, 259}, many{1, 2, 3, 4, 5};
  EXPECT_FALSE(pipeline->Prefill(*sequence, bad, 8, nullptr));
  EXPECT_EQ(sequence->length(), 0u);
  const Status status = pipeline->Prefill(*sequence, many, 8, nullptr);
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code(), Code::kResourceExhausted);
}

TEST(Determinism, EveryCutIsaThreadCountChunkAndBatchOfStories260K) {
  TEETEE_NEEDS_SHARED(kStories);
  const std::string path = SharedPath(kStories);
  constexpr size_t kIds = 12;
  std::vector<std::vector<size_t>> all_cuts = AllCuts(5);
  if (kSanitized) all_cuts = {{}, {1, 3}, {1, 2, 3, 4}};
  const Hash32 want = HashLogits(*LoadPath(path, {}), kIds, 512, false);
  for (ops::Isa isa : SupportedIsas()) {
    for (size_t threads : {1, 2}) {
      for (const auto& cuts : all_cuts) {
        const Variant setup{cuts, isa, threads};
        const auto pipeline = LoadPath(path, setup);
        for (size_t chunk : {1, 7, 512}) {
          for (bool beside : {false, true}) {
            EXPECT_EQ(want, HashLogits(*pipeline, kIds, chunk, beside))
                << Describe(setup, chunk, beside);
          }
        }
      }
    }
  }
}

// Past the border of an attention segment (256 positions), and with quantised weights.
TEST(Determinism, LongSequencesOfEachWeightType) {
  constexpr size_t kIds = kSanitized ? 260 : 300;
  std::vector<size_t> thread_counts{1, 2};
  std::vector<ops::Isa> isas = SupportedIsas();
  if (kSanitized) {
    thread_counts = {2};
    isas = {isas.back()};
  }
  for (const char* name : {kStories, kQ8, kQ4}) {
    TEETEE_NEEDS_SHARED(name);
    const std::string path = SharedPath(name);
    const Hash32 want = HashLogits(*LoadPath(path, {}), kIds, 512, false);
    for (ops::Isa isa : isas) {
      for (size_t threads : thread_counts) {
        const Variant setup{{1}, isa, threads};
        const auto pipeline = LoadPath(path, setup);
        EXPECT_EQ(want, HashLogits(*pipeline, kIds, 512, false))
            << name << " " << Describe(setup, 512, false);
        EXPECT_EQ(want, HashLogits(*pipeline, kIds, 7, true))
            << name << " " << Describe(setup, 7, true);
      }
    }
  }
}

// A test of the test: other ids give another hash, so that equal hashes mean something.
TEST(Determinism, TheHashSeesTheLogits) {
  auto file = model::GgufFile::Parse(TinyModel().Build());
  ASSERT_TRUE(file);
  const auto pipeline = Load(*file, {});
  EXPECT_NE(HashLogits(*pipeline, 20, 7, false), HashLogits(*pipeline, 21, 7, false));
}

}  // namespace
}  // namespace teetee::engine
