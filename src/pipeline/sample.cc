#include "pipeline/sample.h"

namespace teetee::pipeline {

Result<std::unique_ptr<TailSampler>> TailSampler::Make(const SamplingSpec& spec, uint64_t stream, std::vector<uint32_t> prompt_ids,
                                                       uint32_t prompt_tokens, size_t vocab_size) {
  if (prompt_ids.empty()) prompt_ids.assign(prompt_tokens, 0);  // no penalty looks at them
  std::optional<unsigned> top;
  if (spec.logprobs) top = spec.top_logprobs;
  auto state = TT_TRY(engine::SamplingState::Make(spec.settings, stream, top, prompt_ids, vocab_size));
  return std::unique_ptr<TailSampler>(new TailSampler(std::move(state)));
}

Status TailSampler::Draw(std::span<const float> logits, TokenFrame& token) {
  if (token.position < state_.position()) TT_RETURN_IF_ERROR(state_.Rewind(token.position));
  if (token.position != state_.position()) return Error(Code::kInternal, "sampling at another position than the next");
  engine::SampledToken drawn = TT_TRY(state_.Next(logits, sampler_));
  token.id = drawn.id;
  if (!drawn.logprobs) return Ok{};
  token.logprob = drawn.logprobs->chosen.logprob;
  for (const engine::TokenLogprob& top : drawn.logprobs->top) {
    token.top.push_back({static_cast<uint32_t>(top.id), top.logprob});
  }
  return Ok{};
}

}  // namespace teetee::pipeline
