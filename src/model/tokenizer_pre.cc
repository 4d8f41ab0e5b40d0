#include "model/tokenizer_pre.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include <string>

#include "base/check.h"

namespace teetee::model {
namespace {

// Unicode's White_Space. PCRE2's own \s also takes U+180E, which the other implementations of these
// patterns do not.
#define TT_SPACES \
  "\\t-\\r "      \
  "\\x{85}\\x{a0}\\x{1680}\\x{2000}-\\x{200a}\\x{2028}\\x{2029}\\x{202f}\\x{205f}\\x{3000}"
#define TT_S "[" TT_SPACES "]"
#define TT_NOT_S "[^" TT_SPACES "]"
#define TT_OTHER "[^" TT_SPACES "\\p{L}\\p{N}]"

constexpr const char* kGpt2 = "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?" TT_OTHER "+|" TT_S
                              "+(?!" TT_NOT_S ")|" TT_S "+";
#define TT_CONTRACTIONS "'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD]|"
#define TT_TAIL " ?" TT_OTHER "+[\\r\\n]*|" TT_S "*[\\r\\n]+|" TT_S "+(?!" TT_NOT_S ")|" TT_S "+"
constexpr const char* kLlama3 =
    TT_CONTRACTIONS "[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}|" TT_TAIL;
constexpr const char* kQwen2 = TT_CONTRACTIONS "[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}|" TT_TAIL;
constexpr const char* kDigit = "\\p{N}";
constexpr const char* kFalconPunctuation = "[\\p{P}\\$\\+<=>\\^~\\|`]+";
constexpr const char* kThreeDigits = "[0-9][0-9][0-9]";

struct Recipe {
  std::string_view name;
  std::vector<const char*> patterns;
  bool ignores_merges = false;
  bool adds_bos = false;
};

// Names are those that llama.cpp's converter writes.
const std::vector<Recipe>& Recipes() {
  static const std::vector<Recipe> recipes{
      {"gpt-2", {kGpt2}},
      {"mpt", {kGpt2}},
      {"olmo", {kGpt2}},
      {"smollm", {kDigit, kGpt2}},
      {"starcoder", {kDigit, kGpt2}},
      {"llama-bpe", {kLlama3}, true, true},
      {"llama3", {kLlama3}, true, true},
      {"llama-v3", {kLlama3}, true, true},
      {"qwen2", {kQwen2}},
      {"falcon", {kFalconPunctuation, kGpt2, kThreeDigits}},
  };
  return recipes;
}

constexpr uint32_t kMatchLimit = 100'000'000;

struct MatchData {
  explicit MatchData(const pcre2_code* code)
      : data(pcre2_match_data_create_from_pattern(code, nullptr)),
        context(pcre2_match_context_create(nullptr)) {
    TT_CHECK(data && context);
    pcre2_set_match_limit(context, kMatchLimit);
  }
  ~MatchData() {
    pcre2_match_context_free(context);
    pcre2_match_data_free(data);
  }
  MatchData(const MatchData&) = delete;
  MatchData& operator=(const MatchData&) = delete;
  pcre2_match_data* data;
  pcre2_match_context* context;
};

}  // namespace

class PreTokenizer::Pattern {
 public:
  explicit Pattern(const char* text) {
    int error = 0;
    size_t at = 0;
    code_.reset(pcre2_compile(reinterpret_cast<PCRE2_SPTR>(text), PCRE2_ZERO_TERMINATED,
                              PCRE2_UTF | PCRE2_UCP, &error, &at, nullptr));
    TT_CHECK(code_ != nullptr);  // the patterns are ours
    (void)pcre2_jit_compile(
        code_.get(), PCRE2_JIT_COMPLETE);  // without it the matcher interprets, to the same result
  }

  // Appends the matches in piece, and what lies between them.
  Status Split(std::string_view piece, const MatchData& match,
               std::vector<std::string_view>& out) const {
    size_t done = 0;
    for (size_t at = 0; at < piece.size();) {
      const int found =
          pcre2_match(code_.get(), reinterpret_cast<PCRE2_SPTR>(piece.data()), piece.size(), at,
                      PCRE2_NO_UTF_CHECK, match.data, match.context);
      if (found == PCRE2_ERROR_NOMATCH) break;
      if (found < 0) {
        return Error(Code::kResourceExhausted, "pre-tokenizer: the matcher gave up at offset " +
                                                   std::to_string(at) + " (PCRE2 error " +
                                                   std::to_string(found) + ")");
      }
      const size_t* range = pcre2_get_ovector_pointer(match.data);
      TT_CHECK(range[1] > range[0] && range[0] >= done);  // no pattern matches the empty string
      if (range[0] > done) out.push_back(piece.substr(done, range[0] - done));
      out.push_back(piece.substr(range[0], range[1] - range[0]));
      done = at = range[1];
    }
    if (done < piece.size()) out.push_back(piece.substr(done));
    return Ok{};
  }

  const pcre2_code* code() const { return code_.get(); }

 private:
  struct Free {
    void operator()(pcre2_code* code) const { pcre2_code_free(code); }
  };
  std::unique_ptr<pcre2_code, Free> code_;
};

PreTokenizer::PreTokenizer() = default;
PreTokenizer::~PreTokenizer() = default;
PreTokenizer::PreTokenizer(PreTokenizer&&) noexcept = default;
PreTokenizer& PreTokenizer::operator=(PreTokenizer&&) noexcept = default;

Result<PreTokenizer> PreTokenizer::Make(std::string_view name) {
  for (const Recipe& recipe : Recipes()) {
    if (recipe.name != name) continue;
    PreTokenizer out;
    for (const char* pattern : recipe.patterns) out.patterns_.emplace_back(pattern);
    out.ignores_merges_ = recipe.ignores_merges;
    out.adds_bos_ = recipe.adds_bos;
    return out;
  }
  std::string known;
  for (const Recipe& recipe : Recipes())
    known += (known.empty() ? "" : ", ") + std::string(recipe.name);
  return Error(
      Code::kUnimplemented,
      "metadata key 'tokenizer.ggml.pre': pre-tokenizer not supported (supported: " + known + ")");
}

Result<std::vector<std::string_view>> PreTokenizer::Split(std::string_view text) const {
  std::vector<std::string_view> pieces{text};
  if (text.empty()) pieces.clear();
  for (const Pattern& pattern : patterns_) {
    const MatchData match(pattern.code());
    std::vector<std::string_view> finer;
    finer.reserve(pieces.size());
    for (std::string_view piece : pieces) TT_RETURN_IF_ERROR(pattern.Split(piece, match, finer));
    pieces = std::move(finer);
  }
  return pieces;
}

}  // namespace teetee::model
