// A node computes from no shard but the manifest's: every departure is refused by name.
#include "pipeline/verified_shard.h"

#include <gtest/gtest.h>

#include <cstring>
#include <filesystem>
#include <map>

#include "base/file.h"
#include "crypto/hash.h"
#include "model/shard_keys.h"
#include "model/split.h"
#include "model/testing/tiny_model.h"

namespace teetee::pipeline {
namespace {

constexpr uint32_t kSlots = 2;  // blocks 0, 1 and block 2

// The tiny model cut in two, with its manifest, in a folder of its own.
class LoadVerifiedTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = ::testing::TempDir() + "teetee-shard-XXXXXX";
    folder_ = ::mkdtemp(pattern.data());
    auto whole = model::GgufFile::Parse(model::testing::TinyModel().Build());
    ASSERT_TRUE(whole) << whole.error().message();
    auto config = *model::ModelConfig::From(*whole);
    auto plan = *model::SplitPlan::Even(config, kSlots);
    manifest_.config = model::CanonicalConfig(config);
    std::map<std::string, manifest::Tensor> all;
    for (uint32_t i = 0; i < kSlots; ++i) {
      manifest::Slot slot;
      slot.first_block = plan.slots()[i].first;
      slot.block_count = slot.share = plan.slots()[i].count;
      std::vector<manifest::Tensor> own;
      model::ShardObserver observer;
      Bytes bytes;
      observer.tensor = [&](const model::TensorInfo& t, uint64_t begin, ByteView piece) -> Status {
        if (begin == 0) bytes.clear();
        bytes.insert(bytes.end(), piece.begin(), piece.end());
        if (bytes.size() < t.bytes) return Ok{};
        own.push_back({t.name, std::string(ops::DTypeName(t.dtype)), t.dims, t.bytes, crypto::Sha256(bytes)});
        return Ok{};
      };
      ASSERT_TRUE(model::WriteShard(*whole, config, plan, i, File(i), observer));
      for (const auto& tensor : own) all.emplace(tensor.name, tensor);
      slot.weights_root = manifest::WeightsRoot(own);
      manifest_.slots.push_back(slot);
    }
    for (const auto& [name, tensor] : all) manifest_.tensors.push_back(tensor);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::string File(uint32_t slot) const { return folder_ + "/" + std::to_string(slot) + ".gguf"; }

  Result<VerifiedShard> Load(uint32_t slot) const {
    auto file = model::GgufFile::Open(File(slot));
    if (!file) return std::move(file).error();
    return LoadVerified(*file, manifest_, ops::BestIsa());
  }
  std::string Refusal(uint32_t slot) const {
    auto loaded = Load(slot);
    return loaded ? "accepted" : loaded.error().message();
  }
  // Writes the shard with one bit of one tensor changed.
  void FlipBit(uint32_t slot, const std::string& tensor, uint64_t offset) const {
    auto file = *model::GgufFile::Open(File(slot));
    for (const model::TensorInfo& info : file.tensors()) {
      if (info.name != tensor) continue;
      Bytes bytes = *ReadFile(File(slot)), content(info.bytes);
      ASSERT_TRUE(file.ReadTensorPart(info, 0, content));
      auto at = std::search(bytes.begin(), bytes.end(), content.begin(), content.end());
      ASSERT_NE(at, bytes.end());
      at[static_cast<std::ptrdiff_t>(offset)] ^= 1;
      ASSERT_TRUE(WriteFileAtomic(File(slot), bytes));
      return;
    }
    FAIL() << tensor << " is not in slot " << slot;
  }

  std::string folder_;
  manifest::Manifest manifest_;
};

TEST_F(LoadVerifiedTest, EverySlotOfTheManifestLoadsWithItsRoot) {
  for (uint32_t slot = 0; slot < kSlots; ++slot) {
    auto loaded = Load(slot);
    ASSERT_TRUE(loaded) << loaded.error().message();
    EXPECT_EQ(loaded->slot, slot);
    EXPECT_EQ(loaded->weights_root, manifest_.slots[slot].weights_root);
  }
}

TEST_F(LoadVerifiedTest, OneBitOfATensorIsNamed) {
  FlipBit(1, "blk.2.ffn_down.weight", 17);
  EXPECT_NE(Refusal(1).find("check shard.weights: tensor blk.2.ffn_down.weight"), std::string::npos) << Refusal(1);
  FlipBit(0, "token_embd.weight", 0);
  EXPECT_NE(Refusal(0).find("check shard.weights: tensor token_embd.weight"), std::string::npos) << Refusal(0);
}

TEST_F(LoadVerifiedTest, AManifestThatNamesOtherBytesOrRoots) {
  const manifest::Manifest good = manifest_;
  manifest_.slots[0].weights_root[5] ^= 1;
  EXPECT_NE(Refusal(0).find("do not hash to the slot's root"), std::string::npos) << Refusal(0);
  manifest_ = good;
  manifest_.tensors.front().dims[0] += 1;
  EXPECT_NE((Refusal(0) + Refusal(1)).find("check shard.weights"), std::string::npos);
  manifest_ = good;
  std::erase_if(manifest_.tensors, [](const auto& t) { return t.name == "blk.2.attn_q.weight"; });
  EXPECT_NE(Refusal(1).find("tensor blk.2.attn_q.weight is not the manifest's"), std::string::npos) << Refusal(1);
}

TEST_F(LoadVerifiedTest, AnotherCutSlotOrConfiguration) {
  const manifest::Manifest good = manifest_;
  manifest_.slots[0].block_count = 1;
  EXPECT_NE(Refusal(0).find("check shard.range"), std::string::npos) << Refusal(0);
  manifest_ = good;
  manifest_.slots.pop_back();
  EXPECT_NE(Refusal(1).find("check shard.slot: the manifest has no slot 1"), std::string::npos) << Refusal(1);
  manifest_ = good;
  manifest_.config["rope_theta"] = "0x00000000";
  EXPECT_NE(Refusal(0).find("check shard.config"), std::string::npos) << Refusal(0);
}

TEST_F(LoadVerifiedTest, AWholeModelIsNoShard) {
  ASSERT_TRUE(WriteFileAtomic(File(0), model::testing::TinyModel().Build()));
  EXPECT_FALSE(Load(0));
}

TEST_F(LoadVerifiedTest, AKnownAnswerOfAnotherMachineIsRefused) {
  auto file = *model::GgufFile::Open(File(1));
  auto answer = MakeKnownAnswer(file, 7, 5, ops::BestIsa());
  ASSERT_TRUE(answer) << answer.error().message();
  auto loaded = Load(1);
  ASSERT_TRUE(loaded);
  ops::ThreadPool pool(1);
  manifest::Slot slot = manifest_.slots[1];
  slot.kats = {*answer};
  EXPECT_TRUE(CheckKnownAnswers(*loaded->shard, slot, pool));
  slot.kats[0].output_sha256[0] ^= 1;
  auto refused = CheckKnownAnswers(*loaded->shard, slot, pool);
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message().find("check shard.known_answer"), std::string::npos);
  slot.kats[0] = *answer;
  slot.kats[0].seed += 1;
  EXPECT_FALSE(CheckKnownAnswers(*loaded->shard, slot, pool));
}

}  // namespace
}  // namespace teetee::pipeline
