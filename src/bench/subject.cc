#include "bench/subject.h"

#include <algorithm>
#include <chrono>
#include <vector>

namespace teetee::bench {
namespace {

using Clock = std::chrono::steady_clock;
using engine::LocalSequence;
using engine::PipelineItem;
using engine::TokenId;

constexpr size_t kPrefillChunk = 512;  // rows of a batch, as `teetee run` has it

double Seconds(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

TokenId Likeliest(const float* logits, size_t vocab) {
  return static_cast<TokenId>(std::max_element(logits, logits + vocab) - logits);
}

}  // namespace

TokenId SomeId(size_t i, size_t vocab) { return static_cast<TokenId>((i * 7919 + 1) % vocab); }

// Sequences that step together.
struct LocalSubject::Batch {
  std::vector<LocalSequence> sequences;
  std::vector<TokenId> ids;   // the next of each
  std::vector<float> logits;  // (sequences, vocab)
  std::vector<PipelineItem> items;

  static Result<Batch> Make(const engine::LocalPipeline& pipeline, size_t n, size_t capacity) {
    const size_t vocab = pipeline.config().vocab_size;
    Batch batch;
    batch.logits.resize(n * vocab);
    for (size_t i = 0; i < n; ++i) {
      batch.sequences.push_back(TT_TRY(pipeline.MakeSequence(capacity)));
      batch.ids.push_back(SomeId(i, vocab));
    }
    return batch;
  }

  Status Step(engine::LocalPipeline& pipeline) {
    const size_t vocab = pipeline.config().vocab_size;
    items.clear();
    for (size_t i = 0; i < ids.size(); ++i) {
      items.push_back({&sequences[i], {&ids[i], 1}, 1, &logits[i * vocab], std::nullopt});
    }
    TT_RETURN_IF_ERROR(pipeline.Forward(items));
    for (size_t i = 0; i < ids.size(); ++i) {
      if (items[i].error) return *std::move(items[i].error);
      ids[i] = Likeliest(&logits[i * vocab], vocab);
    }
    return Ok{};
  }
};

LocalSubject::LocalSubject(std::unique_ptr<engine::LocalPipeline> pipeline)
    : pipeline_(std::move(pipeline)) {}

Result<std::unique_ptr<LocalSubject>> LocalSubject::Load(const model::GgufFile& file,
                                                         size_t threads, ops::Isa isa) {
  const auto config = TT_TRY(model::ModelConfig::From(file));
  const auto whole = TT_TRY(engine::CutEvenly(config.n_layers, 1));
  auto pipeline = TT_TRY(engine::LocalPipeline::Load(file, config, whole, isa, threads));
  return std::unique_ptr<LocalSubject>(new LocalSubject(std::move(pipeline)));
}

Result<Timing> LocalSubject::Prefill(size_t tokens) {
  const size_t vocab = pipeline_->config().vocab_size;
  LocalSequence sequence = TT_TRY(pipeline_->MakeSequence(tokens));
  std::vector<TokenId> ids(tokens);
  for (size_t i = 0; i < tokens; ++i) ids[i] = SomeId(i, vocab);
  std::vector<float> logits(vocab);
  const auto begin = Clock::now();
  TT_RETURN_IF_ERROR(pipeline_->Prefill(sequence, ids, kPrefillChunk, logits.data()));
  return Timing{Seconds(begin), 1};
}

Result<Timing> LocalSubject::Decode(size_t batch, size_t tokens) {
  Batch sequences = TT_TRY(Batch::Make(*pipeline_, batch, tokens));
  const auto begin = Clock::now();
  for (size_t i = 0; i < tokens; ++i) TT_RETURN_IF_ERROR(sequences.Step(*pipeline_));
  return Timing{Seconds(begin), 1};
}

}  // namespace teetee::bench
