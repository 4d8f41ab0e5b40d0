// Vocabularies and texts. The first byte chooses: a GGUF file as vocabulary, or a text for two
// small built-in vocabularies.
#include <cstdint>
#include <string>

#include "model/gguf_writer.h"
#include "model/tokenizer.h"

using namespace teetee;
using model::GgufFile;
using model::Tokenizer;

namespace {

Tokenizer MakeBuiltIn(const char* family) {
  model::GgufWriter out;
  std::vector<std::string> tokens{"<unk>",    "<s>", "</s>", "a", "b",   "ab", "\xe2\x96\x81",
                                  "\xc4\xa0", "<",   "s",    ">", "aab", "<x>"};
  std::vector<float> scores(tokens.size(), -1);
  std::vector<int32_t> types(tokens.size(), 1);
  types[0] = 2;
  types[1] = types[2] = 3;
  types[12] = 4;
  out.SetString("tokenizer.ggml.model", family).SetStringArray("tokenizer.ggml.tokens", tokens);
  out.SetF32Array("tokenizer.ggml.scores", scores).SetI32Array("tokenizer.ggml.token_type", types);
  out.SetStringArray("tokenizer.ggml.merges", std::vector<std::string>{"a b", "a ab"});
  out.SetString("tokenizer.ggml.pre", "smollm");
  ByteWriter bytes;
  (void)out.Write({}, [&](ByteView piece) -> Status {
    bytes.Raw(piece);
    return Ok{};
  });
  auto file = GgufFile::Parse(bytes.Take());
  return *Tokenizer::From(file->metadata());
}

void Use(const Tokenizer& tokenizer, std::string_view text) {
  for (bool parse : {false, true}) {
    auto ids = tokenizer.Encode(text, {.parse_special = parse});
    if (!ids) continue;
    for (model::TokenId id : *ids) {
      if (id >= tokenizer.size()) __builtin_trap();
    }
    (void)tokenizer.Decode(*ids, {.with_control = true, .strip_space_prefix = true});
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const Tokenizer spm = MakeBuiltIn("llama");
  static const Tokenizer bpe = MakeBuiltIn("gpt2");
  if (size == 0) return 0;
  const std::string_view all(reinterpret_cast<const char*>(data) + 1, size - 1);
  const std::string_view text = all.substr(0, 1024);  // long texts are the unit test's business
  if (data[0] % 2 == 0) {
    Use(spm, text);
    Use(bpe, text);
    return 0;
  }
  auto file = GgufFile::Parse(Bytes(data + 1, data + size));
  if (!file) return 0;
  (void)model::CanonicalTokenizerBytes(file->metadata());
  auto tokenizer = Tokenizer::From(file->metadata());
  if (!tokenizer) return 0;
  for (model::TokenId id = 0; id < tokenizer->size(); ++id) (void)tokenizer->PieceBytes(id);
  Use(*tokenizer, "Hello <s>, w\xc3\xb6rld 42\n \xff");
  return 0;
}
