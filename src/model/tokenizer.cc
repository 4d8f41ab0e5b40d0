#include "model/tokenizer.h"

#include <algorithm>

#include "base/check.h"
#include "model/tokenizer_encoders.h"
#include "model/tokenizer_pre.h"

namespace teetee::model {
namespace {

constexpr const char* kTokens = "tokenizer.ggml.tokens";
constexpr const char* kTypes = "tokenizer.ggml.token_type";
constexpr const char* kScores = "tokenizer.ggml.scores";

Error Bad(std::string_view key, std::string what) {
  return Error(Code::kInvalidArgument,
               "metadata key '" + std::string(key) + "': " + std::move(what));
}

Result<std::optional<TokenId>> ReadId(const GgufMetadata& metadata, const std::string& name,
                                      size_t size, std::optional<TokenId> otherwise) {
  const std::string key = "tokenizer.ggml." + name;
  if (!metadata.Has(key))
    return otherwise && *otherwise < size ? otherwise : std::optional<TokenId>();
  const uint32_t id = TT_TRY(metadata.GetU32(key));
  if (id >= size)
    return Bad(key, std::to_string(id) + ", beyond the " + std::to_string(size) + " tokens");
  return std::optional<TokenId>(id);
}

Status ReadTypes(const GgufMetadata& metadata, Vocabulary& out) {
  out.types.assign(out.texts.size(), TokenType::kNormal);
  if (!metadata.Has(kTypes)) return Ok{};
  const std::vector<int64_t> types = TT_TRY(metadata.GetI64Array(kTypes));
  if (types.size() != out.texts.size()) {
    return Bad(kTypes, std::to_string(types.size()) + " types for " +
                           std::to_string(out.texts.size()) + " tokens");
  }
  for (size_t i = 0; i < types.size(); ++i) {
    if (types[i] < 0 || types[i] > 6)
      return Bad(kTypes, "unknown type of token " + std::to_string(i));
    out.types[i] = static_cast<TokenType>(types[i]);
  }
  return Ok{};
}

Status ReadTokens(const GgufMetadata& metadata, Vocabulary& out) {
  const std::vector<std::string_view> texts = TT_TRY(metadata.GetStringArray(kTokens));
  if (texts.empty() || texts.size() > ConfigLimits::kMaxVocab) {
    return Bad(kTokens, std::to_string(texts.size()) + " tokens, wanted 1 to " +
                            std::to_string(ConfigLimits::kMaxVocab));
  }
  out.texts.assign(texts.begin(), texts.end());
  if (metadata.Has(kScores)) out.scores = TT_TRY(metadata.GetF32Array(kScores));
  return ReadTypes(metadata, out);
}

// Where the metadata is silent the defaults are llama.cpp's.
Status ReadFlags(const GgufMetadata& metadata, bool is_spm, bool add_bos, Vocabulary& out) {
  using Id = std::optional<TokenId>;
  const size_t size = out.texts.size();
  out.bos = TT_TRY(ReadId(metadata, "bos_token_id", size, is_spm ? Id(1) : Id()));
  out.eos = TT_TRY(ReadId(metadata, "eos_token_id", size, is_spm ? Id(2) : Id()));
  out.eot = TT_TRY(ReadId(metadata, "eot_token_id", size, Id()));
  out.unk = TT_TRY(ReadId(metadata, "unknown_token_id", size, is_spm ? Id(0) : Id()));
  out.add_bos =
      TT_TRY(metadata.GetBoolOr("tokenizer.ggml.add_bos_token", add_bos && out.bos.has_value()));
  out.add_eos = TT_TRY(metadata.GetBoolOr("tokenizer.ggml.add_eos_token", false));
  out.add_space_prefix = TT_TRY(metadata.GetBoolOr("tokenizer.ggml.add_space_prefix", is_spm));
  if (out.add_bos && !out.bos)
    return Bad("tokenizer.ggml.add_bos_token", "true without a BOS token");
  if (out.add_eos && !out.eos)
    return Bad("tokenizer.ggml.add_eos_token", "true without an EOS token");
  return Ok{};
}

Result<std::unique_ptr<TextEncoder>> ReadSpm(const GgufMetadata& metadata, Vocabulary& vocabulary) {
  TT_RETURN_IF_ERROR(ReadFlags(metadata, true, true, vocabulary));
  return MakeSpmEncoder(vocabulary);
}

Result<std::unique_ptr<TextEncoder>> ReadBpe(const GgufMetadata& metadata, Vocabulary& vocabulary) {
  const std::string pre = TT_TRY(metadata.GetStringOr("tokenizer.ggml.pre", "gpt-2"));
  const bool adds_bos = TT_TRY(PreTokenizer::Make(pre)).adds_bos();
  TT_RETURN_IF_ERROR(ReadFlags(metadata, false, adds_bos, vocabulary));
  const std::vector<std::string_view> merges =
      TT_TRY(metadata.GetStringArray("tokenizer.ggml.merges"));
  return MakeBpeEncoder(vocabulary, merges, pre);
}

bool IsSpecial(TokenType type) {
  return type == TokenType::kControl || type == TokenType::kUnknown ||
         type == TokenType::kUserDefined;
}

bool EndsTurn(std::string_view text) {
  for (std::string_view end : {"<|im_end|>", "<|eot_id|>", "<|eom_id|>", "<|end|>", "<|endoftext|>",
                               "<|end_of_text|>", "<end_of_turn>", "<|end_of_turn|>"}) {
    if (text == end) return true;
  }
  return false;
}

}  // namespace

Result<Tokenizer> Tokenizer::From(const GgufMetadata& metadata) {
  Tokenizer out;
  const std::string model = TT_TRY(metadata.GetString("tokenizer.ggml.model"));
  if (model != "llama" && model != "gpt2") {
    return Error(Code::kUnimplemented,
                 "metadata key 'tokenizer.ggml.model': not supported (supported: llama, gpt2)");
  }
  Vocabulary& vocabulary = out.vocabulary_;
  TT_RETURN_IF_ERROR(ReadTokens(metadata, vocabulary));
  out.encoder_ =
      TT_TRY(model == "llama" ? ReadSpm(metadata, vocabulary) : ReadBpe(metadata, vocabulary));
  for (TokenId id = 0; id < vocabulary.texts.size(); ++id) out.by_text_[vocabulary.texts[id]] = id;
  for (TokenId id = 0; id < vocabulary.texts.size(); ++id) {
    if (IsSpecial(vocabulary.types[id]) && vocabulary.texts[id].size() > kMaxSpecialBytes) {
      return Bad(kTokens, "special token " + std::to_string(id) + " is longer than " +
                              std::to_string(kMaxSpecialBytes) + " bytes");
    }
  }
  out.IndexSpecials();
  if (metadata.Has("tokenizer.chat_template")) {
    out.chat_template_ = TT_TRY(metadata.GetString("tokenizer.chat_template"));
  }
  return out;
}

void Tokenizer::IndexSpecials() {
  ends_generation_.assign(size(), false);
  for (TokenId id = 0; id < size(); ++id) {
    const std::string& text = vocabulary_.texts[id];
    ends_generation_[id] = id == vocabulary_.eos || id == vocabulary_.eot ||
                           (vocabulary_.types[id] == TokenType::kControl && EndsTurn(text));
    if (text.empty() || !IsSpecial(vocabulary_.types[id])) continue;
    auto it = std::find_if(specials_.begin(), specials_.end(),
                           [&](const SpecialsOfLength& s) { return s.length == text.size(); });
    if (it == specials_.end()) it = specials_.insert(it, {text.size(), {}});
    it->tokens[text] = id;
  }
  std::sort(
      specials_.begin(), specials_.end(),
      [](const SpecialsOfLength& a, const SpecialsOfLength& b) { return a.length > b.length; });
}

// Longest first, and from the left among equals. User-defined tokens always count, control tokens
// on request.
std::vector<Tokenizer::Piece> Tokenizer::CutAtSpecials(std::string_view text,
                                                       bool parse_special) const {
  std::vector<Piece> pieces;
  if (!text.empty()) pieces.push_back({0, text.size(), std::nullopt});
  for (const SpecialsOfLength& specials : specials_) {
    bool begins[256] = {};
    for (const auto& [special, id] : specials.tokens) {
      if (parse_special || !IsControl(id)) begins[static_cast<unsigned char>(special[0])] = true;
    }
    std::vector<Piece> finer;
    for (const Piece& piece : pieces) {
      size_t done = piece.begin;
      const size_t end = piece.begin + piece.size;
      for (size_t at = done; !piece.token && at + specials.length <= end;) {
        if (!begins[static_cast<unsigned char>(text[at])]) {
          ++at;
          continue;
        }
        auto it = specials.tokens.find(std::string(text.substr(at, specials.length)));
        if (it == specials.tokens.end() || (!parse_special && IsControl(it->second))) {
          ++at;
          continue;
        }
        if (at > done) finer.push_back({done, at - done, std::nullopt});
        finer.push_back({at, specials.length, it->second});
        done = at = at + specials.length;
      }
      if (done < end) finer.push_back({done, end - done, piece.token});
    }
    pieces = std::move(finer);
  }
  return pieces;
}

Result<std::vector<TokenId>> Tokenizer::Encode(std::string_view text, EncodeOptions options) const {
  if (text.size() > kMaxTextBytes) {
    return Error(Code::kResourceExhausted, "text of " + std::to_string(text.size()) +
                                               " bytes, limit " + std::to_string(kMaxTextBytes));
  }
  std::vector<TokenId> out;
  if (options.add_special && vocabulary_.add_bos) out.push_back(*vocabulary_.bos);
  bool after_special = true;
  for (const Piece& piece : CutAtSpecials(text, options.parse_special)) {
    if (piece.token) {
      out.push_back(*piece.token);
    } else {
      TT_RETURN_IF_ERROR(
          encoder_->Encode(text.substr(piece.begin, piece.size), after_special, out));
    }
    after_special = piece.token.has_value();
  }
  if (options.add_special && vocabulary_.add_eos) out.push_back(*vocabulary_.eos);
  return out;
}

std::string Tokenizer::Decode(std::span<const TokenId> ids, DecodeOptions options) const {
  std::string out;
  for (TokenId id : ids) {
    if (id >= size() || (IsControl(id) && !options.with_control)) continue;
    out += PieceBytes(id);
  }
  const bool strip =
      options.strip_space_prefix && vocabulary_.add_space_prefix && !out.empty() && out[0] == ' ';
  return strip ? out.substr(1) : out;
}

std::string Tokenizer::PieceBytes(TokenId id) const {
  TT_CHECK(id < size());
  const TokenType type = vocabulary_.types[id];
  if (IsSpecial(type)) return vocabulary_.texts[id];
  return encoder_->Bytes(vocabulary_.texts[id], type);
}

bool Tokenizer::IsControl(TokenId id) const {
  const TokenType type = vocabulary_.types[id];
  return type == TokenType::kControl || type == TokenType::kUnknown;
}

bool Tokenizer::IsEndOfGeneration(TokenId id) const { return id < size() && ends_generation_[id]; }

std::optional<TokenId> Tokenizer::Find(std::string_view text) const {
  auto it = by_text_.find(std::string(text));
  if (it == by_text_.end()) return std::nullopt;
  return it->second;
}

Bytes CanonicalTokenizerBytes(const GgufMetadata& metadata) {
  std::vector<const GgufMetadata::Entry*> entries;
  for (const auto& entry : metadata.entries()) {
    if (entry.key.starts_with("tokenizer.")) entries.push_back(&entry);
  }
  std::sort(entries.begin(), entries.end(), [](auto* a, auto* b) { return a->key < b->key; });
  ByteWriter out;
  out.Raw("teetee tokenizer v1\n").U64Le(entries.size());
  for (const auto* entry : entries) {
    out.U64Le(entry->key.size()).Raw(entry->key).U32Le(static_cast<uint32_t>(entry->type));
    out.U32Le(static_cast<uint32_t>(entry->element_type)).U64Le(entry->count).U64Le(entry->size);
    out.Raw(metadata.EncodedValue(*entry));
  }
  return out.Take();
}

}  // namespace teetee::model
