// What `--version` prints: "teetee 0.1.0 (commit)".
#pragma once

#include <string>
#include <string_view>

namespace teetee {
inline constexpr std::string_view kVersion = "0.1.0";
std::string_view Commit();                          // 12 hex digits, or "unknown" outside git
std::string VersionLine(std::string_view program);  // one line, no line feed
}  // namespace teetee
