#include "head/openai_response.h"

namespace teetee::head {
namespace {

Json BytesJson(const Bytes& bytes) {
  Json out = Json::MakeArray();
  for (uint8_t byte : bytes) out.Push(static_cast<int>(byte));
  return out;
}

// A probability of 0 has the logarithm -inf, which JSON cannot say; OpenAI writes -9999.
Json LogprobJson(float value) { return value < -9999.0f ? Json(-9999.0) : Json(double{value}); }

Json TokenJson(const TokenLogprob& token) {
  return Json::MakeObject(
      {{"token", token.token}, {"logprob", LogprobJson(token.logprob)}, {"bytes", BytesJson(token.bytes)}});
}

Json ChatLogprobs(const std::vector<TokenLogprob>& tokens) {
  Json content = Json::MakeArray();
  for (const TokenLogprob& token : tokens) {
    Json item = TokenJson(token);
    Json top = Json::MakeArray();
    for (const TokenLogprob& alternative : token.top) top.Push(TokenJson(alternative));
    item.Set("top_logprobs", std::move(top));
    content.Push(std::move(item));
  }
  return Json::MakeObject({{"content", std::move(content)}, {"refusal", Json()}});
}

// The older completions shape: parallel arrays.
Json TextLogprobs(const std::vector<TokenLogprob>& tokens) {
  Json texts = Json::MakeArray(), values = Json::MakeArray(), tops = Json::MakeArray(), offsets = Json::MakeArray();
  uint64_t offset = 0;
  for (const TokenLogprob& token : tokens) {
    texts.Push(token.token);
    values.Push(LogprobJson(token.logprob));
    Json top = Json::MakeObject();
    for (const TokenLogprob& alternative : token.top) top.Set(alternative.token, LogprobJson(alternative.logprob));
    tops.Push(std::move(top));
    offsets.Push(offset);
    offset += token.token.size();
  }
  return Json::MakeObject({{"tokens", std::move(texts)},
                           {"token_logprobs", std::move(values)},
                           {"top_logprobs", std::move(tops)},
                           {"text_offset", std::move(offsets)}});
}

Json LogprobsOf(const AnswerHead& head, const Choice& choice) {
  if (!head.logprobs) return Json();
  return head.chat ? ChatLogprobs(choice.logprobs) : TextLogprobs(choice.logprobs);
}

Json Envelope(const AnswerHead& head, const char* object, Json choices) {
  return Json::MakeObject({{"id", head.id},
                           {"object", object},
                           {"created", head.created},
                           {"model", head.model},
                           {"choices", std::move(choices)}});
}

Json FinishReason(const Choice& choice) {
  return choice.finish_reason.empty() ? Json() : Json(choice.finish_reason);
}

}  // namespace

Json UsageJson(const Usage& usage) {
  return Json::MakeObject({{"prompt_tokens", usage.prompt_tokens},
                           {"completion_tokens", usage.completion_tokens},
                           {"total_tokens", usage.prompt_tokens + usage.completion_tokens},
                           {"prompt_tokens_details", Json::MakeObject({{"cached_tokens", usage.cached_tokens}})}});
}

Json FullAnswer(const AnswerHead& head, const std::vector<Choice>& choices, const Usage& usage) {
  Json list = Json::MakeArray();
  for (const Choice& choice : choices) {
    Json item = Json::MakeObject({{"index", choice.index}});
    if (head.chat) {
      item.Set("message", Json::MakeObject({{"role", "assistant"}, {"content", choice.text}, {"refusal", Json()}}));
    } else {
      item.Set("text", choice.text);
    }
    item.Set("logprobs", LogprobsOf(head, choice)).Set("finish_reason", FinishReason(choice));
    list.Push(std::move(item));
  }
  Json out = Envelope(head, head.chat ? "chat.completion" : "text_completion", std::move(list));
  out.Set("usage", UsageJson(usage));
  return out;
}

Json Chunk(const AnswerHead& head, const Choice& delta, bool first) {
  Json item = Json::MakeObject({{"index", delta.index}});
  if (head.chat) {
    Json content = Json::MakeObject();
    if (first) content.Set("role", "assistant");
    if (first || !delta.text.empty()) content.Set("content", delta.text);
    item.Set("delta", std::move(content));
  } else {
    item.Set("text", delta.text);
  }
  item.Set("logprobs", delta.logprobs.empty() ? Json() : LogprobsOf(head, delta));
  item.Set("finish_reason", FinishReason(delta));
  Json list = Json::MakeArray();
  list.Push(std::move(item));
  return Envelope(head, head.chat ? "chat.completion.chunk" : "text_completion", std::move(list));
}

Json UsageChunk(const AnswerHead& head, const Usage& usage) {
  Json out = Envelope(head, head.chat ? "chat.completion.chunk" : "text_completion", Json::MakeArray());
  out.Set("usage", UsageJson(usage));
  return out;
}

}  // namespace teetee::head
