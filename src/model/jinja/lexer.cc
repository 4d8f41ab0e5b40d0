#include "model/jinja/lexer.h"

#include <algorithm>
#include <array>

#include "model/jinja/preprocess.h"
#include "model/jinja/text.h"

namespace teetee::model::jinja {
namespace {

bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsWord(char c) {
  return IsDigit(c) || c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

struct Symbol {
  std::string_view text;
  TokenType type;
};
// In the order of matching: a longer symbol stands before its prefix.
constexpr Symbol kSymbols[] = {
    {"{%", TokenType::kOpenStatement},  {"%}", TokenType::kCloseStatement},
    {"{{", TokenType::kOpenExpression}, {"}}", TokenType::kCloseExpression},
    {"(", TokenType::kPunctuation},     {")", TokenType::kPunctuation},
    {"{", TokenType::kPunctuation},     {"}", TokenType::kPunctuation},
    {"[", TokenType::kPunctuation},     {"]", TokenType::kPunctuation},
    {",", TokenType::kPunctuation},     {".", TokenType::kPunctuation},
    {":", TokenType::kPunctuation},     {"|", TokenType::kPunctuation},
    {"<=", TokenType::kComparison},     {">=", TokenType::kComparison},
    {"==", TokenType::kComparison},     {"!=", TokenType::kComparison},
    {"<", TokenType::kComparison},      {">", TokenType::kComparison},
    {"+", TokenType::kAdditive},        {"-", TokenType::kAdditive},
    {"~", TokenType::kAdditive},        {"**", TokenType::kPower},
    {"*", TokenType::kMultiplicative},  {"//", TokenType::kMultiplicative},
    {"/", TokenType::kMultiplicative},  {"%", TokenType::kMultiplicative},
    {"=", TokenType::kPunctuation},
};

class Lexer {
 public:
  explicit Lexer(Source source) : source_(std::move(source)), text_(source_.text) {}

  Result<std::vector<Token>> Run() {
    while (position_ < text_.size()) {
      if (OutsideTags() && TakeText()) continue;
      TT_RETURN_IF_ERROR(TakeToken());
    }
    Push(TokenType::kEnd, "");
    return std::move(tokens_);
  }

 private:
  bool At(std::string_view what) const { return text_.substr(position_).starts_with(what); }
  char Peek(size_t ahead = 0) const {
    return position_ + ahead < text_.size() ? text_[position_ + ahead] : '\0';
  }
  uint32_t Line() const { return source_.LineAt(position_); }
  Error Fail(std::string_view what) const { return TemplateError(Line(), what); }
  void Push(TokenType type, std::string text) {
    tokens_.push_back({type, std::move(text), Line()});
  }
  TokenType Last() const { return tokens_.empty() ? TokenType::kEnd : tokens_.back().type; }

  bool OutsideTags() const {
    TokenType last = Last();
    return tokens_.empty() || last == TokenType::kCloseStatement ||
           last == TokenType::kCloseExpression || last == TokenType::kComment;
  }

  bool TakeText() {
    size_t end = position_;
    while (end < text_.size() &&
           !(text_[end] == '{' && end + 1 < text_.size() &&
             (text_[end + 1] == '%' || text_[end + 1] == '{' || text_[end + 1] == '#'))) {
      ++end;
    }
    if (end == position_) return false;
    Push(TokenType::kText, std::string(text_.substr(position_, end - position_)));
    position_ = end;
    return true;
  }

  void StripBefore() {
    if (Last() != TokenType::kText) return;
    std::string& text = tokens_.back().text;
    text.resize(TrimEnd(text).size());
    if (text.empty()) tokens_.pop_back();
  }
  void SkipSpaces() { position_ = text_.size() - TrimStart(text_.substr(position_)).size(); }

  Status TakeToken() {
    if (At("{#")) return TakeComment();
    if (TakeOpeningWithControl()) return Ok{};
    SkipSpaces();
    if (TakeClosingWithControl()) return Ok{};
    char c = Peek();
    if ((c == '-' || c == '+') && !AfterOperand()) return TakeSign();
    if (TakeSymbol()) return Ok{};
    if (c == '\'' || c == '"') return TakeString();
    if (IsDigit(c)) {
      bool member = Last() == TokenType::kPunctuation && tokens_.back().text == ".";
      std::string number = TakeNumber(!member);
      Push(TokenType::kNumber, std::move(number));
      return Ok{};
    }
    if (IsWord(c)) return TakeIdentifier();
    return Fail(position_ < text_.size() ? "unexpected character" : "unexpected end");
  }

  Status TakeComment() {
    bool strip_before = Peek(2) == '-';
    size_t start = position_ + (strip_before ? 3 : 2);
    size_t end = text_.find("#}", start);
    if (end == std::string_view::npos) return Fail("comment without end");
    bool strip_after = end > start && text_[end - 1] == '-';
    if (strip_before) StripBefore();
    Push(TokenType::kComment, "");
    position_ = end + 2;
    if (strip_after) SkipSpaces();
    return Ok{};
  }

  bool TakeOpeningWithControl() {
    bool statement = At("{%-") || At("{%+");
    if (!statement && !At("{{-")) return false;
    if (Peek(2) == '-') StripBefore();
    Push(statement ? TokenType::kOpenStatement : TokenType::kOpenExpression, text_[position_ + 1] == '%' ? "{%" : "{{");
    if (!statement) braces_ = 0;
    position_ += 3;
    return true;
  }

  bool TakeClosingWithControl() {
    bool statement = At("-%}") || At("+%}");
    if (!statement && !At("-}}")) return false;
    bool strip = Peek() == '-';
    Push(statement ? TokenType::kCloseStatement : TokenType::kCloseExpression, statement ? "%}" : "}}");
    position_ += 3;
    if (strip) SkipSpaces();
    return true;
  }

  // Whether a sign here is a binary operator.
  bool AfterOperand() const {
    switch (Last()) {
      case TokenType::kIdentifier:
      case TokenType::kNumber:
      case TokenType::kString: return true;
      case TokenType::kPunctuation: return tokens_.back().text == ")" || tokens_.back().text == "]";
      default: return false;
    }
  }

  Status TakeSign() {
    std::string text(1, text_[position_++]);
    bool number = IsDigit(Peek());
    if (number) text += TakeNumber(true);
    Push(number ? TokenType::kNumber : TokenType::kSign, std::move(text));
    return Ok{};
  }

  std::string TakeNumber(bool with_fraction) {
    size_t start = position_;
    while (IsDigit(Peek())) ++position_;
    if (with_fraction && Peek() == '.' && IsDigit(Peek(1))) {
      ++position_;
      while (IsDigit(Peek())) ++position_;
    }
    return std::string(text_.substr(start, position_ - start));
  }

  bool TakeSymbol() {
    for (const Symbol& symbol : kSymbols) {
      if (symbol.type == TokenType::kCloseExpression && braces_ > 0) continue;  // two braces of literals
      if (!At(symbol.text)) continue;
      if (symbol.type == TokenType::kOpenExpression) braces_ = 0;
      if (symbol.text == "{") ++braces_;
      if (symbol.text == "}") --braces_;
      Push(symbol.type, std::string(symbol.text));
      position_ += symbol.text.size();
      return true;
    }
    return false;
  }

  Status TakeIdentifier() {
    size_t start = position_;
    while (IsWord(Peek())) ++position_;
    Push(TokenType::kIdentifier, std::string(text_.substr(start, position_ - start)));
    return Ok{};
  }

  Status TakeString() {
    char quote = text_[position_];
    uint32_t line = Line();
    ++position_;
    std::string out;
    while (Peek() != quote) {
      if (position_ >= text_.size()) return TemplateError(line, "string without end");
      if (Peek() == '\\') {
        TT_RETURN_IF_ERROR(TakeEscape(out));
      } else {
        out += text_[position_++];
      }
    }
    if (position_ >= text_.size()) return TemplateError(line, "string without end");
    ++position_;
    tokens_.push_back({TokenType::kString, std::move(out), line});
    return Ok{};
  }

  Status TakeEscape(std::string& out) {
    static constexpr std::string_view kFrom = "ntrbfv'\"\\", kTo = "\n\t\r\b\f\v'\"\\";
    char c = Peek(1);
    position_ += 2;
    if (c == 'x' || c == 'u') return TakeHexEscape(c == 'x' ? 2 : 4, out);
    size_t i = kFrom.find(c);
    if (c == '\0' || i == std::string_view::npos) return Fail("unknown escape in a string");
    out += kTo[i];
    return Ok{};
  }

  Status TakeHexEscape(size_t digits, std::string& out) {
    uint32_t unit = TT_TRY(TakeHex(digits));
    bool high = unit >= 0xD800 && unit <= 0xDBFF;
    if (high && At("\\u")) {
      size_t back = position_;
      position_ += 2;
      uint32_t low = TT_TRY(TakeHex(4));
      if (low >= 0xDC00 && low <= 0xDFFF) {
        AppendUtf8(out, 0x10000 + ((unit - 0xD800) << 10) + (low - 0xDC00));
        return Ok{};
      }
      position_ = back;
    }
    AppendUtf8(out, unit);
    return Ok{};
  }

  Result<uint32_t> TakeHex(size_t digits) {
    uint32_t value = 0;
    for (size_t i = 0; i < digits; ++i, ++position_) {
      static constexpr std::string_view kDigits = "0123456789abcdef";
      char c = Peek();
      if (c >= 'A' && c <= 'F') c = static_cast<char>(c + 32);
      size_t digit = kDigits.find(c);
      if (c == '\0' || digit == std::string_view::npos) return Fail("bad hexadecimal escape");
      value = value << 4 | static_cast<uint32_t>(digit);
    }
    return value;
  }

  Source source_;
  std::string_view text_;
  size_t position_ = 0;
  int braces_ = 0;
  std::vector<Token> tokens_;
};

}  // namespace

Error TemplateError(uint32_t line, std::string_view what, Code code) {
  return Error(code, "chat template line " + std::to_string(line) + ": " + std::string(what));
}

Result<std::vector<Token>> Tokenize(std::string_view source) {
  return Lexer(Preprocess(source)).Run();
}

}  // namespace teetee::model::jinja
