#include "engine/prompt.h"

#include <algorithm>
#include <array>
#include <utility>

namespace teetee::engine {
namespace {

constexpr size_t kMaxDepth = 64;  // base/json parses 32 deep

Error BadMessage(size_t index, const std::string& what) {
  return Error(Code::kInvalidArgument, "message " + std::to_string(index) + ": " + what);
}

// "content" as one string: a string, null, or parts {"type": "text", "text": ...}.
Result<Json> FlattenContent(const Json& content, size_t index) {
  if (content.is_string() || content.is_null()) return content;
  if (!content.is_array())
    return BadMessage(index, "content must be a string or an array of text parts");
  std::string text;
  for (const Json& part : content.as_array()) {
    const Json* type = part.is_object() ? part.Find("type") : nullptr;
    if (type == nullptr || !type->is_string() || type->as_string() != "text") {
      return BadMessage(index, "only content parts of type 'text' are supported");
    }
    const Json* piece = part.Find("text");
    if (piece == nullptr || !piece->is_string())
      return BadMessage(index, "a text part without text");
    text += piece->as_string();
  }
  return Json(std::move(text));
}

Result<std::string> KnownRole(const Json& message, size_t index) {
  const Json* role = message.Find("role");
  if (role == nullptr || !role->is_string()) return BadMessage(index, "no role");
  if (role->as_string() == "developer") return std::string("system");
  for (const char* known : {"system", "user", "assistant", "tool"}) {
    if (role->as_string() == known) return std::string(known);
  }
  return BadMessage(index, "the role must be system, developer, user, assistant or tool");
}

Result<Json> CheckedMessages(const Json& messages) {
  if (!messages.is_array() || messages.as_array().empty()) {
    return Error(Code::kInvalidArgument, "messages must be an array that is not empty");
  }
  if (messages.as_array().size() > PromptBuilder::kMaxMessages) {
    return Error(Code::kInvalidArgument,
                 "more than " + std::to_string(PromptBuilder::kMaxMessages) + " messages");
  }
  Json out = Json::MakeArray();
  for (size_t i = 0; i < messages.as_array().size(); ++i) {
    const Json& message = messages.as_array()[i];
    if (!message.is_object()) return BadMessage(i, "not an object");
    Json copy = message;
    copy.Set("role", TT_TRY(KnownRole(message, i)));
    const Json* content = message.Find("content");
    copy.Set("content", content == nullptr ? Json() : TT_TRY(FlattenContent(*content, i)));
    out.Push(std::move(copy));
  }
  return out;
}

bool Contains(const Json& value, std::string_view text, size_t depth = 0) {
  if (depth > kMaxDepth) return true;
  if (value.is_string()) return value.as_string().find(text) != std::string::npos;
  if (value.is_array()) {
    return std::any_of(value.as_array().begin(), value.as_array().end(),
                       [&](const Json& v) { return Contains(v, text, depth + 1); });
  }
  if (!value.is_object()) return false;
  return std::any_of(
      value.as_object().begin(), value.as_object().end(), [&](const Json::Member& m) {
        return m.first.find(text) != std::string::npos || Contains(m.second, text, depth + 1);
      });
}

// The first of the noncharacters U+FDD0 .. U+FDEF that none of them holds.
Result<std::string> ChooseMark(std::string_view source, const Json& a, const Json& b) {
  for (char last = '\x90'; last != '\xb0'; ++last) {
    const std::string mark = std::string("\xef\xb7") + last;
    if (source.find(mark) == std::string_view::npos && !Contains(a, mark) && !Contains(b, mark)) {
      return mark;
    }
  }
  return Error(Code::kInvalidArgument,
               "the conversation holds every noncharacter of U+FDD0..U+FDEF");
}

size_t Utf8Size(char first) {
  const auto c = static_cast<unsigned char>(first);
  return c >= 0xf0 ? 4 : c >= 0xe0 ? 3 : c >= 0xc0 ? 2 : 1;
}

std::string Without(std::string_view text, std::string_view mark) {
  std::string out;
  for (size_t at = 0; at < text.size();) {
    const size_t next = std::min(text.find(mark, at), text.size());
    out += text.substr(at, next - at);
    at = next + mark.size();
  }
  return out;
}

}  // namespace

PromptBuilder::PromptBuilder(const model::Tokenizer& tokenizer) : tokenizer_(&tokenizer) {
  for (size_t i = 0; i < tokenizer.size(); ++i) {
    const auto id = static_cast<TokenId>(i);
    if (!tokenizer.IsControl(id)) continue;
    std::string text = tokenizer.PieceBytes(id);
    if (text.empty()) continue;
    may_start_[static_cast<unsigned char>(text[0])] = true;
    controls_.push_back({std::move(text), id});
  }
  std::stable_sort(controls_.begin(), controls_.end(), [](const Control& a, const Control& b) {
    return a.text.size() > b.text.size();
  });
}

Result<PromptBuilder> PromptBuilder::Make(const model::Tokenizer& tokenizer) {
  PromptBuilder builder(tokenizer);
  if (tokenizer.chat_template()) {
    builder.template_ = TT_TRY(model::ChatTemplate::Compile(*tokenizer.chat_template()));
  }
  return builder;
}

// A control token begins at `rest`, or the text ends inside one that does. `trimmed` is the size of
// rest without the white space at its end, which templates may take away.
bool PromptBuilder::Spells(std::string_view rest, size_t trimmed) const {
  return std::any_of(controls_.begin(), controls_.end(), [&](const Control& control) {
    return rest.starts_with(control.text) || control.text.starts_with(rest.substr(0, trimmed));
  });
}

std::string PromptBuilder::Mark(std::string_view text, std::string_view mark, bool* marked) const {
  const size_t end = text.find_last_not_of(" \t\r\n\v\f") + 1;
  std::string out;
  for (size_t at = 0; at < text.size();) {
    const size_t size = std::min(Utf8Size(text[at]), text.size() - at);
    out += text.substr(at, size);
    if (at < end && may_start_[static_cast<unsigned char>(text[at])] &&
        Spells(text.substr(at), end - at)) {
      out += mark;
      *marked = true;
    }
    at += size;
  }
  return out;
}

Json PromptBuilder::MarkAll(const Json& value, std::string_view mark, bool* marked) const {
  if (value.is_string()) return Json(Mark(value.as_string(), mark, marked));
  if (value.is_array()) {
    Json out = Json::MakeArray();
    for (const Json& v : value.as_array()) out.Push(MarkAll(v, mark, marked));
    return out;
  }
  if (!value.is_object()) return value;
  Json out = Json::MakeObject();
  for (const auto& [key, v] : value.as_object()) {  // not Set, which looks through all members
    out.as_object().emplace_back(Mark(key, mark, marked), MarkAll(v, mark, marked));
  }
  return out;
}

Result<std::vector<TokenId>> PromptBuilder::Chat(const Json& messages,
                                                 const ChatOptions& options) const {
  if (!template_) {
    return Error(Code::kUnimplemented, "the model has no chat template; give plain text instead");
  }
  const Json checked = TT_TRY(CheckedMessages(messages));
  const Json tools = options.tools == nullptr ? Json() : *options.tools;
  const std::string mark = TT_TRY(ChooseMark(*tokenizer_->chat_template(), checked, tools));
  bool marked = false;
  Json context = Json::MakeObject();
  context.Set("messages", MarkAll(checked, mark, &marked));
  context.Set("tools", MarkAll(tools, mark, &marked));
  context.Set("documents", Json());
  context.Set("add_generation_prompt", options.add_generation_prompt);
  const auto written = [&](std::optional<TokenId> id) {
    return id ? tokenizer_->PieceBytes(*id) : "";
  };
  context.Set("bos_token", written(tokenizer_->bos()));
  context.Set("eos_token", written(tokenizer_->eos()));
  const std::string rendered = TT_TRY(template_->Render(context, options.now_unix));

  std::vector<TokenId> ids =
      marked ? TT_TRY(EncodeMarked(rendered, mark))
             : TT_TRY(tokenizer_->Encode(rendered, {.add_special = false, .parse_special = true}));
  const std::optional<TokenId> bos = tokenizer_->bos();
  if (tokenizer_->add_bos() && bos && (ids.empty() || ids.front() != *bos))
    ids.insert(ids.begin(), *bos);
  return ids;
}

std::optional<TokenId> PromptBuilder::ControlAt(std::string_view rest,
                                                std::string_view mark) const {
  for (const Control& control : controls_) {
    if (!rest.starts_with(control.text)) continue;
    const bool one_character = Utf8Size(rest[0]) >= control.text.size();
    if (one_character && rest.substr(control.text.size()).starts_with(mark)) continue;
    return control.id;
  }
  return std::nullopt;
}

Result<std::vector<TokenId>> PromptBuilder::EncodeMarked(const std::string& rendered,
                                                         std::string_view mark) const {
  std::vector<TokenId> ids;
  size_t begin = 0;  // of the text since the last control token
  const auto flush = [&](size_t end) -> Status {
    const std::string text = Without(std::string_view(rendered).substr(begin, end - begin), mark);
    if (text.empty()) return Ok{};
    const auto piece =
        TT_TRY(tokenizer_->Encode(text, {.add_special = false, .parse_special = false}));
    ids.insert(ids.end(), piece.begin(), piece.end());
    return Ok{};
  };
  for (size_t at = 0; at < rendered.size();) {
    const std::optional<TokenId> id = may_start_[static_cast<unsigned char>(rendered[at])]
                                          ? ControlAt(std::string_view(rendered).substr(at), mark)
                                          : std::nullopt;
    if (!id) {
      ++at;
      continue;
    }
    TT_RETURN_IF_ERROR(flush(at));
    ids.push_back(*id);
    at += tokenizer_->PieceBytes(*id).size();
    begin = at;
  }
  TT_RETURN_IF_ERROR(flush(rendered.size()));
  return ids;
}

Result<std::vector<TokenId>> PromptBuilder::Text(std::string_view text) const {
  return tokenizer_->Encode(text);
}

}  // namespace teetee::engine
