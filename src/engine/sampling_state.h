// What choosing the next token of one answer needs besides the logits: settings, the ids so far,
// the position. It lives where the logits are: in `teetee run` beside the pipeline, in the
// distributed pipeline on the tail node, one per answer.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "base/result.h"
#include "engine/sampler.h"
#include "model/config.h"

namespace teetee::engine {

using model::TokenId;

struct SampledToken {
  TokenId id = 0;
  uint64_t position = 0;             // number of ids before it, prompt and answer
  std::optional<Logprobs> logprobs;  // when asked for
};

// Thread-compatible; movable. The result of a draw depends on settings, prompt, answer so far and
// logits only.
class SamplingState {
 public:
  // stream: index of the choice (`n`) among the answers to one request. top_logprobs: none, or how
  // many alternatives to list (0: the chosen one only). kInvalidArgument: settings out of range, an
  // id outside the vocabulary, or an empty prompt.
  static Result<SamplingState> Make(SamplerSettings settings, uint64_t stream,
                                    std::optional<unsigned> top_logprobs,
                                    std::span<const TokenId> prompt, size_t vocab_size);

  // Draws from one row of logits (vocab_size) and takes the id into the history.
  // kInvalidArgument: logits that are not finite, or that overflow under the settings.
  Result<SampledToken> Next(std::span<const float> logits, Sampler& sampler);

  // Takes an id that was drawn before (an answer that goes on elsewhere) into the history.
  Status Replay(TokenId id);

  // Forgets the ids drawn at `position` and later: a draft that did not come true.
  // kFailedPrecondition: before the answer, or beyond the next draw.
  Status Rewind(uint64_t position);

  uint64_t position() const { return position_; }  // of the next draw
  const SamplerSettings& settings() const { return settings_; }

 private:
  SamplingState() = default;

  SamplerSettings settings_;
  uint64_t stream_ = 0;
  std::optional<unsigned> top_logprobs_;
  size_t vocab_size_ = 0;
  uint64_t position_ = 0;
  TokenHistory history_;
  std::vector<TokenId> answer_;  // drawn so far
};

}  // namespace teetee::engine
