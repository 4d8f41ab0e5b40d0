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

// Ids spread over the vocabulary; which ones does not matter to the time.
TokenId SomeId(size_t i, size_t vocab) { return static_cast<TokenId>((i * 7919 + 1) % vocab); }

TokenId Likeliest(const float* logits, size_t vocab) {
  return static_cast<TokenId>(std::max_element(logits, logits + vocab) - logits);
}

}  // namespace

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

LocalSubject::LocalSubject(engine::LocalPipeline& pipeline) : pipeline_(pipeline) {}

Result<double> LocalSubject::Prefill(size_t tokens) {
  const size_t vocab = pipeline_.config().vocab_size;
  LocalSequence sequence = TT_TRY(pipeline_.MakeSequence(tokens));
  std::vector<TokenId> ids(tokens);
  for (size_t i = 0; i < tokens; ++i) ids[i] = SomeId(i, vocab);
  std::vector<float> logits(vocab);
  const auto begin = Clock::now();
  TT_RETURN_IF_ERROR(pipeline_.Prefill(sequence, ids, kPrefillChunk, logits.data()));
  return Seconds(begin);
}

Result<double> LocalSubject::Decode(size_t batch, size_t tokens) {
  Batch sequences = TT_TRY(Batch::Make(pipeline_, batch, tokens));
  const auto begin = Clock::now();
  for (size_t i = 0; i < tokens; ++i) TT_RETURN_IF_ERROR(sequences.Step(pipeline_));
  return Seconds(begin);
}

}  // namespace teetee::bench
