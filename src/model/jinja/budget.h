// What one rendering may still spend. Every operation whose cost grows with its input charges the bytes that it copies or scans
// before it does so.
#pragma once

#include "base/result.h"
#include "model/chat_template.h"
#include "model/jinja/value.h"

namespace teetee::model::jinja {

inline constexpr size_t kItemBytes = 64;  // charged for each item of a list or member of a map

class Budget {
 public:
  explicit Budget(const RenderLimits& limits) : limits_(limits) {}

  size_t max_text() const { return limits_.max_output_bytes; }

  Status Step() {
    if (++steps_ > limits_.max_steps) return Exhausted("too many steps");
    return Ok{};
  }
  Status Work(uint64_t bytes) {
    if (bytes > limits_.max_work_bytes - work_) return Exhausted("too much work");
    work_ += bytes;
    return Ok{};
  }
  // For a string about to be made.
  Status Text(uint64_t bytes) {
    if (bytes > limits_.max_output_bytes) return Exhausted("text is too long");
    return Work(bytes);
  }
  Status Items(uint64_t count) {
    if (count > limits_.max_work_bytes / kItemBytes) return Exhausted("list is too long");
    return Work(count * kItemBytes);
  }

  // For a copy of the keys of a map.
  Status Members(const Map& map) {
    uint64_t bytes = 0;
    for (const auto& [key, value] : map.entries) bytes += key.size() + kItemBytes;
    return Work(bytes);
  }

  Result<Value> MakeString(std::string text) {
    TT_RETURN_IF_ERROR(Text(text.size()));
    return Value(std::move(text));
  }
  Result<Value> List(std::vector<Value> items, bool tuple = false) {
    TT_RETURN_IF_ERROR(Items(items.size()));
    return MakeList(std::move(items), tuple);
  }

 private:
  static Error Exhausted(std::string_view what) {
    return Error(Code::kResourceExhausted, std::string(what));
  }
  RenderLimits limits_;
  uint64_t steps_ = 0;
  uint64_t work_ = 0;
};

}  // namespace teetee::model::jinja
