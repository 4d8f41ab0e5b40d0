// The serving loop changes no bit: batches, prefix cache and drafts, over the real StageService and Conductor, against one sequence in one process.
#include <gtest/gtest.h>

#include <set>

#include "crypto/random.h"
#include "engine/local_pipeline.h"
#include "engine/sampling_state.h"
#include "model/testing/synthetic_model.h"
#include "model/testing/tiny_model.h"
#include "net/testing/run.h"
#include "pipeline/testing/cluster.h"

namespace teetee::pipeline {
namespace {

using net::testing::RunTask;
using testing::Cluster;
using testing::ClusterSettings;

constexpr size_t kTokens = 20;
constexpr size_t kShared = 150;  // ids that all prompts begin with: two whole pages

model::GgufFile TinyFile() {
  model::testing::TinyModel tiny;
  tiny.u32["llama.context_length"] = 1024;
  auto file = model::GgufFile::Parse(tiny.Build());
  EXPECT_TRUE(file) << file.error().message();
  return *std::move(file);
}

// Prompts that begin alike and then differ, with turns of phrase that come again.
std::vector<uint32_t> Prompt(uint32_t which) {
  std::vector<uint32_t> ids{1};
  for (uint32_t x = 7; ids.size() < kShared;) {
    x = x * 1664525u + 1013904223u;
    ids.push_back(3 + (x >> 8) % 200);
  }
  for (uint32_t i = 0; i < 5 + which % 7; ++i) ids.push_back(10 + (which * 13 + i % 3) % 200);
  return ids;
}

SamplingSpec Greedy() {
  SamplingSpec spec;
  spec.settings.temperature = 0;
  spec.logprobs = true;
  spec.top_logprobs = 3;
  return spec;
}

SamplingSpec Hot(uint64_t seed) {
  SamplingSpec spec = Greedy();
  spec.settings.temperature = 0.5f;
  spec.settings.seed = seed;
  spec.settings.repetition_penalty = 1.1f;
  spec.settings.frequency_penalty = 0.2f;
  spec.settings.presence_penalty = 0.1f;
  return spec;
}

using Tokens = std::vector<TokenFrame>;

class Serving : public ::testing::Test {
 protected:
  Serving() : Serving(TinyFile(), ops::Isa::kScalar) {}
  Serving(model::GgufFile file, ops::Isa isa) : file_(std::move(file)), config_(*model::ModelConfig::From(file_)) {
    auto whole = *engine::CutEvenly(config_.n_layers, 1);
    local_ = *engine::LocalPipeline::Load(file_, config_, whole, isa, 1);
  }

  Tokens Reference(std::vector<uint32_t> feed, const SamplingSpec& spec, uint64_t stream, size_t n = kTokens) {
    auto sequence = *local_->MakeSequence(feed.size() + n);
    auto state = *engine::SamplingState::Make(spec.settings, stream, spec.top_logprobs, feed, config_.vocab_size);
    engine::Sampler sampler;
    std::vector<float> logits(config_.vocab_size);
    Tokens out;
    while (out.size() < n) {
      EXPECT_TRUE(local_->Prefill(sequence, feed, 64, logits.data()).has_value());
      auto drawn = *state.Next(logits, sampler);
      const engine::Logprobs logprobs = drawn.logprobs.value();  // throws when there are none: a bug of this test
      TokenFrame token{{}, drawn.position, drawn.id, logprobs.chosen.logprob, {}};
      for (auto& top : logprobs.top) token.top.push_back({static_cast<uint32_t>(top.id), top.logprob});
      out.push_back(std::move(token));
      feed.assign(1, drawn.id);
    }
    return out;
  }

  static void ExpectSame(const Tokens& got, const Tokens& wanted) {
    ASSERT_EQ(got.size(), wanted.size());
    for (size_t i = 0; i < got.size(); ++i) {
      TokenFrame a = got[i], b = wanted[i];
      a.head = b.head;
      EXPECT_EQ(Serialize(a), Serialize(b)) << "token " << i << ": " << a.id << " instead of " << b.id;
    }
  }

  model::GgufFile file_;
  model::ModelConfig config_;
  std::unique_ptr<engine::LocalPipeline> local_;
};

struct Answer {
  Tokens tokens;
  std::vector<StageProof> proofs;
  Hash32 own{};
  uint64_t cached = 0;
};

net::Task<void> Generate(Conductor& conductor, SequenceSpec spec, size_t n, Answer* out) {
  std::vector<uint32_t> feed = spec.prompt;
  auto sequence = co_await conductor.Open(std::move(spec));
  CO_ASSERT_OK(sequence);
  while (out->tokens.size() < n) {
    auto token = co_await (*sequence)->Next(std::move(feed));
    CO_ASSERT_OK(token);
    feed.assign(1, token->id);
    out->tokens.push_back(*std::move(token));
  }
  out->cached = (*sequence)->cached();
  auto closed = co_await (*sequence)->Close(CloseReason::kEnd);
  CO_ASSERT_OK(closed);
  out->proofs = *std::move(closed);
  out->own = (*sequence)->OwnCommitment();
}

// `count` sequences at once, the i-th with the sampling of `of(i)`.
std::vector<Answer> RunAll(net::IoContext& io, Cluster& cluster, size_t count, const std::string& tenant,
                           const std::function<SamplingSpec(size_t)>& of,
                           const std::function<std::vector<uint32_t>(uint32_t)>& prompt = Prompt) {
  std::vector<Answer> out(count);
  auto all = [&]() -> net::Task<void> {
    net::TaskGroup group(io.get_executor());
    for (size_t i = 0; i < count; ++i) {
      SequenceSpec spec = cluster.Spec(prompt(static_cast<uint32_t>(i)), kTokens);
      spec.sampling = of(i);
      spec.stream = i;
      spec.tenant = tenant;
      group.Spawn(Generate(cluster.conductor(), std::move(spec), kTokens, &out[i]));
    }
    co_await group.Join();
  };
  RunTask(io, all());
  return out;
}

ClusterSettings Settings(uint32_t slots, bool drafts) {
  ClusterSettings settings;
  settings.slots = slots;
  settings.conductor.prefill_chunk = 64;
  settings.conductor.drafts.most = drafts ? 8 : 0;
  settings.conductor.drafts.first_rate = 0.95;  // guesses far, also in large batches
  return settings;
}

TEST_F(Serving, NoSettingChangesABit) {
  auto of = [](size_t i) { return i % 2 == 0 ? Greedy() : Hot(i); };
  std::vector<Tokens> wanted;
  for (size_t i = 0; i < 16; ++i) wanted.push_back(Reference(Prompt(static_cast<uint32_t>(i)), of(i), i));
  uint64_t accepted[2] = {0, 0};
  for (uint32_t slots : {1u, 2u, 3u}) {
    for (bool drafts : {false, true}) {
      for (const char* tenant : {"", "payer"}) {
        net::IoContext io;
        Cluster cluster(io, file_, Settings(slots, drafts));
        for (size_t batch : {1u, 2u, 5u, 16u}) {
          SCOPED_TRACE(std::to_string(slots) + " slots, drafts " + std::to_string(drafts) + ", tenant '" + tenant + "', batch " +
                       std::to_string(batch));
          auto got = RunAll(io, cluster, batch, tenant, of);
          for (size_t i = 0; i < batch; ++i) {
            ExpectSame(got[i].tokens, wanted[i]);
            EXPECT_EQ(got[i].proofs.size(), slots - 1);
            const bool known = *tenant != '\0' && batch > 1;  // from the batch before
            EXPECT_EQ(got[i].cached, known ? 128u : 0u) << i;
          }
        }
        accepted[drafts] += cluster.conductor().counters().accepted;
        EXPECT_EQ(cluster.open_sequences(), 0u);
        EXPECT_EQ(cluster.reserved(), 0u);
      }
    }
  }
  EXPECT_EQ(accepted[false], 0u);
  EXPECT_GT(accepted[true], 0u) << "no guess came true: nothing was tested";
}

// Every weight type, on models whose rows hold super-blocks: 270 ids of prompt and 20 of answer, so that the answer crosses
// into a second segment of attention.
class ServingOfType : public Serving, public ::testing::WithParamInterface<ops::DType> {
 protected:
  static constexpr uint32_t kVocab = model::testing::kSyntheticVocab;
  static model::GgufFile Synthetic() { return *model::GgufFile::Parse(model::testing::BuildSyntheticModel(GetParam(), 5)); }
  ServingOfType() : Serving(Synthetic(), ops::BestIsa()) {}  // model_test compares it with scalar

  // Ends with an id that every other one has followed, so that there is a guess at what follows whatever is drawn.
  static std::vector<uint32_t> Ids(uint32_t which) {
    std::vector<uint32_t> ids;
    for (uint32_t i = 0; i < 270 - 1 - 2 * kVocab; ++i) ids.push_back((i * i + 7 * i) % kVocab);
    for (uint32_t i = 0; i < kVocab; ++i) ids.insert(ids.end(), {which, i});
    ids.push_back(which);
    return ids;
  }
  static SamplingSpec Wide(size_t) {
    SamplingSpec spec = Greedy();
    spec.top_logprobs = 20;
    return spec;
  }
};

TEST_P(ServingOfType, CacheAndDraftsChangeNoBit) {
  const Tokens wanted[] = {Reference(Ids(0), Wide(0), 0), Reference(Ids(1), Wide(1), 1)};
  for (bool drafts : {false, true}) {
    net::IoContext io;
    Cluster cluster(io, file_, Settings(2, drafts));
    for (bool again : {false, true}) {
      auto got = RunAll(io, cluster, 2, "payer", Wide, Ids);
      for (size_t i = 0; i < 2; ++i) {
        ExpectSame(got[i].tokens, wanted[i]);
        EXPECT_EQ(got[i].cached, again ? 256u : 0u);
      }
    }
    EXPECT_EQ(cluster.conductor().counters().drafted > 0, drafts);
  }
}

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr ops::DType kServedTypes[] = {ops::DType::kF16, ops::DType::kQ8_0, ops::DType::kQ4_K};  // each takes half a minute here
#else
constexpr auto& kServedTypes = model::testing::kAllTypes;
#endif
INSTANTIATE_TEST_SUITE_P(All, ServingOfType, ::testing::ValuesIn(kServedTypes),
                         [](const auto& type) { return std::string(ops::DTypeName(type.param)); });

TEST_F(Serving, TheAnswerOfOneTurnIsCachedForTheNext) {
  net::IoContext io;
  Cluster cluster(io, file_, Settings(3, true));
  auto turn = [&](std::vector<uint32_t> prompt, size_t n) {
    SequenceSpec spec = cluster.Spec(std::move(prompt), static_cast<uint32_t>(n));
    spec.sampling = Greedy();
    spec.tenant = "payer";
    Answer out;
    RunTask(io, Generate(cluster.conductor(), std::move(spec), n, &out));
    return out;
  };
  std::vector<uint32_t> prompt = Prompt(1);
  Answer first = turn(prompt, 60);
  for (const TokenFrame& token : first.tokens) prompt.push_back(token.id);
  prompt.push_back(77);
  Answer second = turn(prompt, 10);
  EXPECT_EQ(second.cached, (prompt.size() - 2) / 64 * 64);
  EXPECT_GT(second.cached, Prompt(1).size());
  ExpectSame(second.tokens, Reference(prompt, Greedy(), 0, 10));
}

TEST_F(Serving, NobodyFindsAnothersPrefixesAndLostPagesAreComputedAgain) {
  net::IoContext io;
  Cluster cluster(io, file_, Settings(3, false));
  auto greedy = [](size_t) { return Greedy(); };
  const Tokens wanted = Reference(Prompt(0), Greedy(), 0);
  EXPECT_EQ(RunAll(io, cluster, 1, "a", greedy)[0].cached, 0u);
  EXPECT_EQ(RunAll(io, cluster, 1, "b", greedy)[0].cached, 0u);
  EXPECT_EQ(RunAll(io, cluster, 1, "", greedy)[0].cached, 0u);
  EXPECT_EQ(RunAll(io, cluster, 1, "a", greedy)[0].cached, 128u);
  // The middle stage is full and lets its pages go: all stages start at what it has left.
  auto handle = cluster.compute(1).Open(1024);
  ASSERT_TRUE(handle) << handle.error().message();
  const_cast<PrefixCache&>(cluster.compute(1).prefixes()).ShrinkTo(0);
  auto again = RunAll(io, cluster, 1, "a", greedy)[0];
  EXPECT_EQ(again.cached, 0u);
  ExpectSame(again.tokens, wanted);
}

// Who pays for what: the same proofs and the same commitments, whether tokens were guessed or not.
TEST_F(Serving, DraftsChangeNoProof) {
  std::vector<Answer> answers;
  const std::vector<Hash32> commit{crypto::RandomArray<32>(), crypto::RandomArray<32>(), crypto::RandomArray<32>()};
  for (bool drafts : {false, true}) {
    net::IoContext io;
    Cluster cluster(io, file_, Settings(3, drafts));
    SequenceSpec spec = cluster.Spec(Prompt(3), 40);
    spec.sampling = Greedy();
    spec.commit = commit;
    spec.mode = PayMode::kTab;
    RunTask(io, Generate(cluster.conductor(), std::move(spec), 33, &answers.emplace_back()));  // ends before it must
    EXPECT_EQ(cluster.conductor().counters().accepted > 0, drafts);
  }
  EXPECT_EQ(answers[0].own, answers[1].own);
  for (size_t i = 0; i < 2; ++i) {
    const WorkFrame &a = answers[0].proofs[i].work, &b = answers[1].proofs[i].work;
    EXPECT_EQ(a.tokens_in, Prompt(3).size());
    EXPECT_EQ(a.tokens_out, 33u);
    EXPECT_EQ(b.tokens_in, a.tokens_in);
    EXPECT_EQ(b.tokens_out, a.tokens_out);
    EXPECT_EQ(b.position, a.position);
    EXPECT_TRUE(b.total == a.total);
    EXPECT_EQ(b.commitment, a.commitment);
  }
}

TEST_F(Serving, CancelTakesEffectBetweenChunksOfAPrompt) {
  for (uint32_t slots : {1u, 3u}) {
    net::IoContext io;
    Cluster cluster(io, file_, Settings(slots, true));
    int asked = 0;
    auto task = [&]() -> net::Task<void> {
      SequenceSpec spec = cluster.Spec(std::vector<uint32_t>(600, 5), 4);
      spec.cancelled = [&asked] { return ++asked > 3; };
      std::vector<uint32_t> feed = spec.prompt;
      auto sequence = co_await cluster.conductor().Open(std::move(spec));
      CO_ASSERT_OK(sequence);
      auto token = co_await (*sequence)->Next(std::move(feed));
      CO_ASSERT_TRUE(!token);
      EXPECT_EQ(token.error().code(), Code::kCancelled);
      auto closed = co_await (*sequence)->Close(CloseReason::kCancel);
      CO_ASSERT_OK(closed);
      for (const StageProof& proof : *closed) EXPECT_LE(proof.work.position, 3u * 64);
    };
    RunTask(io, task());
    EXPECT_EQ(asked, 4);
    EXPECT_EQ(cluster.open_sequences(), 0u);
  }
}

// A filter that counts the frames of a link by type.
auto CountTypes(std::map<uint8_t, int>& types) {
  return [&types](Link::Message m) -> std::optional<Link::Message> {
    types[m.type] += 1;
    return m;
  };
}

TEST_F(Serving, AGroupsStepIsOneFrameOnEachHop) {
  net::IoContext io;
  Cluster cluster(io, file_, Settings(2, false));
  auto greedy = [](size_t) { return Greedy(); };
  RunAll(io, cluster, 1, "", greedy);  // dials
  ASSERT_EQ(cluster.wires().size(), 1u);
  std::map<uint8_t, int> there, back;
  cluster.wires()[0].dialler->set_filter(CountTypes(there));
  cluster.wires()[0].listener->set_filter(CountTypes(back));
  RunAll(io, cluster, 16, "", greedy);
  EXPECT_GT(there[kBatch], 0);
  EXPECT_GT(back[kBatch], 0);
  EXPECT_LT(there[kAct], 16 * 19) << "decode rows travelled one by one";
  EXPECT_LT(back[kToken], 16 * 20);
}

TEST_F(Serving, SequencesThatOpenTogetherShareOneLink) {
  net::IoContext io;
  Cluster cluster(io, file_, Settings(3, true));
  RunAll(io, cluster, 5, "", [](size_t) { return Greedy(); });
  EXPECT_EQ(cluster.wires().size(), 3u);  // head to 1 and 2, 1 to 2
}

// ---------------------------------------------------------------- the worker

class Worker : public ::testing::Test {
 protected:
  Worker() : file_(TinyFile()) {}

  void Make(ComputeLimits limits) {
    auto config = *model::ModelConfig::From(file_);
    auto whole = *engine::CutEvenly(config.n_layers, 1);
    auto shard = model::Shard::Load(file_, config, whole[0], ops::BestIsa());
    ASSERT_TRUE(shard) << shard.error().message();
    compute_ = std::make_unique<Compute>(io_.get_executor(), *std::move(shard), 1, limits);
  }
  ComputeHandle Open(size_t positions) {
    auto handle = compute_->Open(positions);
    EXPECT_TRUE(handle) << handle.error().message();
    return *std::move(handle);
  }
  // Notes `name` when the job is done.
  net::Task<void> Note(ComputeHandle sequence, size_t rows, std::string name) {
    ComputeJob job;
    job.ids.assign(rows, 5);
    auto done = co_await compute_->Forward(std::move(sequence), std::move(job));
    codes_[name] = done ? Code{} : done.error().code();
    order_.push_back(std::move(name));
  }

  net::IoContext io_;
  model::GgufFile file_;
  std::unique_ptr<Compute> compute_;
  std::vector<std::string> order_;
  std::map<std::string, Code> codes_;
};

ComputeLimits Paced() {
  ComputeLimits limits;
  limits.step_seconds = 1e-9;  // the least rows of prompts in each step
  return limits;
}

TEST_F(Worker, LongPromptsStallNeitherOthersTokensNorShortPrompts) {
  Make(Paced());
  auto all = [&]() -> net::Task<void> {
    net::TaskGroup group(io_.get_executor());
    group.Spawn(Note(Open(600), 600, "long"));
    group.Spawn(Note(Open(600), 600, "as long"));
    group.Spawn(Note(Open(40), 40, "short prompt"));
    group.Spawn(Note(Open(1), 1, "token"));
    co_await group.Join();
  };
  RunTask(io_, all());
  ASSERT_EQ(order_.size(), 4u);
  EXPECT_EQ(order_[0], "token");
  EXPECT_EQ(order_[1], "short prompt");
}

TEST_F(Worker, ACancelledPromptEndsAndTheOthersGoOn) {
  Make(Paced());
  auto all = [&]() -> net::Task<void> {
    net::TaskGroup group(io_.get_executor());
    ComputeHandle doomed = Open(600);
    group.Spawn(Note(doomed, 600, "doomed"));
    group.Spawn(Note(Open(100), 100, "other"));
    compute_->Cancel(doomed);
    co_await group.Join();
  };
  RunTask(io_, all());
  EXPECT_EQ(codes_["doomed"], Code::kCancelled);
  EXPECT_EQ(codes_["other"], Code{});
}

TEST_F(Worker, AFailedJobOfManySlicesEndsOnceAndAlone) {
  Make(Paced());
  auto all = [&]() -> net::Task<void> {
    net::TaskGroup group(io_.get_executor());
    group.Spawn(Note(Open(90), 100, "too long"));  // beyond its capacity, in the last slices
    group.Spawn(Note(Open(100), 100, "other"));
    co_await group.Join();
  };
  RunTask(io_, all());
  EXPECT_EQ(codes_["too long"], Code::kResourceExhausted);
  EXPECT_EQ(codes_["other"], Code{});
  EXPECT_EQ(order_.size(), 2u);
}

TEST_F(Worker, MemoryIsForSequencesFirstAndForPrefixesWhileItIsFree) {
  Make({});
  const size_t page = compute_->shard().kv_shape().PageBytes();
  ComputeLimits limits;
  limits.max_kv_bytes = 10 * page;
  limits.max_cache_bytes = 6 * page;
  Make(limits);
  std::vector<PrefixKey> keys(8);
  for (uint8_t i = 0; i < keys.size(); ++i) keys[i][0] = i;
  ComputeHandle first = Open(8 * 64);
  RunTask(io_, Note(first, 8 * 64, "prompt"));
  compute_->KeepPrefix(first, keys);
  EXPECT_EQ(compute_->prefixes().bytes(), 2 * page) << "beside the sequence's reservation";
  compute_->KeepPrefix(first, keys);
  first.reset();
  ComputeHandle second = Open(4 * 64);
  EXPECT_EQ(compute_->FindPrefix(second, keys), 2u * 64);
  EXPECT_FALSE(compute_->Reuse(second, 3 * 64));
  EXPECT_FALSE(compute_->Reuse(second, 65));
  EXPECT_TRUE(compute_->Reuse(second, 64));
  auto refused = compute_->Open(7 * 64);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), Code::kResourceExhausted);
  EXPECT_NE(refused.error().message().find("KV memory"), std::string::npos);
  ComputeHandle third = Open(6 * 64);  // takes the cache's room
  EXPECT_EQ(compute_->prefixes().bytes(), 0u);
  EXPECT_EQ(compute_->kv_bytes(), 10 * page);
}

// ---------------------------------------------------------------- prefixes

std::vector<model::KvColumn> Columns(size_t count) {
  std::vector<model::KvColumn> out;
  for (size_t i = 0; i < count; ++i) out.push_back({std::make_shared<ops::AlignedBuffer>(8)});
  return out;
}

TEST(PrefixCacheTest, KeepsRunsFromTheFirstKeyAndLosesTheirEndsFirst) {
  std::vector<PrefixKey> keys(4), others(2);
  for (uint8_t i = 0; i < 4; ++i) keys[i][0] = i;
  for (uint8_t i = 0; i < 2; ++i) others[i][1] = static_cast<uint8_t>(i + 1);
  PrefixCache cache(8, 4 * 8);
  EXPECT_TRUE(cache.Find(keys).empty());
  cache.Keep(keys, Columns(3), 1000);
  EXPECT_EQ(cache.Find(keys).size(), 3u);
  cache.Keep(others, Columns(2), 1000);  // one page too many: the end of the older run goes
  EXPECT_EQ(cache.bytes(), 4u * 8);
  EXPECT_EQ(cache.Find(keys).size(), 2u);
  EXPECT_EQ(cache.Find(others).size(), 2u);
  cache.Keep(keys, Columns(4), 8);  // hardly any room
  EXPECT_EQ(cache.bytes(), 8u);
  EXPECT_EQ(cache.Find(keys).size(), 1u);
  cache.ShrinkTo(0);
  EXPECT_TRUE(cache.Find(keys).empty());
}

TEST(PrefixKeysTest, NameEverythingThatThePagesDependOn) {
  const Secret<32> secret = crypto::RandomSecret<32>(), other = crypto::RandomSecret<32>();
  const Hash32 model{1}, plan{2};
  std::vector<uint32_t> ids(200, 9);
  const auto keys = PrefixKeys(secret, "payer", model, plan).Of(ids);
  ASSERT_EQ(keys.size(), 3u);
  EXPECT_EQ(PrefixKeys(secret, "payer", model, plan).Of(std::span(ids).first(64)), std::vector<PrefixKey>{keys[0]});
  EXPECT_TRUE(PrefixKeys(secret, "payer", model, plan).Of(std::span(ids).first(63)).empty());
  std::set<PrefixKey> all(keys.begin(), keys.end());
  for (const auto& [s, tenant, m, p] : {std::tuple(&other, "payer", model, plan), std::tuple(&secret, "payes", model, plan),
                                        std::tuple(&secret, "payer", plan, plan), std::tuple(&secret, "payer", model, model)}) {
    for (const PrefixKey& key : PrefixKeys(*s, tenant, m, p).Of(ids)) all.insert(key);
  }
  ids[0] = 10;  // the first id is in every page's key
  for (const PrefixKey& key : PrefixKeys(secret, "payer", model, plan).Of(ids)) all.insert(key);
  EXPECT_EQ(all.size(), 3u * 6);
  EXPECT_NE(KeyOfHead(crypto::Address{1}, keys[0]), KeyOfHead(crypto::Address{2}, keys[0]));
}

}  // namespace
}  // namespace teetee::pipeline
