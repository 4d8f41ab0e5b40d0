// Pre-tokenizers: the patterns by which byte-level BPE cuts a text into words before merging (PCRE2
// with Unicode properties). Immutable once made, thread-safe.
#pragma once

#include <cstddef>
#include <memory>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace teetee::model {

class PreTokenizer {
 public:
  // By tokenizer.ggml.pre. kUnimplemented: a name that we do not know; cutting by another pattern
  // would give other ids.
  static Result<PreTokenizer> Make(std::string_view name);
  ~PreTokenizer();
  PreTokenizer(PreTokenizer&&) noexcept;
  PreTokenizer& operator=(PreTokenizer&&) noexcept;

  // The words of a text, in order, without gaps. Views into text. REQUIRES valid UTF-8.
  // kResourceExhausted: the matcher's bound was reached.
  Result<std::vector<std::string_view>> Split(std::string_view text) const;
  bool ignores_merges() const { return ignores_merges_; }  // a word that is a token is taken whole
  bool adds_bos() const { return adds_bos_; }              // where the metadata does not say

 private:
  PreTokenizer();
  class Pattern;
  std::vector<Pattern> patterns_;  // each cuts the pieces of the one before
  bool ignores_merges_ = false;
  bool adds_bos_ = false;
};

}  // namespace teetee::model
