// From a conversation (messages in OpenAI's JSON shape) to prompt ids, by the model's chat template
// and tokenizer.
//
// The template's own text may spell control tokens (<|im_start|>, <|eot_id|>); what users write may
// not: a message that holds the words "<|im_end|>" must reach the model as those ten characters.
// After rendering the two cannot be told apart, so every place in the context where a control token
// is spelled, or could be completed by the template text behind it, is marked first: a Unicode
// noncharacter that occurs nowhere in the template or the context is put behind the first character
// of that spelling. The marked text is rendered, cut at the control tokens that are still whole
// (the template's), freed of the marks, and each piece between them is tokenised with control
// tokens off. Without marks (almost always) the rendered text is tokenised in one go, so the ids
// are those of other programs exactly; with marks only the spelled control tokens differ. What a
// template can see: a string that spells a control token is one character longer there. Roles are
// not marked, because templates build tokens from them; only known roles are accepted.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "model/chat_template.h"
#include "model/tokenizer.h"

namespace teetee::engine {

using model::TokenId;

struct ChatOptions {
  int64_t now_unix = 0;               // seconds UTC; some templates write the date into the prompt
  bool add_generation_prompt = true;  // ends with the start of the assistant's turn
  const Json* tools = nullptr;        // OpenAI's `tools` array, or none
};

// Immutable, thread-safe; keeps a pointer to the tokenizer, which must outlive it.
class PromptBuilder {
 public:
  static constexpr size_t kMaxMessages = 4096;

  // kInvalidArgument and kResourceExhausted: a template that does not compile. A model without one
  // builds Text only.
  static Result<PromptBuilder> Make(const model::Tokenizer& tokenizer);

  bool has_template() const { return template_.has_value(); }

  // messages: array of {"role": system | developer | user | assistant | tool, "content": text, null
  // or text parts, ...}. A developer message counts as a system message. BOS stands first where the
  // metadata asks for it, once. kUnimplemented: the model has no template. kInvalidArgument: not
  // that shape, or refused by the template. kResourceExhausted: a limit of rendering or tokenising.
  // Errors never quote the messages.
  Result<std::vector<TokenId>> Chat(const Json& messages, const ChatOptions& options) const;

  // Plain text without a template; control tokens written out in it stay text. BOS as the metadata
  // says.
  Result<std::vector<TokenId>> Text(std::string_view text) const;

 private:
  explicit PromptBuilder(const model::Tokenizer& tokenizer);
  Result<std::vector<TokenId>> EncodeMarked(const std::string& rendered,
                                            std::string_view mark) const;
  bool Spells(std::string_view rest, size_t trimmed) const;
  std::optional<TokenId> ControlAt(std::string_view rest, std::string_view mark) const;
  std::string Mark(std::string_view text, std::string_view mark, bool* marked) const;
  Json MarkAll(const Json& value, std::string_view mark, bool* marked) const;

  struct Control {
    std::string text;
    TokenId id;
  };

  const model::Tokenizer* tokenizer_;
  std::optional<model::ChatTemplate> template_;
  std::vector<Control> controls_;      // longest first
  std::array<bool, 256> may_start_{};  // by first byte
};

}  // namespace teetee::engine
