#include "model/shard.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <limits>
#include <atomic>
#include <map>
#include <mutex>
#include <thread>

#include "model/testing/tiny_model.h"

namespace teetee::model {
namespace {

using testing::TinyModel;

constexpr BlockRange kWhole{0, 3, true, true};
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

Result<std::unique_ptr<Shard>> LoadBytes(Bytes file_bytes, BlockRange range = kWhole,
                                         TensorSink sink = {}) {
  const GgufFile file = TT_TRY(GgufFile::Parse(std::move(file_bytes)));
  const ModelConfig config = TT_TRY(ModelConfig::From(file));
  return Shard::Load(file, config, range, ops::Isa::kScalar, std::move(sink));
}

// A loaded tiny model and what a test needs to run it.
class ShardTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto loaded = LoadBytes(TinyModel().Build());
    ASSERT_TRUE(loaded) << loaded.error().message();
    shard_ = *std::move(loaded);
  }

  SequenceState MakeState(size_t capacity = 16) {
    auto state = SequenceState::Make(shard_->kv_shape(), capacity);
    EXPECT_TRUE(state.has_value());
    return *std::move(state);
  }

  std::vector<float> Embedded(std::vector<uint32_t> ids) {
    std::vector<float> x(ids.size() * shard_->config().hidden_dim);
    EXPECT_TRUE(shard_->Embed(ids, x.data()).has_value());
    return x;
  }

  Code CodeOf(const Status& status) { return status ? Code::kInternal : status.error().code(); }

  Code RunOne(SequenceState& state, size_t pos0, std::vector<float> x) {
    BatchItem item{&state, pos0, x.size() / shard_->config().hidden_dim, x.data(), std::nullopt};
    return CodeOf(shard_->ForwardBatch({&item, 1}, pool_));
  }

  std::unique_ptr<Shard> shard_;
  ops::ThreadPool pool_{1};
};

TEST(ShardLoad, RefusesAFileThatEndsTooEarly) {
  const Bytes whole = TinyModel().Build();
  const std::string path = ::testing::TempDir() + "/cut.gguf." + std::to_string(::getpid());
  std::ofstream(path, std::ios::binary)
      .write(reinterpret_cast<const char*>(whole.data()),
             static_cast<std::streamsize>(whole.size()));
  auto file = GgufFile::Open(path);
  ASSERT_TRUE(file) << file.error().message();
  auto config = ModelConfig::From(*file);
  ASSERT_TRUE(config);
  std::filesystem::resize_file(path, whole.size() - 200);  // after the table was read
  auto loaded = Shard::Load(*file, *config, kWhole, ops::Isa::kScalar);
  std::remove(path.c_str());
  ASSERT_FALSE(loaded);
  EXPECT_EQ(loaded.error().code(), Code::kDataLoss);
}

TEST(ShardLoad, NamesBothShapesOfAMisshapenTensor) {
  TinyModel model;
  model.without = "blk.1.ffn_up.weight";
  model.extra_tensors = {{"blk.1.ffn_up.weight", {8, 13}}};
  const auto loaded = LoadBytes(model.Build());
  ASSERT_FALSE(loaded);
  const std::string& message = loaded.error().message();
  EXPECT_NE(message.find("blk.1.ffn_up.weight"), std::string::npos) << message;
  EXPECT_NE(message.find("(8, 12)"), std::string::npos) << message;
  EXPECT_NE(message.find("(8, 13)"), std::string::npos) << message;
}

TEST(ShardLoad, RefusesMissingAndUnknownTensors) {
  TinyModel missing;
  missing.without = "blk.2.attn_v.weight";
  EXPECT_FALSE(LoadBytes(missing.Build()));
  TinyModel extra;
  extra.extra_tensors = {{"blk.2.attn_q.bias", {8}}};
  EXPECT_FALSE(LoadBytes(extra.Build()));
}

TEST(ShardLoad, RefusesWeightsThatAreNotFinite) {
  for (const char* name : {"blk.0.attn_q.weight", "blk.1.ffn_norm.weight", "token_embd.weight"}) {
    Bytes bytes = TinyModel().Build();
    auto file = GgufFile::Parse(bytes);
    ASSERT_TRUE(file);
    auto tensor = file->FindTensor(name);
    ASSERT_TRUE(tensor) << name;
    std::memcpy(bytes.data() + (*tensor)->offset + 4, &kNan, sizeof kNan);
    const auto loaded = LoadBytes(bytes);
    ASSERT_FALSE(loaded) << name;
    EXPECT_EQ(loaded.error().code(), Code::kInvalidArgument);
    EXPECT_NE(loaded.error().message().find(name), std::string::npos) << loaded.error().message();
  }
}

TEST(ShardLoad, RefusesRangesThatMakeNoShard) {
  const Bytes bytes = TinyModel().Build();
  for (const BlockRange& range :
       {BlockRange{0, 0, true, false}, BlockRange{0, 4, true, true}, BlockRange{1, 2, true, true},
        BlockRange{0, 2, true, true}, BlockRange{1, 2, false, false},
        BlockRange{4294967295u, 2, false, false}}) {
    const auto loaded = LoadBytes(bytes, range);
    ASSERT_FALSE(loaded) << range.first << " + " << range.count;
    EXPECT_EQ(loaded.error().code(), Code::kInvalidArgument);
  }
}

TEST(ShardLoad, HandsEveryByteOfItsRangeToTheSinkOnce) {
  const Bytes bytes = TinyModel().Build();
  auto file = GgufFile::Parse(bytes);
  ASSERT_TRUE(file);
  auto config = ModelConfig::From(*file);
  ASSERT_TRUE(config);
  const BlockRange middle{1, 1, false, false};
  std::mutex mutex;
  std::map<std::string, uint64_t> seen;  // bytes
  const auto loaded =
      Shard::Load(*file, *config, middle, ops::Isa::kScalar,
                  [&](const TensorInfo& tensor, uint64_t begin, ByteView got) -> Status {
                    const std::lock_guard lock(mutex);
                    EXPECT_EQ(begin, seen[tensor.name]);
                    seen[tensor.name] += got.size();
                    EXPECT_LE(begin + got.size(), tensor.bytes);
                    const ByteView want = ByteView(bytes).subspan(tensor.offset + begin, got.size());
                    EXPECT_TRUE(std::equal(got.begin(), got.end(), want.begin(), want.end()));
                    return Ok{};
                  });
  ASSERT_TRUE(loaded) << loaded.error().message();
  EXPECT_EQ(seen.size(), ExpectedTensors(*config, middle).size());
  for (const auto& [name, count] : seen) {
    EXPECT_EQ(count, (*file->FindTensor(name))->bytes) << name;
    EXPECT_EQ(name.rfind("blk.1.", 0), 0u) << name;
  }
}

TEST(ShardLoad, StopsAtAnErrorOfTheSink) {
  std::atomic<size_t> calls{0};
  const auto loaded =
      LoadBytes(TinyModel().Build(), kWhole, [&](const TensorInfo&, uint64_t, ByteView) -> Status {
        if (++calls < 3) return Ok{};
        return Error(Code::kDataLoss, "hash differs");
      });
  ASSERT_FALSE(loaded);
  EXPECT_EQ(loaded.error().code(), Code::kDataLoss);
  // Other threads may be at a tensor each when one fails.
  EXPECT_LE(calls.load(), 3 + std::max(1u, std::thread::hardware_concurrency()));
}

TEST_F(ShardTest, RefusesIdsOutsideTheVocabulary) {
  std::vector<float> x(8);
  const std::vector<uint32_t> ids{259};
  EXPECT_EQ(CodeOf(shard_->Embed(ids, x.data())), Code::kInvalidArgument);
}

TEST_F(ShardTest, RefusesAPositionThatIsNotNext) {
  SequenceState state = MakeState();
  EXPECT_EQ(RunOne(state, 1, Embedded({5})), Code::kInvalidArgument);
  EXPECT_EQ(state.length(), 0u);
}

TEST_F(ShardTest, EnforcesCapacityAndContext) {
  EXPECT_FALSE(SequenceState::Make(shard_->kv_shape(), 65));
  EXPECT_FALSE(SequenceState::Make(shard_->kv_shape(), 0));
  SequenceState state = MakeState(4);
  EXPECT_EQ(RunOne(state, 0, Embedded({1, 2, 3, 4, 5})), Code::kResourceExhausted);
  EXPECT_EQ(state.length(), 0u);
  EXPECT_EQ(RunOne(state, 0, Embedded({1, 2, 3, 4})), Code::kInternal);  // accepted
  EXPECT_EQ(state.length(), 4u);
  EXPECT_EQ(RunOne(state, 4, Embedded({5})), Code::kResourceExhausted);
}

TEST_F(ShardTest, KnowsTheBytesOfASequenceBeforeItExists) {
  const size_t bound = shard_->kv_shape().BytesAtCapacity(16);
  SequenceState state = MakeState(16);
  EXPECT_EQ(RunOne(state, 0, Embedded(std::vector<uint32_t>(16, 7))), Code::kInternal);  // accepted
  EXPECT_GT(state.bytes(), 0u);
  EXPECT_LE(state.bytes(), bound);
}

TEST_F(ShardTest, RefusesTheSameSequenceTwiceInABatch) {
  SequenceState state = MakeState();
  std::vector<float> a = Embedded({1}), b = Embedded({2});
  BatchItem items[] = {{&state, 0, 1, a.data(), std::nullopt},
                       {&state, 0, 1, b.data(), std::nullopt}};
  EXPECT_EQ(CodeOf(shard_->ForwardBatch(items, pool_)), Code::kInvalidArgument);
}

TEST_F(ShardTest, AnItemThatFailsLeavesTheOthersAsIfAlone) {
  SequenceState alone = MakeState();
  std::vector<float> want = Embedded({5, 6, 7});
  BatchItem single{&alone, 0, 3, want.data(), std::nullopt};
  ASSERT_TRUE(shard_->ForwardBatch({&single, 1}, pool_).has_value());

  for (float bad : {kNan, std::numeric_limits<float>::infinity(), 3e38f}) {
    SequenceState good_state = MakeState(), bad_state = MakeState();
    std::vector<float> good = Embedded({5, 6, 7}), poisoned = Embedded({8, 9});
    poisoned[3] = bad;
    BatchItem items[] = {{&bad_state, 0, 2, poisoned.data(), std::nullopt},
                         {&good_state, 0, 3, good.data(), std::nullopt}};
    ASSERT_TRUE(shard_->ForwardBatch(items, pool_).has_value());
    EXPECT_FALSE(items[1].error);
    EXPECT_EQ(0, std::memcmp(good.data(), want.data(), want.size() * sizeof(float)));
    if (std::isfinite(bad)) continue;
    EXPECT_TRUE(items[0].error);
    EXPECT_TRUE(bad_state.failed());
    EXPECT_EQ(RunOne(bad_state, bad_state.length(), Embedded({1})), Code::kFailedPrecondition);
  }
}

TEST_F(ShardTest, TruncateReturnsToAnEarlierPosition) {
  SequenceState state = MakeState();
  std::vector<float> first = Embedded({5, 6, 7});
  BatchItem a{&state, 0, 3, first.data(), std::nullopt};
  ASSERT_TRUE(shard_->ForwardBatch({&a, 1}, pool_).has_value());
  ASSERT_TRUE(state.Truncate(1).has_value());
  std::vector<float> again = Embedded({6, 7});
  BatchItem b{&state, 1, 2, again.data(), std::nullopt};
  ASSERT_TRUE(shard_->ForwardBatch({&b, 1}, pool_).has_value());
  EXPECT_EQ(0, std::memcmp(again.data(), first.data() + 8, 16 * sizeof(float)));
  EXPECT_FALSE(state.Truncate(4));
}

TEST(ShardEnds, EmbedAndLogitsBelongToTheFirstAndTheLast) {
  auto middle = LoadBytes(TinyModel().Build(), {1, 1, false, false});
  ASSERT_TRUE(middle) << middle.error().message();
  std::vector<float> x(8), logits(259);
  const std::vector<uint32_t> ids{1};
  EXPECT_FALSE((*middle)->Embed(ids, x.data()));
  LogitsItem item{x.data(), logits.data(), std::nullopt};
  ops::ThreadPool pool(1);
  EXPECT_FALSE((*middle)->Logits({&item, 1}, pool));
}

}  // namespace
}  // namespace teetee::model
