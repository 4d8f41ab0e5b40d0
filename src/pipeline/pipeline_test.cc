// The determinism contract over the real services: whatever the cut, the chunk and the neighbours, the same bits as one process.
#include <gtest/gtest.h>

#include "crypto/random.h"
#include "engine/local_pipeline.h"
#include "engine/sampling_state.h"
#include "model/testing/shared_data.h"
#include "net/testing/run.h"
#include "pipeline/testing/cluster.h"
#include "protocol/fields.h"

namespace teetee::pipeline {
namespace {

using model::testing::SharedPath;
using net::testing::RunTask;
using testing::Cluster;
using testing::ClusterSettings;

constexpr const char* kStories = "models/stories260k/stories260K-f32.gguf";

std::vector<uint32_t> Prompt(size_t n, uint32_t seed = 7) {
  std::vector<uint32_t> ids{1};
  for (uint32_t x = seed; ids.size() < n;) {
    x = x * 1664525u + 1013904223u;
    ids.push_back((x >> 8) % 512);
  }
  return ids;
}

SamplingSpec Hot(uint64_t seed) {
  SamplingSpec spec;
  spec.settings.temperature = 1;
  spec.settings.seed = seed;
  spec.settings.repetition_penalty = 1.1f;
  spec.settings.frequency_penalty = 0.3f;
  spec.logprobs = true;
  spec.top_logprobs = 5;
  return spec;
}

SamplingSpec Greedy() {
  SamplingSpec spec = Hot(0);
  spec.settings = {};
  spec.settings.temperature = 0;
  return spec;
}

using Tokens = std::vector<TokenFrame>;

Tokens Reference(const model::GgufFile& file, const std::vector<uint32_t>& prompt, const SamplingSpec& spec, uint64_t stream, size_t n) {
  auto config = *model::ModelConfig::From(file);
  auto whole = *engine::CutEvenly(config.n_layers, 1);
  auto local = *engine::LocalPipeline::Load(file, config, whole, ops::Isa::kScalar, 1);
  auto sequence = *local->MakeSequence(prompt.size() + n);
  auto state = *engine::SamplingState::Make(spec.settings, stream, spec.top_logprobs, prompt, config.vocab_size);
  engine::Sampler sampler;
  std::vector<float> logits(config.vocab_size);
  std::vector<uint32_t> feed = prompt;
  Tokens out;
  while (out.size() < n) {
    EXPECT_TRUE(local->Prefill(sequence, feed, 3, logits.data()).has_value());
    auto drawn = *state.Next(logits, sampler);
    const engine::Logprobs logprobs = drawn.logprobs.value_or(engine::Logprobs{});
    TokenFrame token{{}, drawn.position, drawn.id, logprobs.chosen.logprob, {}};
    for (auto& top : logprobs.top) token.top.push_back({static_cast<uint32_t>(top.id), top.logprob});
    out.push_back(std::move(token));
    feed.assign(1, drawn.id);
  }
  return out;
}

// Ids, positions and the very bits of the log-probabilities: those differ as soon as one logit does.
void ExpectSame(const Tokens& got, const Tokens& wanted) {
  ASSERT_EQ(got.size(), wanted.size());
  for (size_t i = 0; i < got.size(); ++i) {
    TokenFrame a = got[i], b = wanted[i];
    a.head = b.head;
    EXPECT_EQ(Serialize(a), Serialize(b)) << "token " << i << ": " << a.id << " instead of " << b.id;
  }
}

net::Task<void> Generate(Conductor& conductor, SequenceSpec spec, size_t n, Tokens* out, std::vector<StageProof>* proofs,
                         Hash32* own = nullptr) {
  std::vector<uint32_t> feed = spec.prompt;
  auto sequence = co_await conductor.Open(std::move(spec));
  CO_ASSERT_OK(sequence);
  while (out->size() < n) {
    auto token = co_await (*sequence)->Next(std::move(feed));
    CO_ASSERT_OK(token);
    feed.assign(1, token->id);
    out->push_back(*std::move(token));
  }
  auto closed = co_await (*sequence)->Close(CloseReason::kEnd);
  CO_ASSERT_OK(closed);
  *proofs = *std::move(closed);
  if (own) *own = (*sequence)->OwnCommitment();
}

class PipelineOverStories : public ::testing::Test {
 protected:
  void SetUp() override {
    TEETEE_NEEDS_SHARED(kStories);
    auto opened = model::GgufFile::Open(SharedPath(kStories));
    ASSERT_TRUE(opened) << opened.error().message();
    file_.emplace(*std::move(opened));
  }
  std::optional<model::GgufFile> file_;
};

TEST_F(PipelineOverStories, EveryCutGivesTheBitsOfOneProcess) {
  const auto prompt = Prompt(19);
  for (const SamplingSpec& sampling : {Greedy(), Hot(42)}) {
    const Tokens wanted = Reference(*file_, prompt, sampling, 0, 24);
    for (uint32_t slots : {1u, 2u, 3u, 5u}) {
      SCOPED_TRACE("slots " + std::to_string(slots));
      net::IoContext io;
      Cluster cluster(io, *file_, {.slots = slots});
      SequenceSpec spec = cluster.Spec(prompt, 24);
      spec.sampling = sampling;
      Tokens got;
      std::vector<StageProof> proofs;
      RunTask(io, Generate(cluster.conductor(), std::move(spec), 24, &got, &proofs));
      ExpectSame(got, wanted);
      EXPECT_EQ(proofs.size(), slots - 1);
      EXPECT_EQ(cluster.open_sequences(), 0u);
      EXPECT_EQ(cluster.reserved(), 0u);
    }
  }
}

TEST_F(PipelineOverStories, ChunksOfThePromptDoNotMatter) {
  const auto prompt = Prompt(150);
  const Tokens wanted = Reference(*file_, prompt, Hot(3), 0, 6);
  for (uint32_t chunk : {1u, 7u, 128u}) {
    SCOPED_TRACE("chunk " + std::to_string(chunk));
    net::IoContext io;
    Cluster cluster(io, *file_, {.slots = 3, .conductor = {.prefill_chunk = chunk}});
    SequenceSpec spec = cluster.Spec(prompt, 6);
    spec.sampling = Hot(3);
    Tokens got;
    std::vector<StageProof> proofs;
    RunTask(io, Generate(cluster.conductor(), std::move(spec), 6, &got, &proofs));
    ExpectSame(got, wanted);
  }
}

TEST_F(PipelineOverStories, NeighboursDoNotMatterAndStreamsDiffer) {
  net::IoContext io;
  Cluster cluster(io, *file_, {.slots = 3, .conductor = {.prefill_chunk = 5}, .limits = {.max_batch_rows = 16}});
  constexpr size_t kMany = 6;
  std::vector<Tokens> got(kMany);
  std::vector<std::vector<StageProof>> proofs(kMany);
  auto all = [&]() -> net::Task<void> {
    net::TaskGroup group(io.get_executor());
    for (size_t i = 0; i < kMany; ++i) {
      SequenceSpec spec = cluster.Spec(Prompt(4 + 9 * i, static_cast<uint32_t>(i)), 12);
      spec.sampling = Hot(i);
      spec.stream = i % 3;
      group.Spawn(Generate(cluster.conductor(), std::move(spec), 12, &got[i], &proofs[i]));
    }
    co_await group.Join();
  };
  RunTask(io, all());
  for (size_t i = 0; i < kMany; ++i) {
    SCOPED_TRACE(i);
    ExpectSame(got[i], Reference(*file_, Prompt(4 + 9 * i, static_cast<uint32_t>(i)), Hot(i), i % 3, 12));
  }
  EXPECT_EQ(cluster.reserved(), 0u);
  Tokens other = Reference(*file_, Prompt(4, 0), Hot(0), 1, 12);
  bool differs = false;
  for (size_t i = 0; i < other.size(); ++i) differs |= other[i].id != got[0][i].id;
  EXPECT_TRUE(differs) << "streams 0 and 1 sampled the same answer";
}

TEST_F(PipelineOverStories, ProofsAndCommitmentsAreThoseOfTheFormat) {
  for (PayMode mode : {PayMode::kFree, PayMode::kTab, PayMode::kStrict}) {
    SCOPED_TRACE(PayModeName(mode));
    net::IoContext io;
    Cluster cluster(io, *file_, {.slots = 3, .work_every = 4});
    SequenceSpec spec = cluster.Spec(Prompt(10), 11);
    spec.mode = mode;
    spec.stream = 5;
    spec.sampling = Greedy();
    const Hash32 tail_key = spec.commit[2], line = spec.line, query = spec.query;
    Tokens got;
    std::vector<StageProof> proofs;
    RunTask(io, Generate(cluster.conductor(), std::move(spec), 11, &got, &proofs));
    ASSERT_EQ(proofs.size(), 2u);
    for (uint32_t slot : {1u, 2u}) {
      const StageProof& proof = proofs[slot - 1];
      EXPECT_EQ(proof.slot, slot);
      EXPECT_EQ(proof.key, cluster.key(slot).address());
      EXPECT_EQ(proof.work.position, 20u);
      EXPECT_EQ(proof.work.tokens_in, 10u);
      EXPECT_EQ(proof.work.tokens_out, 11u);
      auto signature = protocol::SignatureFrom(proof.work.signature);
      chain::WorkMessage work{line, static_cast<uint8_t>(slot), proof.key, chain::Wei(10 * 2 + 11 * 3)};
      chain::PartMessage part{query, static_cast<uint8_t>(slot), proof.key, 10, 11};
      EXPECT_EQ(chain::VerifyTyped(cluster.domain(), work, proof.key, signature).has_value(), mode == PayMode::kTab);
      EXPECT_EQ(chain::VerifyTyped(cluster.domain(), part, proof.key, signature).has_value(), mode == PayMode::kStrict);
    }
    crypto::HmacSha256Stream tail(tail_key);
    tail.Update(ByteWriter().U64Le(5).bytes());
    for (const TokenFrame& token : got) tail.Update(ByteWriter().U64Le(token.position).U32Le(token.id).bytes());
    EXPECT_EQ(proofs[1].work.commitment, tail.Finish());
    EXPECT_NE(proofs[0].work.commitment, proofs[1].work.commitment);
  }
}

TEST_F(PipelineOverStories, OneSlotCommitsToItsTokens) {
  net::IoContext io;
  Cluster cluster(io, *file_, {.slots = 1});
  SequenceSpec spec = cluster.Spec(Prompt(3), 4);
  crypto::HmacSha256Stream wanted(spec.commit[0]);
  Tokens got;
  std::vector<StageProof> proofs;
  Hash32 own{};
  RunTask(io, Generate(cluster.conductor(), std::move(spec), 4, &got, &proofs, &own));
  wanted.Update(ByteWriter().U64Le(0).bytes());
  for (const TokenFrame& token : got) wanted.Update(ByteWriter().U64Le(token.position).U32Le(token.id).bytes());
  EXPECT_EQ(own, wanted.Finish());
}

}  // namespace
}  // namespace teetee::pipeline
