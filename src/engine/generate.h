// One answer from a pipeline in this process: prefill, then draw, show, feed, until something ends
// it. The pieces are those of the distributed pipeline (SamplingState on the tail, Answer at the
// head); this is the loop that joins them by calls.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "engine/answer.h"
#include "engine/draft.h"
#include "engine/local_pipeline.h"
#include "engine/sampling_state.h"

namespace teetee::engine {

struct GenerateOptions {
  SamplerSettings sampler;
  uint64_t stream = 0;                   // index of the choice
  std::optional<unsigned> top_logprobs;  // as in SamplingState::Make
  AnswerLimits limits;                   // max_tokens is cut to what the context holds
  DraftSettings drafts;        // guesses; {.most = 0}: none. Changes speed only
  size_t prefill_chunk = 512;  // rows of a batch, 1 .. Shard::kMaxBatchRows; changes speed only
  // Sees each row of logits (vocab_size) that a token is drawn from, before the draw. May be empty.
  std::function<void(std::span<const float> logits)> on_logits;
  // Called for each token with the text that it releases (may be empty); false cancels. May be
  // empty.
  std::function<bool(const SampledToken& token, std::string_view text)> on_token;
};

struct GenerateResult {
  std::vector<TokenId> ids;  // of the answer, the end-of-generation token included
  std::string text;
  FinishReason finish = FinishReason::kNone;
  double prefill_seconds = 0;
  double decode_seconds = 0;  // of the tokens after the first
  size_t drafted = 0, accepted = 0;  // guesses, and those that came true
};

// kInvalidArgument: an empty prompt, one that leaves the context no room for an answer, options out
// of range. kCancelled: on_token said so. Errors of the pipeline pass on.
Result<GenerateResult> Generate(LocalPipeline& pipeline, const model::Tokenizer& tokenizer,
                                std::span<const TokenId> prompt, const GenerateOptions& options);

}  // namespace teetee::engine
