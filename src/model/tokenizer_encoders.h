// The two families of vocabularies behind Tokenizer (private to this module).
#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "model/tokenizer.h"

namespace teetee::model {

// Control and unknown tokens are never the result of merging text.
inline bool MayComeFromText(TokenType type) {
  return type != TokenType::kControl && type != TokenType::kUnknown;
}

Result<std::unique_ptr<TextEncoder>> MakeSpmEncoder(const Vocabulary& vocabulary);

// merges: "left right" in rank order. pre: tokenizer.ggml.pre.
Result<std::unique_ptr<TextEncoder>> MakeBpeEncoder(const Vocabulary& vocabulary,
                                                    const std::vector<std::string_view>& merges,
                                                    std::string_view pre);

}  // namespace teetee::model
