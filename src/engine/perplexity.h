// Perplexity of a model on a text, by the method of llama.cpp's `perplexity` tool: the text's ids
// are cut into consecutive chunks of ctx; the first id of each is replaced by BOS; positions ctx/2
// .. ctx-2 predict the id after them and are scored.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>

#include "base/result.h"
#include "engine/local_pipeline.h"

namespace teetee::engine {

struct PerplexityOptions {
  size_t ctx = 256;   // 4 .. the context limit
  size_t chunks = 0;  // 0: all that the text fills
  TokenId bos = 0;
  // Sees each scored position's logits (vocab_size), in the order of the text; an error ends the
  // measurement. May be empty.
  std::function<Status(std::span<const float> logits)> on_logits;
};

// Positions of one chunk that are scored.
constexpr size_t ScoredPositions(size_t ctx) { return ctx - 1 - ctx / 2; }

struct PerplexityResult {
  double ppl = 0;       // exp(-mean of ln p)
  uint64_t scored = 0;  // positions
};

// ids: the whole text, with BOS first. `progress` (may be empty) is called after each chunk with
// chunks done and the running perplexity. Deterministic: ln and exp are ours, and sums run in f64
// in the order of the text. kInvalidArgument: options out of range, or too few ids for the chunks.
Result<PerplexityResult> Perplexity(
    LocalPipeline& pipeline, std::span<const TokenId> ids, const PerplexityOptions& options,
    const std::function<void(size_t done, double ppl)>& progress = {});

// ln p(id) under softmax of logits, in f64. logits: (n), finite. REQUIRES id < n.
double LogProbability(std::span<const float> logits, TokenId id);

}  // namespace teetee::engine
