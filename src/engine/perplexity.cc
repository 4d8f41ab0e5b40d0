#include "engine/perplexity.h"

#include <algorithm>
#include <string>
#include <vector>

#include "base/check.h"
#include "ops/rope.h"

namespace teetee::engine {
namespace {

constexpr size_t kMaxRows = 256;  // of one batch; bounds the memory for logits

// Minus the sum of ln p over the scored positions of one chunk.
Result<double> ScoreChunk(LocalPipeline& pipeline, std::span<const TokenId> ids,
                          const PerplexityOptions& options, std::vector<float>& logits) {
  const size_t ctx = ids.size();
  const size_t vocab = pipeline.config().vocab_size;
  LocalSequence sequence = TT_TRY(pipeline.MakeSequence(ctx));
  double nll = 0;
  size_t end = 0;
  for (size_t begin = 0; begin + 1 < ctx; begin = end) {
    end = std::min({begin + kMaxRows, ctx - 1, begin < ctx / 2 ? ctx / 2 : ctx});
    const size_t n = end - begin;
    const bool scored = begin >= ctx / 2;
    logits.resize(scored ? n * vocab : 0);
    PipelineItem item{&sequence, ids.subspan(begin, n), scored ? n : 0, logits.data(),
                      std::nullopt};
    TT_RETURN_IF_ERROR(pipeline.Forward({&item, 1}));
    if (item.error) return *std::move(item.error);
    for (size_t row = 0; scored && row < n; ++row) {
      const auto of_row = std::span<const float>(logits).subspan(row * vocab, vocab);
      if (options.on_logits) TT_RETURN_IF_ERROR(options.on_logits(of_row));
      nll -= LogProbability(of_row, ids[begin + row + 1]);
    }
  }
  return nll;
}

}  // namespace

double LogProbability(std::span<const float> logits, TokenId id) {
  TT_CHECK(id < logits.size());
  const double max = *std::max_element(logits.begin(), logits.end());
  double sum = 0;
  for (float l : logits) {
    const double d = double{l} - max;
    if (d >= -700) sum += ops::Exp64(d);  // smaller terms are below the last bit of a sum >= 1
  }
  return (double{logits[id]} - max) - ops::Ln64(sum);
}

Result<PerplexityResult> Perplexity(LocalPipeline& pipeline, std::span<const TokenId> ids,
                                    const PerplexityOptions& options,
                                    const std::function<void(size_t, double)>& progress) {
  const size_t ctx = options.ctx;
  if (ctx < 4 || ctx > pipeline.config().context_length) {
    return Error(Code::kInvalidArgument, "a context of " + std::to_string(ctx) +
                                             " tokens, allowed are 4 to " +
                                             std::to_string(pipeline.config().context_length));
  }
  const size_t chunks = options.chunks == 0 ? ids.size() / ctx : options.chunks;
  if (chunks == 0 || chunks > ids.size() / ctx) {
    return Error(Code::kInvalidArgument,
                 "the text has " + std::to_string(ids.size()) + " tokens, which make " +
                     std::to_string(ids.size() / ctx) + " chunks of " + std::to_string(ctx));
  }
  PerplexityResult result;
  double nll = 0;
  std::vector<float> logits;
  for (size_t chunk = 0; chunk < chunks; ++chunk) {
    const auto part = ids.subspan(chunk * ctx, ctx);
    std::vector<TokenId> window(part.begin(), part.end());
    window[0] = options.bos;
    nll += TT_TRY(ScoreChunk(pipeline, window, options, logits));
    result.scored += ScoredPositions(ctx);
    result.ppl = ops::Exp64(std::min(nll / static_cast<double>(result.scored), 700.0));
    if (progress) progress(chunk + 1, result.ppl);
  }
  return result;
}

}  // namespace teetee::engine
