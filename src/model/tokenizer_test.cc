#include "model/tokenizer.h"

#include <gtest/gtest.h>

#include <sstream>

#include "base/json.h"
#include "base/testing/sanitizers.h"
#include "model/gguf_writer.h"
#include "model/testing/shared_data.h"
#include "model/testing/tiny_model.h"

namespace teetee::model {
namespace {

using Ids = std::vector<TokenId>;

class Vocab {
 public:
  explicit Vocab(std::string model) : model_(std::move(model)) {}
  Vocab& Add(std::string text, float score = 0, int32_t type = 1) {
    texts_.push_back(std::move(text));
    scores_.push_back(score);
    types_.push_back(type);
    return *this;
  }
  Vocab& Merge(std::string merge) {
    merges_.push_back(std::move(merge));
    return *this;
  }
  GgufWriter extra;  // set more keys here

  Result<Tokenizer> Make() const {
    GgufWriter out = extra;
    out.SetString("tokenizer.ggml.model", model_).SetStringArray("tokenizer.ggml.tokens", texts_);
    out.SetF32Array("tokenizer.ggml.scores", scores_)
        .SetI32Array("tokenizer.ggml.token_type", types_);
    if (model_ == "gpt2") out.SetStringArray("tokenizer.ggml.merges", merges_);
    ByteWriter bytes;
    EXPECT_TRUE(out.Write({}, [&](ByteView piece) -> Status {
      bytes.Raw(piece);
      return Ok{};
    }));
    GgufFile file = *GgufFile::Parse(bytes.Take());
    return Tokenizer::From(file.metadata());
  }

 private:
  std::string model_;
  std::vector<std::string> texts_, merges_;
  std::vector<float> scores_;
  std::vector<int32_t> types_;
};

Vocab SpmVocab() {
  Vocab v("llama");
  v.Add("<unk>", 0, 2).Add("<s>", 0, 3).Add("</s>", 0, 3);
  return v;
}

void ExpectRefused(const Vocab& vocab, std::string_view words) {
  auto made = vocab.Make();
  ASSERT_FALSE(made) << "accepted; expected: " << words;
  EXPECT_NE(made.error().message().find(words), std::string::npos) << made.error().message();
}

TEST(Tokenizer, RefusesBadVocabularies) {
  ExpectRefused(Vocab("bert").Add("a"), "tokenizer.ggml.model");
  ExpectRefused(Vocab("llama"), "0 tokens");
  ExpectRefused(Vocab("llama").Add("a", 0, 9), "unknown type of token 0");
  ExpectRefused(Vocab("llama").Add("a", std::nanf("")), "no number");
  ExpectRefused(Vocab("gpt2").Add("a").Merge("ab"), "entry 0");
  ExpectRefused(SpmVocab().Add(std::string(300, 'x'), 0, 3), "longer than");
  Vocab pre("gpt2");
  pre.Add("a").extra.SetString("tokenizer.ggml.pre", "unheard-of");
  ExpectRefused(pre, "tokenizer.ggml.pre");
  Vocab bos("llama");
  bos.Add("a").extra.SetU32("tokenizer.ggml.bos_token_id", 5);
  ExpectRefused(bos, "bos_token_id");
  Vocab no_bos("gpt2");
  no_bos.Add("a").extra.SetBool("tokenizer.ggml.add_bos_token", true);
  ExpectRefused(no_bos, "without a BOS");
  GgufFile none = *GgufFile::Parse(testing::TinyModel{.tokenizer = false}.Build());
  EXPECT_EQ(Tokenizer::From(none.metadata()).error().code(), Code::kNotFound);
}

TEST(Tokenizer, SpmMergesTheBestScoreAndTheLeftmostOfEquals) {
  Tokenizer t = *SpmVocab()
                     .Add("a", -9)
                     .Add("b", -9)
                     .Add("aa", -2)
                     .Add("ab", -1)
                     .Add("\xe2\x96\x81", -3)
                     .Make();
  EXPECT_EQ(*t.Encode("aab"), (Ids{1, 7, 3, 6}));  // "ab" beats "aa"
  EXPECT_EQ(*t.Encode("aaa"), (Ids{1, 7, 5, 3}));  // leftmost
  EXPECT_EQ(*t.Encode("aab", {.add_special = false}), (Ids{7, 3, 6}));
  EXPECT_EQ(*t.Encode(""), (Ids{1}));
}

TEST(Tokenizer, SpmTextCannotSpellAControlToken) {
  Tokenizer t = *SpmVocab()
                     .Add("\xe2\x96\x81")
                     .Add("<")
                     .Add("/")
                     .Add("s")
                     .Add(">")
                     .Add("</")
                     .Add("</s")
                     .Make();
  EXPECT_EQ(*t.Encode("</s>"), (Ids{1, 3, 9, 7}));
  EXPECT_EQ(*t.Encode("</s>", {.parse_special = true}), (Ids{1, 2}));
}

TEST(Tokenizer, SpmWithoutByteTokensGivesOneUnknownPerRun) {
  Tokenizer t = *SpmVocab().Add("a").Add("\xe2\x96\x81").Make();
  EXPECT_EQ(*t.Encode("a\xc3\xa9\xc3\xa9"
                      "a\xff"),
            (Ids{1, 4, 3, 0, 3, 0}));
}

TEST(Tokenizer, SpmFallsBackToBytesForAnyInput) {
  GgufFile file = *GgufFile::Parse(testing::TinyModel().Build());
  Tokenizer t = *Tokenizer::From(file.metadata());
  const std::string bad = "\xff\xc3 \xe2\x82";
  Ids ids = *t.Encode(bad);
  EXPECT_EQ(ids[0], 1u);
  EXPECT_EQ(
      t.Decode(ids),
      "\xe2\x96\x81" + std::string("\xff\xc3\xe2\x96\x81\xe2\x82"));  // no token for the space
}

TEST(Tokenizer, UserDefinedTokensAreAlwaysCutOutLongestFirst) {
  Vocab v("gpt2");
  v.Add("a").Add("<x>", 0, 4).Add("<x><y>", 0, 4).Add("<|c|>", 0, 3);
  for (char c : std::string("<>|cxy")) v.Add(std::string(1, c));
  Tokenizer t = *v.Make();
  EXPECT_EQ(*t.Encode("a<x>a<x><y>"), (Ids{0, 1, 0, 2}));
  EXPECT_EQ(*t.Encode("<|c|>"), (Ids{4, 6, 7, 6, 5}));
  EXPECT_EQ(*t.Encode("<|c|>", {.parse_special = true}), (Ids{3}));
  EXPECT_EQ(t.Decode(Ids{0, 3, 1}), "a<x>");
  EXPECT_EQ(t.Decode(Ids{0, 3, 1}, {.with_control = true}), "a<|c|><x>");
}

TEST(Tokenizer, BpeMergesByRank) {
  Vocab v("gpt2");
  v.Add("a").Add("b").Add("c").Add("bc").Add("ab").Add("\xc4\xa0").Merge("b c").Merge("a b");
  Tokenizer t = *v.Make();
  EXPECT_EQ(*t.Encode("abc"), (Ids{0, 3}));
  EXPECT_EQ(*t.Encode("ab ab"), (Ids{4, 5, 4}));
  EXPECT_EQ(t.Decode(*t.Encode("ab ab")), "ab ab");
}

TEST(Tokenizer, BpeTreatsBadUtf8AsReplacementCharacters) {
  TEETEE_NEEDS_SHARED("tokenizers/ggml-vocab-gpt-2.gguf");
  GgufFile file = *GgufFile::Open(testing::SharedPath("tokenizers/ggml-vocab-gpt-2.gguf"));
  Tokenizer t = *Tokenizer::From(file.metadata());
  for (const char* bad :
       {"\xff", "\xc3", "\xe2\x82", "\xc0\x80", "\xed\xa0\x80", "\xf5\x80\x80\x80", "a\x80z"}) {
    std::string repaired;
    for (const char* c = bad; *c; ++c)
      repaired += static_cast<unsigned char>(*c) < 0x80 ? std::string(1, *c) : "\xef\xbf\xbd";
    EXPECT_EQ(*t.Encode(bad), *t.Encode(repaired));
  }
}

TEST(Tokenizer, LargeTextsDoNotBlowUp) {
  TEETEE_NEEDS_SHARED("tokenizers/ggml-vocab-gpt-2.gguf");
  constexpr size_t kSize = kSanitized ? 1u << 17 : 1u << 20;
  for (const char* name : {"gpt-2", "llama-spm"}) {
    GgufFile file = *GgufFile::Open(
        testing::SharedPath("tokenizers/ggml-vocab-" + std::string(name) + ".gguf"));
    Tokenizer t = *Tokenizer::From(file.metadata());
    for (const char* unit : {"a", " ", "\n", "9", "!", "ab", " \n", "\xe4\xb8\xad"}) {
      std::string text;
      while (text.size() < kSize) text += unit;
      auto ids = t.Encode(text, {.add_special = false});  // quadratic would take hours
      ASSERT_TRUE(ids) << ids.error().message();
      EXPECT_EQ(t.Decode(*ids, {.strip_space_prefix = true}), text);
    }
  }
  GgufFile file = *GgufFile::Parse(testing::TinyModel().Build());
  EXPECT_EQ(Tokenizer::From(file.metadata())
                ->Encode(std::string(Tokenizer::kMaxTextBytes + 1, 'a'))
                .error()
                .code(),
            Code::kResourceExhausted);
}

std::vector<std::string> SplitBy(std::string_view text, std::string_view separator) {
  std::vector<std::string> out;
  for (;;) {
    const size_t at = text.find(separator);
    out.emplace_back(text.substr(0, at));
    if (at == std::string_view::npos) return out;
    text.remove_prefix(at + separator.size());
  }
}

Ids ParseIds(const std::string& line) {
  std::istringstream in(line);
  Ids out;
  for (TokenId id; in >> id;) out.push_back(id);
  return out;
}

class Published : public ::testing::TestWithParam<const char*> {};

TEST_P(Published, VocabularyGivesExactlyTheExpectedIds) {
  const std::string base = "tokenizers/ggml-vocab-" + std::string(GetParam()) + ".gguf";
  TEETEE_NEEDS_SHARED(base);
  GgufFile file = *GgufFile::Open(testing::SharedPath(base));
  auto t = Tokenizer::From(file.metadata());
  ASSERT_TRUE(t) << t.error().message();
  const auto in = *ReadFile(testing::SharedPath(base + ".inp"));
  const auto out = *ReadFile(testing::SharedPath(base + ".out"));
  const std::vector<std::string> texts = SplitBy(AsText(in), "\n__ggml_vocab_test__\n");
  const std::vector<std::string> lines = SplitBy(AsText(out), "\n");
  ASSERT_GE(lines.size(), texts.size());
  ASSERT_GE(texts.size(), 40u);
  for (size_t i = 0; i < texts.size(); ++i) {
    const Ids ids = *t->Encode(texts[i], {.add_special = false});
    EXPECT_EQ(ids, ParseIds(lines[i])) << "text " << i;
    EXPECT_EQ(t->Decode(ids, {.strip_space_prefix = true}), texts[i]) << "text " << i;
  }
}

INSTANTIATE_TEST_SUITE_P(Tokenizer, Published,
                         ::testing::Values("llama-spm", "gpt-2", "mpt", "falcon"));

TEST(Tokenizer, PromptsOfTheGoldenFile) {
  TEETEE_NEEDS_SHARED("models/golden.json");
  const Bytes text = *ReadFile(testing::SharedPath("models/golden.json"));
  const Json golden = *Json::Parse(AsText(text));
  for (const auto& [name, path] : std::vector<std::pair<std::string, std::string>>{
           {"stories260K", "models/stories260k/stories260K-f32.gguf"},
           {"TinyStories-656K", "models/tinystories-656k/TinyStories-656K-f32.gguf"}}) {
    GgufFile file = *GgufFile::Open(testing::SharedPath(path));
    Tokenizer t = *Tokenizer::From(file.metadata());
    for (const Json& sample : (*golden.GetArray(name))->as_array()) {
      Ids wanted, generated;
      for (const Json& id : (*sample.GetArray("prompt_ids"))->as_array())
        wanted.push_back(static_cast<TokenId>(*id.ToUint64()));
      for (const Json& id : (*sample.GetArray("greedy_ids"))->as_array())
        generated.push_back(static_cast<TokenId>(*id.ToUint64()));
      EXPECT_EQ(*t.Encode(*sample.GetString("prompt")), wanted);
      EXPECT_EQ(t.Decode(generated), *sample.GetString("text"));
    }
  }
}

TEST(Tokenizer, CanonicalBytesCoverEveryTokenizerKeyAndNothingElse) {
  testing::TinyModel tiny;
  auto bytes = [](const testing::TinyModel& model) {
    GgufFile file = *GgufFile::Parse(model.Build());
    return CanonicalTokenizerBytes(file.metadata());
  };
  const Bytes base = bytes(tiny);
  testing::TinyModel other = tiny;
  other.u32["llama.context_length"] = 128;
  EXPECT_EQ(bytes(other), base);
  other = tiny;
  other.u32["tokenizer.ggml.eos_token_id"] = 0;
  EXPECT_NE(bytes(other), base);
  other = tiny;
  other.text["tokenizer.chat_template"] = "x";
  EXPECT_NE(bytes(other), base);
}

}  // namespace
}  // namespace teetee::model
