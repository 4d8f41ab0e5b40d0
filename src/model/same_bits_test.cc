// Logits of a synthetic model are the same bits for every instruction set, number of threads, prefill chunk, batch and cut, for
// every weight type (docs/formats/numerics.md). 300 positions: attention crosses the border of a segment.
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/testing/sanitizers.h"
#include "crypto/hash.h"
#include "model/shard.h"
#include "model/testing/synthetic_model.h"
#include "ops/testing/vectors.h"

namespace teetee::model {
namespace {

using testing::kAllTypes;
using testing::kSyntheticBlocks;
using testing::kSyntheticVocab;

const size_t kTokens = kSanitized ? 40 : 300;

std::vector<uint32_t> Prompt(uint64_t seed, size_t n) {
  std::vector<uint32_t> ids(n);
  for (size_t i = 0; i < n; ++i) ids[i] = static_cast<uint32_t>(ops::testing::Z(seed, i) % kSyntheticVocab);
  return ids;
}

// A model cut into shards of the given numbers of blocks.
class CutModel {
 public:
  CutModel(const Bytes& file_bytes, ops::Isa isa, const std::vector<size_t>& cut) {
    auto file = GgufFile::Parse(file_bytes);
    EXPECT_TRUE(file.has_value());
    auto config = ModelConfig::From(*file);
    EXPECT_TRUE(config.has_value());
    size_t first = 0;
    for (size_t count : cut) {
      const BlockRange range{static_cast<uint32_t>(first), static_cast<uint32_t>(count), first == 0,
                             first + count == kSyntheticBlocks};
      auto shard = Shard::Load(*file, *config, range, isa);
      EXPECT_TRUE(shard.has_value()) << shard.error().message();
      shards_.push_back(*std::move(shard));
      first += count;
    }
  }

  std::vector<SequenceState> NewSequence() const {
    std::vector<SequenceState> states;
    for (const auto& shard : shards_) {
      auto state = SequenceState::Make(shard->kv_shape(), testing::kSyntheticContext);
      EXPECT_TRUE(state.has_value());
      states.push_back(*std::move(state));
    }
    return states;
  }

  // Rows of several sequences, ids of each from its position on; returns the first one's logits.
  std::vector<float> Step(std::span<std::vector<SequenceState>* const> sequences,
                          const std::vector<std::vector<uint32_t>>& ids, ops::ThreadPool& pool) {
    const size_t dim = shards_[0]->config().hidden_dim;
    std::vector<std::vector<float>> x;
    for (const auto& some : ids) {
      x.emplace_back(some.size() * dim);
      EXPECT_TRUE(shards_[0]->Embed(some, x.back().data()).has_value());
    }
    for (size_t s = 0; s < shards_.size(); ++s) {
      std::vector<BatchItem> items;
      for (size_t i = 0; i < ids.size(); ++i) {
        SequenceState& state = (*sequences[i])[s];
        items.push_back({&state, state.length(), ids[i].size(), x[i].data(), std::nullopt});
      }
      EXPECT_TRUE(shards_[s]->ForwardBatch(items, pool).has_value());
      for (const BatchItem& item : items) EXPECT_FALSE(item.error.has_value());
    }
    return Logits(x[0], ids[0].size(), pool);
  }

 private:
  std::vector<float> Logits(const std::vector<float>& x, size_t n, ops::ThreadPool& pool) {
    std::vector<float> logits(n * kSyntheticVocab);
    std::vector<LogitsItem> items(n);
    for (size_t i = 0; i < n; ++i) {
      items[i] = {x.data() + i * x.size() / n, logits.data() + i * kSyntheticVocab, std::nullopt};
    }
    EXPECT_TRUE(shards_.back()->Logits(items, pool).has_value());
    for (const LogitsItem& item : items) EXPECT_FALSE(item.error.has_value());
    return logits;
  }

  std::vector<std::unique_ptr<Shard>> shards_;
};

struct Setting {
  size_t threads = 1;
  size_t chunk = 512;
  size_t batch = 1;  // sequences that run beside each other; the others have other ids
};

Hash32 LogitsHash(CutModel& model, const Setting& setting) {
  ops::ThreadPool pool(setting.threads);
  std::vector<std::vector<SequenceState>> states;
  std::vector<std::vector<uint32_t>> prompts;
  for (size_t i = 0; i < setting.batch; ++i) {
    states.push_back(model.NewSequence());
    prompts.push_back(Prompt(7 + i, kTokens));
  }
  crypto::Sha256Stream hash;
  for (size_t at = 0; at < kTokens; at += setting.chunk) {
    std::vector<std::vector<SequenceState>*> sequences;
    std::vector<std::vector<uint32_t>> ids;
    for (size_t i = 0; i < setting.batch; ++i) {
      // The others go in smaller steps: rows of a batch need not agree in number.
      const size_t most = i == 0 ? setting.chunk : std::min<size_t>(setting.chunk, 1 + i % 3);
      const size_t from = states[i][0].length();
      const size_t n = std::min(most, kTokens - from);
      if (n == 0) continue;
      sequences.push_back(&states[i]);
      ids.emplace_back(prompts[i].begin() + static_cast<std::ptrdiff_t>(from),
                       prompts[i].begin() + static_cast<std::ptrdiff_t>(from + n));
    }
    const std::vector<float> logits = model.Step(sequences, ids, pool);
    hash.Update(ByteView(reinterpret_cast<const uint8_t*>(logits.data()), logits.size() * sizeof(float)));
  }
  return hash.Finish();
}

class SameBits : public ::testing::TestWithParam<ops::DType> {
 protected:
  void CheckInstructionSetsThreadsAndChunks(ops::Isa isa) {
    CutModel model(file_, isa, {kSyntheticBlocks});
    for (auto [threads, chunk] : {std::pair<size_t, size_t>{1, 1}, {1, 512}, {2, 7}, {2, 64}, {3, 64}, {4, 512}}) {
      EXPECT_EQ(LogitsHash(model, {.threads = threads, .chunk = chunk}), expected_)
          << ops::IsaName(isa) << ", " << threads << " threads, chunks of " << chunk;
    }
  }

  void CheckBatches() {
    CutModel model(file_, ops::BestIsa(), {kSyntheticBlocks});
    for (size_t batch : {2, 5, 16}) {
      EXPECT_EQ(LogitsHash(model, {.threads = 2, .chunk = 7, .batch = batch}), expected_) << "batch of " << batch;
    }
  }

  void CheckCuts() {
    for (const std::vector<size_t>& cut : {std::vector<size_t>{1, 2}, {2, 1}, {1, 1, 1}}) {
      CutModel model(file_, ops::BestIsa(), cut);
      EXPECT_EQ(LogitsHash(model, {.threads = 2, .chunk = 64}), expected_) << cut.size() << " shards";
    }
  }

  Bytes file_;
  Hash32 expected_{};
};

TEST_P(SameBits, WhateverComputesThem) {
  file_ = testing::BuildSyntheticModel(GetParam(), 11);
  CutModel scalar(file_, ops::Isa::kScalar, {kSyntheticBlocks});
  expected_ = LogitsHash(scalar, {.threads = 2, .chunk = 64});
  for (ops::Isa isa : ops::kVectorIsas) {
    if (ops::IsaSupported(isa)) CheckInstructionSetsThreadsAndChunks(isa);
  }
  CheckBatches();
  CheckCuts();
}

INSTANTIATE_TEST_SUITE_P(EveryType, SameBits, ::testing::ValuesIn(kAllTypes),
                         [](const auto& type) { return std::string(ops::DTypeName(type.param)); });

}  // namespace
}  // namespace teetee::model
