// Server-sent events (WHATWG HTML, section 9.2.6): an incremental, bounded parser.
// Thread-compatible.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"

namespace teetee::net {

struct SseEvent {
  std::string type;  // "message" where the stream names none
  std::string data;  // lines joined by line feeds
  std::string id;    // the last id that the stream named, possibly long before this event
};

class SseParser {
 public:
  explicit SseParser(size_t max_event_bytes = 1u << 20) : max_event_bytes_(max_event_bytes) {}

  // The events that these bytes complete. kResourceExhausted when one line or event is longer than
  // the bound; the parser is then done for and goes on refusing. An event that the stream's end
  // cuts off is dropped, as the standard says.
  Result<std::vector<SseEvent>> Feed(ByteView bytes);

 private:
  void TakeLine(std::vector<SseEvent>& out);
  void Dispatch(std::vector<SseEvent>& out);

  size_t max_event_bytes_;
  std::string line_, data_, type_, id_;
  bool has_data_ = false;
  bool after_cr_ = false;   // a line feed that follows belongs to the same line end
  bool first_line_ = true;  // may begin with a byte order mark
  bool failed_ = false;
};

// "data: ...\n\n", one data line per line of the text. A carriage return in the text would end a
// line for the reader: JSON has none.
std::string SseFrame(std::string_view data);

}  // namespace teetee::net
