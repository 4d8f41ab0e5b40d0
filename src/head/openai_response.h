// Answers in OpenAI's shape: chunk objects for streams, whole objects otherwise. Pure formatting.
#pragma once

#include <string>
#include <vector>

#include "base/json.h"

namespace teetee::head {

struct TokenLogprob {
  std::string token;  // its text; U+FFFD where it is no whole UTF-8
  Bytes bytes;
  float logprob = 0;
  std::vector<TokenLogprob> top;  // alternatives, without their own
};

struct Choice {
  uint32_t index = 0;
  std::string text;           // whole, or the delta of one chunk
  std::string finish_reason;  // "stop", "length"; empty: not finished
  std::vector<TokenLogprob> logprobs;
};

struct Usage {
  uint64_t prompt_tokens = 0;
  uint64_t completion_tokens = 0;
  uint64_t cached_tokens = 0;  // of the prompt, for the first choice; they cost what the others cost
};

// What stays the same through one answer.
struct AnswerHead {
  bool chat = true;
  std::string id;       // "chatcmpl-…"
  int64_t created = 0;  // unix seconds
  std::string model;
  bool logprobs = false;
};

Json UsageJson(const Usage& usage);
Json FullAnswer(const AnswerHead& head, const std::vector<Choice>& choices, const Usage& usage);
// first: the chunk that opens a choice and names the role (chat only).
Json Chunk(const AnswerHead& head, const Choice& delta, bool first);
Json UsageChunk(const AnswerHead& head, const Usage& usage);

}  // namespace teetee::head
