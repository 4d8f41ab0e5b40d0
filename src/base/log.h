// One line per event on stderr: time, level, module, text. Never a secret, a prompt, an answer or a token: lines carry names,
// offsets and counts. Thread-safe.
#pragma once

#include <string_view>

namespace teetee {
enum class LogLevel { kDebug, kInfo, kWarn, kError };
void SetLogLevel(LogLevel level);  // default kInfo
void Log(LogLevel level, std::string_view module, std::string_view text);
inline void LogDebug(std::string_view m, std::string_view t) { Log(LogLevel::kDebug, m, t); }
inline void LogInfo(std::string_view m, std::string_view t) { Log(LogLevel::kInfo, m, t); }
inline void LogWarn(std::string_view m, std::string_view t) { Log(LogLevel::kWarn, m, t); }
inline void LogError(std::string_view m, std::string_view t) { Log(LogLevel::kError, m, t); }
}  // namespace teetee
