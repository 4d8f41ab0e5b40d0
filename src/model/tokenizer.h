// Text to token ids and back, from the vocabulary in GGUF metadata: SentencePiece-style ("llama":
// scores, byte fallback) and byte-level BPE ("gpt2": merges by rank after a pre-tokenizer). The ids
// equal llama.cpp's, with two exceptions of ours: merging never produces a control token (text must
// not be able to spell one), and a character without byte tokens becomes <unk>. A vocabulary-only
// file of any architecture will do. Immutable once made, thread-safe. Cost O(n log n) in the text.
// Trap: the pre-tokenizers follow the Unicode tables of the PCRE2 library that is linked (10.42:
// Unicode 14).
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "model/config.h"
#include "model/gguf.h"

namespace teetee::model {

enum class TokenType : uint8_t {  // ids as in tokenizer.ggml.token_type
  kUndefined = 0,
  kNormal = 1,
  kUnknown = 2,
  kControl = 3,
  kUserDefined = 4,
  kUnused = 5,
  kByte = 6,
};

struct EncodeOptions {
  bool add_special = true;     // BOS and EOS where the metadata asks for them
  bool parse_special = false;  // control tokens written out in the text become themselves; only for
                               // trusted text (templates)
};

struct DecodeOptions {
  bool with_control = false;        // also the text of control tokens
  bool strip_space_prefix = false;  // drops the space that Encode put before the text (start of a
                                    // text, not of a continuation)
};

// How a family of vocabularies turns a piece of text (without special tokens) into ids. Private to
// this module.
class TextEncoder {
 public:
  virtual ~TextEncoder() = default;
  // Appends to out. `after_special`: the piece stands at the start or behind a special token.
  virtual Status Encode(std::string_view text, bool after_special,
                        std::vector<TokenId>& out) const = 0;
  // The bytes of a token of type kNormal or kByte.
  virtual std::string Bytes(std::string_view token_text, TokenType type) const = 0;
};

// The vocabulary's table.
struct Vocabulary {
  std::vector<std::string> texts;
  std::vector<float> scores;  // empty for BPE
  std::vector<TokenType> types;
  std::optional<TokenId> bos, eos, eot, unk;
  bool add_bos = false;
  bool add_eos = false;
  bool add_space_prefix = false;
};

class Tokenizer {
 public:
  static constexpr size_t kMaxTextBytes = 16u << 20;
  static constexpr size_t kMaxSpecialBytes = 256;  // of a control or user-defined token's text

  // kNotFound: no tokenizer in the file. kUnimplemented: a vocabulary or pre-tokenizer that we do
  // not have, by name.
  static Result<Tokenizer> From(const GgufMetadata& metadata);

  // kResourceExhausted: text beyond kMaxTextBytes, or beyond the bound of the pattern matcher.
  // Invalid UTF-8 is no error: each bad byte is a byte token (SentencePiece) or U+FFFD (BPE).
  Result<std::vector<TokenId>> Encode(std::string_view text, EncodeOptions options = {}) const;
  // Ids outside the vocabulary give nothing. The result need not be valid UTF-8 (a character may be
  // cut).
  std::string Decode(std::span<const TokenId> ids, DecodeOptions options = {}) const;
  // The bytes that a token stands for; for control tokens their written form. REQUIRES id < size().
  std::string PieceBytes(TokenId id) const;

  size_t size() const { return vocabulary_.texts.size(); }
  TokenType type(TokenId id) const { return vocabulary_.types[id]; }  // REQUIRES id < size()
  bool IsControl(TokenId id) const;                                   // control or unknown
  // EOS, EOT, and control tokens with which chat models are known to end a turn (<|im_end|>,
  // <|eot_id|>, ...).
  bool IsEndOfGeneration(TokenId id) const;
  std::optional<TokenId> bos() const { return vocabulary_.bos; }
  std::optional<TokenId> eos() const { return vocabulary_.eos; }
  std::optional<TokenId> Find(
      std::string_view text) const;  // the token of exactly this text, control tokens too
  bool add_bos() const { return vocabulary_.add_bos; }
  const std::optional<std::string>& chat_template() const { return chat_template_; }

 private:
  Tokenizer() = default;
  void IndexSpecials();
  struct Piece {  // of a text: bytes, or one special token
    size_t begin;
    size_t size;
    std::optional<TokenId> token;
  };
  std::vector<Piece> CutAtSpecials(std::string_view text, bool parse_special) const;

  Vocabulary vocabulary_;
  std::unordered_map<std::string, TokenId> by_text_;
  // Special tokens by length, longest first; within one length by text.
  struct SpecialsOfLength {
    size_t length;
    std::unordered_map<std::string, TokenId> tokens;
  };
  std::vector<SpecialsOfLength> specials_;
  std::vector<bool> ends_generation_;
  std::optional<std::string> chat_template_;
  std::unique_ptr<TextEncoder> encoder_;
};

// All `tokenizer.*` metadata (tokens, scores, types, merges, pre-tokenizer, special ids, flags,
// chat templates) in one byte string that depends on nothing else: what the manifest's tokenizer
// hash covers. Layout: docs/formats/manifest.md.
Bytes CanonicalTokenizerBytes(const GgufMetadata& metadata);

}  // namespace teetee::model
