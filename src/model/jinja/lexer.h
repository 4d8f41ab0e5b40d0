// Source text of a chat template -> tokens. Whitespace control as transformers sets it: trim_blocks and lstrip_blocks on, `-`
// strips, `+` keeps; one line feed at the end of the source is dropped; `generation` tags vanish. Linear time.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace teetee::model::jinja {

enum class TokenType : uint8_t {
  kText,
  kComment,
  kNumber,
  kString,
  kIdentifier,
  kOpenStatement,    // {%
  kCloseStatement,   // %}
  kOpenExpression,   // {{
  kCloseExpression,  // }}
  kPunctuation,      // ( ) [ ] { } , . : | =
  kAdditive,         // + - ~
  kMultiplicative,   // * / // %
  kPower,            // **
  kComparison,       // < > <= >= == !=
  kSign,             // + or - that starts an operand
  kEnd,
};

struct Token {
  TokenType type;
  std::string text;  // without quotes and escapes
  uint32_t line;     // from 1
};

// An error at a line of the source; what never quotes request data.
Error TemplateError(uint32_t line, std::string_view what, Code code = Code::kInvalidArgument);

// Adds the line to an error of a function that knows none.
template <class T>
Result<T> AtLine(uint32_t line, Result<T> result) {
  if (result) return result;
  return TemplateError(line, result.error().message(), result.error().code());
}

// The tokens, ending with kEnd. REQUIRES: source is well-formed UTF-8.
Result<std::vector<Token>> Tokenize(std::string_view source);

}  // namespace teetee::model::jinja
