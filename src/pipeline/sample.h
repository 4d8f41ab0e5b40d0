// Sampling on the last stage: logits -> the next token, with its log-probabilities where they are wanted. Used on the compute thread, one
// sequence at a time.
#pragma once

#include <memory>

#include "engine/sampling_state.h"
#include "pipeline/frames.h"
#include "pipeline/open.h"

namespace teetee::pipeline {

class TailSampler {
 public:
  // prompt_ids may be empty where no penalty looks at them; `prompt_tokens` counts them all the same.
  static Result<std::unique_ptr<TailSampler>> Make(const SamplingSpec& spec, uint64_t stream, std::vector<uint32_t> prompt_ids,
                                                   uint32_t prompt_tokens, size_t vocab_size);

  // Draws the token of `token.position`, takes it into the history, and fills id, logprob and alternatives.
  // An earlier position than the next takes back what was drawn from there on (a draft that did not come true). kInternal when it
  // is none of the answer so far.
  Status Draw(std::span<const float> logits, TokenFrame& token);

 private:
  explicit TailSampler(engine::SamplingState state) : state_(std::move(state)) {}
  engine::SamplingState state_;
  engine::Sampler sampler_;
};

}  // namespace teetee::pipeline
