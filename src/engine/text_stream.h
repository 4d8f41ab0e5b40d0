// From the bytes of tokens to the text that is sent: never cuts a character, and stops before a stop string wherever its bytes
// lie among the tokens. Malformed UTF-8 becomes U+FFFD, one per maximal ill-formed part (Unicode 3.9, as browsers do), so the text
// of a whole answer does not depend on how its bytes were split. No allocation per byte beyond the text itself; time per byte is
// proportional to the number of stop strings.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace teetee::engine {

inline constexpr size_t kMaxStops = 16;
inline constexpr size_t kMaxStopBytes = 512;

struct TextDelta {
  std::string text;      // whole characters; may be empty
  bool stopped = false;  // a stop string was met; it and everything after it is dropped
};

// One answer. Not thread-safe; movable.
class TextStream {
 public:
  // Each stop: 1 .. kMaxStopBytes bytes of UTF-8. Error: kInvalidArgument.
  static Result<TextStream> Create(std::vector<std::string> stops = {});

  // What can be sent after these bytes: everything but an unfinished character and the longest tail that may begin a stop string.
  // The stop that ends first wins; of two that end at one byte, the longer. After a stop, further bytes are ignored.
  TextDelta Push(std::string_view bytes);
  // The end of the answer: an unfinished character becomes U+FFFD and what was held back is given out.
  TextDelta Finish();

  bool stopped() const { return stopped_; }
  size_t held_bytes() const { return pending_.size() + held_.size(); }  // at most 3 + kMaxStopBytes

 private:
  // A stop string with its failure function (Knuth, Morris, Pratt 1977) and how much of it the text's end matches.
  struct Stop {
    std::string text;
    std::vector<uint16_t> failure;
    size_t matched = 0;
  };

  void Decode(uint8_t byte, TextDelta& delta);
  void Replace(TextDelta& delta);  // the pending bytes by U+FFFD
  void AddCharacter(std::string_view character, TextDelta& delta);
  void Match(uint8_t byte);
  void Release(size_t keep, TextDelta& delta);  // gives out all but the last keep held bytes

  std::vector<Stop> stops_;
  std::string pending_;  // the start of a character
  uint8_t needed_ = 0;   // bytes that the character still lacks
  uint8_t low_ = 0x80, high_ = 0xBF;  // the range of its next byte
  std::string held_;     // whole characters not given out yet
  bool stopped_ = false;
};

}  // namespace teetee::engine
