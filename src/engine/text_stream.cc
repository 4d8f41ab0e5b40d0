#include "engine/text_stream.h"

#include <algorithm>

namespace teetee::engine {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";

std::vector<uint16_t> FailureFunction(std::string_view text) {
  std::vector<uint16_t> out(text.size(), 0);
  for (size_t i = 1, k = 0; i < text.size(); ++i) {
    while (k > 0 && text[i] != text[k]) k = out[k - 1];
    if (text[i] == text[k]) ++k;
    out[i] = static_cast<uint16_t>(k);
  }
  return out;
}

bool IsUtf8(const std::string& text) {
  auto stream = TextStream::Create();
  std::string out = stream->Push(text).text;
  return out == text && stream->held_bytes() == 0;
}

}  // namespace

Result<TextStream> TextStream::Create(std::vector<std::string> stops) {
  if (stops.size() > kMaxStops) return Error(Code::kInvalidArgument, "too many stop strings");
  TextStream stream;
  for (std::string& text : stops) {
    if (text.empty() || text.size() > kMaxStopBytes) {
      return Error(Code::kInvalidArgument, "a stop string must have 1 to " + std::to_string(kMaxStopBytes) + " bytes");
    }
    if (!IsUtf8(text)) return Error(Code::kInvalidArgument, "a stop string is not UTF-8");
    auto failure = FailureFunction(text);
    stream.stops_.push_back({std::move(text), std::move(failure)});
  }
  return stream;
}

TextDelta TextStream::Push(std::string_view bytes) {
  TextDelta delta;
  for (size_t i = 0; i < bytes.size() && !stopped_; ++i) Decode(static_cast<uint8_t>(bytes[i]), delta);
  delta.stopped = stopped_;
  return delta;
}

TextDelta TextStream::Finish() {
  TextDelta delta;
  if (!stopped_ && !pending_.empty()) Replace(delta);
  if (!stopped_) Release(0, delta);
  delta.stopped = stopped_;
  return delta;
}

void TextStream::Decode(uint8_t byte, TextDelta& delta) {
  if (needed_ > 0 && (byte < low_ || byte > high_)) {
    Replace(delta);  // the byte starts anew
    if (stopped_) return;
  }
  pending_ += static_cast<char>(byte);
  if (needed_ > 0) {
    low_ = 0x80;
    high_ = 0xBF;
    if (--needed_ > 0) return;
  } else if (byte >= 0xC2 && byte <= 0xF4) {
    needed_ = byte < 0xE0 ? 1 : byte < 0xF0 ? 2 : 3;
    low_ = byte == 0xE0 ? 0xA0 : byte == 0xF0 ? 0x90 : 0x80;
    high_ = byte == 0xED ? 0x9F : byte == 0xF4 ? 0x8F : 0xBF;
    return;
  } else if (byte >= 0x80) {
    return Replace(delta);
  }
  std::string character = std::move(pending_);
  pending_.clear();
  AddCharacter(character, delta);
}

void TextStream::Replace(TextDelta& delta) {
  pending_.clear();
  needed_ = 0;
  low_ = 0x80;
  high_ = 0xBF;
  AddCharacter(kReplacement, delta);
}

// Stop strings are whole characters, so a match ends with a character.
void TextStream::AddCharacter(std::string_view character, TextDelta& delta) {
  held_ += character;
  size_t partial = 0, complete = 0;
  for (char c : character) Match(static_cast<uint8_t>(c));
  for (Stop& stop : stops_) {
    if (stop.matched == stop.text.size()) complete = std::max(complete, stop.matched);
    partial = std::max(partial, stop.matched);
  }
  if (complete == 0) return Release(partial, delta);
  delta.text.append(held_, 0, held_.size() - complete);
  held_.clear();
  stopped_ = true;
}

void TextStream::Match(uint8_t byte) {
  char c = static_cast<char>(byte);
  for (Stop& stop : stops_) {
    while (stop.matched > 0 && stop.text[stop.matched] != c) stop.matched = stop.failure[stop.matched - 1];
    if (stop.text[stop.matched] == c) ++stop.matched;
  }
}

void TextStream::Release(size_t keep, TextDelta& delta) {
  size_t size = held_.size() - keep;
  delta.text.append(held_, 0, size);
  held_.erase(0, size);
}

}  // namespace teetee::engine
