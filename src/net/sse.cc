#include "net/sse.h"

#include <utility>

namespace teetee::net {

Result<std::vector<SseEvent>> SseParser::Feed(ByteView bytes) {
  std::vector<SseEvent> out;
  for (uint8_t byte : bytes) {
    if (failed_) break;
    char c = static_cast<char>(byte);
    bool skip = after_cr_ && c == '\n';
    after_cr_ = c == '\r';
    if (skip) continue;
    if (c == '\r' || c == '\n') {
      TakeLine(out);
    } else {
      line_ += c;
      failed_ = line_.size() + data_.size() > max_event_bytes_;
    }
  }
  if (failed_) {
    return Error(Code::kResourceExhausted, "event stream: an event is longer than " +
                                               std::to_string(max_event_bytes_) + " bytes");
  }
  return out;
}

void SseParser::TakeLine(std::vector<SseEvent>& out) {
  std::string line = std::exchange(line_, std::string());
  if (first_line_ && line.starts_with("\xEF\xBB\xBF")) line = line.substr(3);
  first_line_ = false;
  if (line.empty()) return Dispatch(out);
  size_t colon = line.find(':');
  if (colon == 0) return;  // a comment
  std::string_view name = std::string_view(line).substr(0, colon);
  std::string_view value;
  if (colon != std::string::npos) value = std::string_view(line).substr(colon + 1);
  if (value.starts_with(' ')) value.remove_prefix(1);
  if (name == "data") {
    if (has_data_) data_ += '\n';
    data_ += value;
    has_data_ = true;
  } else if (name == "event") {
    type_ = value;
  } else if (name == "id" && value.find('\0') == std::string_view::npos) {
    id_ = value;
  }
}

void SseParser::Dispatch(std::vector<SseEvent>& out) {
  if (has_data_) out.push_back({type_.empty() ? "message" : type_, std::move(data_), id_});
  data_.clear();
  type_.clear();
  has_data_ = false;
}

std::string SseFrame(std::string_view data) {
  std::string out;
  out.reserve(data.size() + 8);
  for (;;) {
    size_t end = data.find('\n');
    out += "data: ";
    out += data.substr(0, end);
    out += '\n';
    if (end == std::string_view::npos) break;
    data.remove_prefix(end + 1);
  }
  return out += '\n';
}

}  // namespace teetee::net
