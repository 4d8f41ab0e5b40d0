// Byte-level BPE: words of the pre-tokenizer, bytes written as printable characters, merged by
// rank. Source: GPT-2's encoder, and llama.cpp's llm_tokenizer_bpe for what it leaves open.
#include <array>

#include "model/tokenizer_encoders.h"
#include "model/tokenizer_merge.h"
#include "model/tokenizer_pre.h"

namespace teetee::model {
namespace {

constexpr uint32_t kReplacement = 0xfffd;

void AppendUtf8(std::string& out, uint32_t c) {
  auto byte = [&](uint32_t v) { out += static_cast<char>(v); };
  if (c < 0x80) {
    byte(c);
  } else if (c < 0x800) {
    byte(0xc0 | c >> 6), byte(0x80 | (c & 0x3f));
  } else if (c < 0x10000) {
    byte(0xe0 | c >> 12), byte(0x80 | (c >> 6 & 0x3f)), byte(0x80 | (c & 0x3f));
  } else {
    byte(0xf0 | c >> 18), byte(0x80 | (c >> 12 & 0x3f)), byte(0x80 | (c >> 6 & 0x3f)),
        byte(0x80 | (c & 0x3f));
  }
}

struct Char {
  uint32_t value;
  size_t size;
  bool valid;
};

// The character at the front of a text that is not empty (RFC 3629); a bad byte counts alone.
Char NextChar(std::string_view text) {
  const Char bad{kReplacement, 1, false};
  const auto lead = static_cast<unsigned char>(text[0]);
  if (lead < 0x80) return {lead, 1, true};
  const size_t size = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  if (lead < 0xc2 || lead > 0xf4 || text.size() < size) return bad;
  uint32_t value = lead & (0xffu >> (size + 1));
  for (size_t i = 1; i < size; ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    if ((c & 0xc0) != 0x80) return bad;
    value = value << 6 | (c & 0x3fu);
  }
  static constexpr uint32_t kLeast[] = {0, 0, 0x80, 0x800, 0x10000};
  if (value < kLeast[size] || value > 0x10ffff || (value >= 0xd800 && value <= 0xdfff)) return bad;
  return {value, size, true};
}

std::string Sanitise(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const Char c = NextChar(text);
    AppendUtf8(out, c.value);
    text.remove_prefix(c.size);
  }
  return out;
}

// GPT-2's table: printable Latin-1 stands for itself, the other bytes for the characters from
// U+0100 on.
std::array<uint32_t, 256> ByteChars() {
  std::array<uint32_t, 256> out;
  uint32_t next = 256;
  for (uint32_t b = 0; b < 256; ++b) {
    const bool printable = (b >= 33 && b <= 126) || (b >= 161 && b <= 172) || b >= 174;
    out[b] = printable ? b : next++;
  }
  return out;
}

class BpeEncoder final : public TextEncoder {
 public:
  explicit BpeEncoder(PreTokenizer pre) : pre_(std::move(pre)) {
    const auto chars = ByteChars();
    for (uint32_t b = 0; b < 256; ++b) {
      byte_of_char_[chars[b]] = static_cast<char>(b);
      std::string text;
      AppendUtf8(text, chars[b]);
      byte_texts_[b] = std::move(text);
    }
  }

  void AddTokens(const Vocabulary& vocabulary) {
    for (TokenId id = 0; id < vocabulary.texts.size(); ++id) {
      if (vocabulary.texts[id].empty() || !MayComeFromText(vocabulary.types[id])) continue;
      token_of_piece_[Intern(vocabulary.texts[id])] = id;
    }
    for (uint32_t b = 0; b < 256; ++b) byte_pieces_[b] = Intern(byte_texts_[b]);
  }

  // REQUIRES AddTokens was called.
  Status AddMerges(const std::vector<std::string_view>& merges) {
    merges_.reserve(merges.size());
    for (size_t rank = 0; rank < merges.size(); ++rank) {
      const std::string_view merge = merges[rank];
      const size_t space = merge.find(' ', 1);  // a piece may begin with a space
      if (space == std::string_view::npos || space + 1 == merge.size()) {
        return Error(Code::kInvalidArgument, "metadata key 'tokenizer.ggml.merges': entry " +
                                                 std::to_string(rank) + " is not two pieces");
      }
      const std::string left(merge.substr(0, space)), right(merge.substr(space + 1));
      const uint32_t result = Intern(left + right);
      merges_.try_emplace(PairOf(Intern(left), Intern(right)),
                          Merge{static_cast<double>(rank), result});
    }
    return Ok{};
  }

  Status Encode(std::string_view text, bool, std::vector<TokenId>& out) const override {
    const std::string valid = Sanitise(text);
    const std::vector<std::string_view> words = TT_TRY(pre_.Split(valid));
    std::vector<MergeSymbol> symbols;
    for (std::string_view word : words) EncodeWord(word, symbols, out);
    return Ok{};
  }

  std::string Bytes(std::string_view text, TokenType type) const override {
    if (type != TokenType::kNormal) return std::string(text);
    std::string out;
    while (!text.empty()) {
      const Char c = NextChar(text);
      auto it = c.valid ? byte_of_char_.find(c.value) : byte_of_char_.end();
      if (it != byte_of_char_.end()) {
        out += it->second;
      } else {
        out += text.substr(0, c.size);  // not of the table: it stands for itself
      }
      text.remove_prefix(c.size);
    }
    return out;
  }

 private:
  static uint64_t PairOf(uint32_t left, uint32_t right) { return uint64_t{left} << 32 | right; }

  uint32_t Intern(const std::string& text) {
    auto [it, added] = pieces_.try_emplace(text, static_cast<uint32_t>(piece_texts_.size()));
    if (added) {
      piece_texts_.push_back(text);
      token_of_piece_.emplace_back();
    }
    return it->second;
  }

  void EncodeWord(std::string_view word, std::vector<MergeSymbol>& symbols,
                  std::vector<TokenId>& out) const {
    if (pre_.ignores_merges() && EmitWhole(word, out)) return;
    symbols.clear();
    for (size_t i = 0; i < word.size(); ++i) {
      const uint32_t piece = byte_pieces_[static_cast<unsigned char>(word[i])];
      symbols.push_back({static_cast<uint32_t>(i), 1, piece, -1, -1});
    }
    LinkSymbols(symbols);
    MergeSymbols(symbols, [&](const MergeSymbol& a, const MergeSymbol& b) -> std::optional<Merge> {
      auto it = merges_.find(PairOf(a.piece, b.piece));
      if (it == merges_.end()) return std::nullopt;
      return it->second;
    });
    for (int32_t i = symbols.empty() ? -1 : 0; i >= 0; i = symbols[static_cast<size_t>(i)].next) {
      Emit(symbols[static_cast<size_t>(i)].piece, out);
    }
  }

  bool EmitWhole(std::string_view word, std::vector<TokenId>& out) const {
    std::string text;
    for (char c : word) text += byte_texts_[static_cast<unsigned char>(c)];
    auto it = pieces_.find(text);
    if (it == pieces_.end() || !token_of_piece_[it->second]) return false;
    out.push_back(*token_of_piece_[it->second]);
    return true;
  }

  // A piece that is no token gives the tokens of its characters; a character that is none gives
  // nothing, as in llama.cpp.
  void Emit(uint32_t piece, std::vector<TokenId>& out) const {
    if (token_of_piece_[piece]) {
      out.push_back(*token_of_piece_[piece]);
      return;
    }
    for (std::string_view text = piece_texts_[piece]; !text.empty();) {
      const size_t size = NextChar(text).size;
      auto it = pieces_.find(std::string(text.substr(0, size)));
      if (it != pieces_.end() && token_of_piece_[it->second])
        out.push_back(*token_of_piece_[it->second]);
      text.remove_prefix(size);
    }
  }

  PreTokenizer pre_;
  std::unordered_map<std::string, uint32_t>
      pieces_;  // tokens, single bytes, and what merges name besides
  std::vector<std::string> piece_texts_;
  std::vector<std::optional<TokenId>> token_of_piece_;
  std::unordered_map<uint64_t, Merge> merges_;
  std::array<uint32_t, 256> byte_pieces_{};
  std::array<std::string, 256> byte_texts_;
  std::unordered_map<uint32_t, char> byte_of_char_;
};

}  // namespace

Result<std::unique_ptr<TextEncoder>> MakeBpeEncoder(const Vocabulary& vocabulary,
                                                    const std::vector<std::string_view>& merges,
                                                    std::string_view pre) {
  auto encoder = std::make_unique<BpeEncoder>(TT_TRY(PreTokenizer::Make(pre)));
  encoder->AddTokens(vocabulary);
  TT_RETURN_IF_ERROR(encoder->AddMerges(merges));
  return std::unique_ptr<TextEncoder>(std::move(encoder));
}

}  // namespace teetee::model
