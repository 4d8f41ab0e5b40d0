// SentencePiece-style vocabularies: characters are merged by the score of what they give; what
// stays unknown falls back to byte tokens. Source: sentencepiece's BPE model, and llama.cpp's
// llm_tokenizer_spm for what it leaves open.
#include <algorithm>
#include <array>
#include <cmath>

#include "model/tokenizer_encoders.h"
#include "model/tokenizer_merge.h"

namespace teetee::model {
namespace {

constexpr std::string_view kSpace = "\xe2\x96\x81";  // U+2581, which stands for a space

// By the lead byte alone, as sentencepiece does: bad bytes become symbols of their own and end as
// byte tokens.
size_t CharBytes(char lead) {
  static constexpr uint8_t kByHighNibble[16] = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 2, 2, 3, 4};
  return kByHighNibble[static_cast<unsigned char>(lead) >> 4];
}

std::string EscapeSpaces(std::string_view text) {
  std::string out;
  out.reserve(text.size() + text.size() / 2);
  for (char c : text) {
    if (c == ' ') {
      out += kSpace;
    } else {
      out += c;
    }
  }
  return out;
}

std::string UnescapeSpaces(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    if (text.substr(0, kSpace.size()) == kSpace) {
      out += ' ';
      text.remove_prefix(kSpace.size());
    } else {
      out += text[0];
      text.remove_prefix(1);
    }
  }
  return out;
}

// The byte of "<0x0A>", or -1.
int ByteOfToken(std::string_view text) {
  if (text.size() != 6 || text.substr(0, 3) != "<0x" || text[5] != '>') return -1;
  int value = 0;
  for (char c : text.substr(3, 2)) {
    const bool digit = c >= '0' && c <= '9';
    if (!digit && !(c >= 'A' && c <= 'F')) return -1;
    value = value * 16 + (digit ? c - '0' : c - 'A' + 10);
  }
  return value;
}

class SpmEncoder final : public TextEncoder {
 public:
  explicit SpmEncoder(const Vocabulary& vocabulary)
      : scores_(vocabulary.scores),
        unk_(vocabulary.unk),
        add_space_prefix_(vocabulary.add_space_prefix) {
    bytes_.fill(kNone);
    pieces_.max_load_factor(0.5f);
    pieces_.reserve(vocabulary.texts.size());
    texts_ = vocabulary.texts;
    for (TokenId id = 0; id < vocabulary.texts.size(); ++id) {
      const std::string_view text = texts_[id];
      if (text.empty() || !MayComeFromText(vocabulary.types[id])) continue;
      pieces_[text] = id;
      spaces_only_lead_ = spaces_only_lead_ && WordBytes(text) == text.size();
      longest_ = std::max(longest_, text.size());
      if (int byte = ByteOfToken(text); byte >= 0) bytes_[static_cast<size_t>(byte)] = id;
    }
  }

  Status Encode(std::string_view text, bool after_special,
                std::vector<TokenId>& out) const override {
    std::string escaped = EscapeSpaces(text);
    if (add_space_prefix_ && after_special) escaped.insert(0, kSpace);
    std::vector<MergeSymbol> symbols;
    bool after_unknown = false;
    for (std::string_view rest = escaped; !rest.empty();) {
      const size_t size = spaces_only_lead_ ? WordBytes(rest) : rest.size();
      EncodeWord(rest.substr(0, size), symbols, after_unknown, out);
      rest.remove_prefix(size);
    }
    return Ok{};
  }

  std::string Bytes(std::string_view text, TokenType type) const override {
    if (type == TokenType::kByte) {
      const int byte = ByteOfToken(text);
      return byte < 0 ? std::string() : std::string(1, static_cast<char>(byte));
    }
    return UnescapeSpaces(text);
  }

 private:
  static constexpr TokenId kNone = ~TokenId{0};

  // Bytes up to the next space that follows something else.
  static size_t WordBytes(std::string_view text) {
    size_t at = 0;
    while (text.substr(at, kSpace.size()) == kSpace) at += kSpace.size();
    return std::min(text.find(kSpace, at), text.size());
  }

  void EncodeWord(std::string_view word, std::vector<MergeSymbol>& symbols, bool& after_unknown,
                  std::vector<TokenId>& out) const {
    Split(word, symbols);
    LinkSymbols(symbols);
    MergeSymbols(symbols, [&](const MergeSymbol& a, const MergeSymbol& b) {
      return Lookup(word.substr(a.begin, a.size + b.size));
    });
    for (int32_t i = symbols.empty() ? -1 : 0; i >= 0; i = symbols[static_cast<size_t>(i)].next) {
      const MergeSymbol& s = symbols[static_cast<size_t>(i)];
      after_unknown = Emit(word.substr(s.begin, s.size), after_unknown, out);
    }
  }

  static void Split(std::string_view text, std::vector<MergeSymbol>& out) {
    out.clear();
    for (size_t at = 0; at < text.size();) {
      const size_t size = std::min(CharBytes(text[at]), text.size() - at);
      out.push_back({static_cast<uint32_t>(at), static_cast<uint32_t>(size), 0, -1, -1});
      at += size;
    }
  }

  std::optional<Merge> Lookup(std::string_view text) const {
    if (text.size() > longest_) return std::nullopt;
    auto it = pieces_.find(text);
    if (it == pieces_.end()) return std::nullopt;
    return Merge{-double{scores_[it->second]}, it->second};
  }

  // Appends the token of a symbol; else its bytes; else one <unk> for each run of unknown symbols.
  // True if it was unknown.
  bool Emit(std::string_view symbol, bool after_unknown, std::vector<TokenId>& out) const {
    if (auto it = pieces_.find(symbol); it != pieces_.end()) {
      out.push_back(it->second);
      return false;
    }
    auto token = [&](char c) { return bytes_[static_cast<unsigned char>(c)]; };
    if (std::all_of(symbol.begin(), symbol.end(), [&](char c) { return token(c) != kNone; })) {
      for (char c : symbol) out.push_back(token(c));
      return false;
    }
    if (unk_ && !after_unknown) out.push_back(*unk_);
    return true;
  }

  std::vector<std::string> texts_;
  std::unordered_map<std::string_view, TokenId> pieces_;  // views into texts_
  std::vector<float> scores_;
  std::array<TokenId, 256> bytes_;
  std::optional<TokenId> unk_;
  size_t longest_ = 0;
  // No token has a space behind another character, so no merge crosses the start of a word and
  // words merge apart, as is the rule in such vocabularies; otherwise the whole text is one word.
  bool spaces_only_lead_ = true;
  bool add_space_prefix_;
};

}  // namespace

Result<std::unique_ptr<TextEncoder>> MakeSpmEncoder(const Vocabulary& vocabulary) {
  if (vocabulary.scores.size() != vocabulary.texts.size()) {
    return Error(
        Code::kInvalidArgument,
        "metadata key 'tokenizer.ggml.scores': " + std::to_string(vocabulary.scores.size()) +
            " scores for " + std::to_string(vocabulary.texts.size()) + " tokens");
  }
  if (std::any_of(vocabulary.scores.begin(), vocabulary.scores.end(),
                  [](float s) { return std::isnan(s); })) {
    return Error(Code::kInvalidArgument,
                 "metadata key 'tokenizer.ggml.scores': a score that is no number");
  }
  return std::unique_ptr<TextEncoder>(std::make_unique<SpmEncoder>(vocabulary));
}

}  // namespace teetee::model
