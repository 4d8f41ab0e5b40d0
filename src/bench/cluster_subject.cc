#include "bench/cluster_subject.h"

#ifdef TEETEE_SIMULATED

#include <algorithm>
#include <vector>

namespace teetee::bench {
namespace {

pipeline::ClusterLoad GreedyLoad(size_t sequences, size_t prompt_tokens, size_t vocab,
                                 size_t new_tokens) {
  pipeline::ClusterLoad load;
  for (size_t s = 0; s < sequences; ++s) {
    std::vector<uint32_t> prompt(prompt_tokens);
    for (size_t i = 0; i < prompt_tokens; ++i) prompt[i] = SomeId(s + i, vocab);
    load.prompts.push_back(std::move(prompt));
  }
  load.new_tokens = static_cast<uint32_t>(new_tokens);
  load.sampling.settings.temperature = 0;
  return load;
}

}  // namespace

ClusterSubject::ClusterSubject(std::unique_ptr<pipeline::LocalCluster> cluster, size_t vocab)
    : cluster_(std::move(cluster)), vocab_(vocab) {}

Result<std::unique_ptr<ClusterSubject>> ClusterSubject::Start(const model::GgufFile& file,
                                                              uint32_t stages, size_t threads,
                                                              ops::Isa isa, size_t max_batch) {
  const auto config = TT_TRY(model::ModelConfig::From(file));
  pipeline::LocalClusterOptions options;
  options.stages = stages;
  options.threads = threads;
  options.isa = isa;
  options.limits.max_sequences = std::max(options.limits.max_sequences, max_batch);
  options.limits.max_cache_bytes =
      0;  // a prompt that was seen before must cost what a new one does
  auto cluster = TT_TRY(pipeline::LocalCluster::Start(file, std::move(options)));
  return std::unique_ptr<ClusterSubject>(new ClusterSubject(std::move(cluster), config.vocab_size));
}

// Of all weights: a stage's pass counts by its share of them.
double ClusterSubject::PassesPerStep(const pipeline::ClusterRun& run, size_t steps) const {
  double read = 0, all = 0;
  for (uint32_t stage = 0; stage < cluster_->stages(); ++stage) {
    const double bytes = static_cast<double>(cluster_->weight_bytes(stage));
    read += bytes * static_cast<double>(run.batches[stage]);
    all += bytes;
  }
  return read / all / static_cast<double>(steps);
}

Result<Timing> ClusterSubject::Prefill(size_t tokens) {
  const auto run = TT_TRY(cluster_->Run(GreedyLoad(1, tokens, vocab_, 1)));
  return Timing{run.prefill_seconds, 1};
}

// The first token of each answer comes out of its prompt of one token, so one more is asked for.
Result<Timing> ClusterSubject::Decode(size_t batch, size_t tokens) {
  const auto run = TT_TRY(cluster_->Run(GreedyLoad(batch, 1, vocab_, tokens + 1)));
  return Timing{run.decode_seconds, PassesPerStep(run, tokens)};
}

}  // namespace teetee::bench

#endif  // TEETEE_SIMULATED
