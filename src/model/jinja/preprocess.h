// What happens to the text of a template before it is cut into tokens. It is textual, as in the reference renderer: it also
// reaches inside string literals.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace teetee::model::jinja {

struct Source {
  std::string text;
  std::vector<uint32_t> lines;  // the line of each byte in the original

  uint32_t LineAt(size_t position) const {
    if (lines.empty()) return 1;
    return lines[position < lines.size() ? position : lines.size() - 1];
  }
};

Source Preprocess(std::string_view source);

}  // namespace teetee::model::jinja
