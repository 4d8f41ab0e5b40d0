// The other end of an answer: from token ids to the text that the user sees, and when to stop. It
// lives where the tokenizer is: in `teetee run` and in the head of the distributed pipeline, one
// per answer.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "engine/text_stream.h"
#include "model/tokenizer.h"

namespace teetee::engine {

using model::TokenId;

enum class FinishReason {
  kNone,    // goes on
  kStop,    // an end-of-generation token or a stop string
  kLength,  // max_tokens, or the context is full
};
std::string_view FinishReasonName(FinishReason reason);  // OpenAI's "stop", "length"; "" for kNone

struct AnswerLimits {
  size_t max_tokens = 0;  // ids of the answer, the end-of-generation token included; at least 1
  std::vector<std::string> stops;  // bounds in text_stream.h
  bool ignore_end = false;         // goes on behind end-of-generation tokens
};

// Thread-compatible. The tokenizer must outlive it.
class Answer {
 public:
  // kInvalidArgument: max_tokens is 0, a stop string out of bounds.
  static Result<Answer> Make(const model::Tokenizer& tokenizer, AnswerLimits limits);

  // Takes the next id and returns the text that can be shown now: whole characters, and nothing
  // that may yet become a stop string. When finish() is set afterwards, the answer is over and the
  // text complete. REQUIRES: finish() == kNone.
  std::string Push(TokenId id);
  // Ends the answer early (context full): the text held back.
  std::string Finish(FinishReason reason);

  FinishReason finish() const { return finish_; }
  const std::vector<TokenId>& ids() const { return ids_; }
  const std::string& text() const { return text_; }  // all that was returned so far

 private:
  Answer(const model::Tokenizer& tokenizer, AnswerLimits limits, TextStream stream);

  const model::Tokenizer* tokenizer_;
  AnswerLimits limits_;
  TextStream stream_;
  FinishReason finish_ = FinishReason::kNone;
  std::vector<TokenId> ids_;
  std::string text_;
};

}  // namespace teetee::engine
