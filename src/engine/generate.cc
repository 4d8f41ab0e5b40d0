#include "engine/generate.h"

#include <algorithm>
#include <chrono>
#include <utility>

namespace teetee::engine {
namespace {

using Clock = std::chrono::steady_clock;  // times what is reported; nothing is computed from it

double SecondsSince(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

Status CheckPrompt(std::span<const TokenId> prompt, size_t context,
                   const GenerateOptions& options) {
  if (prompt.empty()) return Error(Code::kInvalidArgument, "the prompt is empty");
  if (prompt.size() >= context) {
    return Error(Code::kInvalidArgument, "the prompt has " + std::to_string(prompt.size()) +
                                             " tokens and leaves no room in a context of " +
                                             std::to_string(context));
  }
  if (options.prefill_chunk == 0 || options.prefill_chunk > model::Shard::kMaxBatchRows) {
    return Error(Code::kInvalidArgument,
                 "the prefill chunk must be 1 to " + std::to_string(model::Shard::kMaxBatchRows));
  }
  return Ok{};
}

}  // namespace

Result<GenerateResult> Generate(LocalPipeline& pipeline, const model::Tokenizer& tokenizer,
                                std::span<const TokenId> prompt, const GenerateOptions& options) {
  const model::ModelConfig& config = pipeline.config();
  TT_RETURN_IF_ERROR(CheckPrompt(prompt, config.context_length, options));
  AnswerLimits limits = options.limits;
  limits.max_tokens = std::min<size_t>(limits.max_tokens, config.context_length - prompt.size());
  const size_t capacity = prompt.size() + limits.max_tokens;
  Answer answer = TT_TRY(Answer::Make(tokenizer, std::move(limits)));
  SamplingState sampling = TT_TRY(SamplingState::Make(
      options.sampler, options.stream, options.top_logprobs, prompt, config.vocab_size));
  LocalSequence sequence = TT_TRY(pipeline.MakeSequence(capacity));
  Sampler sampler;
  std::vector<float> logits(config.vocab_size);

  GenerateResult result;
  Clock::time_point start = Clock::now();
  TT_RETURN_IF_ERROR(pipeline.Prefill(sequence, prompt, options.prefill_chunk, logits.data()));
  result.prefill_seconds = SecondsSince(start);
  start = Clock::now();
  while (true) {
    if (options.on_logits) options.on_logits(logits);
    const SampledToken token = TT_TRY(sampling.Next(logits, sampler));
    const std::string text = answer.Push(token.id);
    if (options.on_token && !options.on_token(token, text)) {
      return Error(Code::kCancelled, "cancelled");
    }
    if (answer.finish() != FinishReason::kNone) break;
    TT_RETURN_IF_ERROR(pipeline.Prefill(sequence, {&token.id, 1}, 1, logits.data()));
  }
  result.decode_seconds = SecondsSince(start);
  result.ids = answer.ids();
  result.text = answer.text();
  result.finish = answer.finish();
  return result;
}

}  // namespace teetee::engine
