#include "engine/answer.h"

#include <utility>

#include "base/check.h"

namespace teetee::engine {

std::string_view FinishReasonName(FinishReason reason) {
  switch (reason) {
    case FinishReason::kNone:
      return "";
    case FinishReason::kStop:
      return "stop";
    case FinishReason::kLength:
      return "length";
  }
  TT_CHECK(false);
}

Answer::Answer(const model::Tokenizer& tokenizer, AnswerLimits limits, TextStream stream)
    : tokenizer_(&tokenizer), limits_(std::move(limits)), stream_(std::move(stream)) {}

Result<Answer> Answer::Make(const model::Tokenizer& tokenizer, AnswerLimits limits) {
  if (limits.max_tokens == 0) return Error(Code::kInvalidArgument, "max_tokens is 0");
  TextStream stream = TT_TRY(TextStream::Create(limits.stops));
  return Answer(tokenizer, std::move(limits), std::move(stream));
}

std::string Answer::Push(TokenId id) {
  TT_CHECK(finish_ == FinishReason::kNone);
  ids_.push_back(id);
  const bool ends = tokenizer_->IsEndOfGeneration(id) && !limits_.ignore_end;
  if (ends) return Finish(FinishReason::kStop);
  TextDelta delta = stream_.Push(tokenizer_->Decode({&id, 1}));
  text_ += delta.text;
  if (delta.stopped) {
    finish_ = FinishReason::kStop;
  } else if (ids_.size() == limits_.max_tokens) {
    delta.text += Finish(FinishReason::kLength);
  }
  return std::move(delta.text);
}

std::string Answer::Finish(FinishReason reason) {
  TT_CHECK(finish_ == FinishReason::kNone);
  finish_ = reason;
  TextDelta delta = stream_.Finish();
  if (delta.stopped) finish_ = FinishReason::kStop;
  text_ += delta.text;
  return std::move(delta.text);
}

}  // namespace teetee::engine
