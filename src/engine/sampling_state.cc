#include "engine/sampling_state.h"

#include <string>
#include <utility>

namespace teetee::engine {
namespace {

Status CheckId(TokenId id, size_t vocab_size) {
  if (id < vocab_size) return Ok{};
  return Error(Code::kInvalidArgument,
               "an id outside the vocabulary of " + std::to_string(vocab_size));
}

}  // namespace

Result<SamplingState> SamplingState::Make(SamplerSettings settings, uint64_t stream,
                                          std::optional<unsigned> top_logprobs,
                                          std::span<const TokenId> prompt, size_t vocab_size) {
  TT_RETURN_IF_ERROR(settings.Validate(vocab_size));
  if (prompt.empty()) return Error(Code::kInvalidArgument, "the prompt is empty");
  if (top_logprobs.value_or(0) > kMaxTopLogprobs) {
    return Error(Code::kInvalidArgument,
                 "top_logprobs is above " + std::to_string(kMaxTopLogprobs));
  }
  SamplingState state;
  state.settings_ = std::move(settings);
  state.stream_ = stream;
  state.top_logprobs_ = top_logprobs;
  state.vocab_size_ = vocab_size;
  state.position_ = prompt.size();
  std::vector<int32_t> ids;
  for (TokenId id : prompt) {
    TT_RETURN_IF_ERROR(CheckId(id, vocab_size));
    ids.push_back(static_cast<int32_t>(id));
  }
  if (state.settings_.has_penalties()) state.history_.AddPrompt(ids);
  return state;
}

Result<SampledToken> SamplingState::Next(std::span<const float> logits, Sampler& sampler) {
  if (logits.size() != vocab_size_) {
    return Error(Code::kInvalidArgument, std::to_string(logits.size()) +
                                             " logits for a vocabulary of " +
                                             std::to_string(vocab_size_));
  }
  const SampleInput input{logits, &history_, {}, position_, stream_};
  const Draw draw = TT_TRY(sampler.Sample(input, settings_));
  SampledToken token{static_cast<TokenId>(draw.id), position_, std::nullopt};
  if (top_logprobs_)
    token.logprobs = TT_TRY(sampler.ComputeLogprobs(logits, draw.id, *top_logprobs_));
  TT_RETURN_IF_ERROR(Replay(token.id));
  return token;
}

Status SamplingState::Replay(TokenId id) {
  TT_RETURN_IF_ERROR(CheckId(id, vocab_size_));
  if (settings_.has_penalties()) history_.AddAnswer(static_cast<int32_t>(id));
  answer_.push_back(id);
  ++position_;
  return Ok{};
}

Status SamplingState::Rewind(uint64_t position) {
  if (position > position_ || position_ - position > answer_.size()) {
    return Error(Code::kFailedPrecondition, "sampling cannot go back to that position");
  }
  for (; position_ > position; --position_) {
    if (settings_.has_penalties()) history_.RemoveAnswer(static_cast<int32_t>(answer_.back()));
    answer_.pop_back();
  }
  return Ok{};
}

}  // namespace teetee::engine
