// Input: number of stop strings, their lengths and bytes, then the answer; each byte of the answer's head chooses how it is split.
// Checks that the text does not depend on the split and holds no stop string.
#include <cstdlib>
#include <string>
#include <vector>

#include "engine/text_stream.h"

using teetee::engine::TextStream;

namespace {

std::string Whole(const std::vector<std::string>& stops, const std::vector<std::string_view>& pieces) {
  auto stream = TextStream::Create(stops);
  if (!stream) return {};
  std::string out;
  for (std::string_view piece : pieces) {
    out += stream->Push(piece).text;
    if (stream->held_bytes() > 3 + teetee::engine::kMaxStopBytes) std::abort();
  }
  return out + stream->Finish().text;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view in(reinterpret_cast<const char*>(data), size);
  auto take = [&](size_t n) {
    std::string_view out = in.substr(0, n);
    in.remove_prefix(out.size());
    return out;
  };
  std::vector<std::string> stops;
  for (size_t n = in.empty() ? 0 : static_cast<uint8_t>(take(1)[0]) % 5; n > 0 && !in.empty(); --n) {
    stops.emplace_back(take(static_cast<uint8_t>(take(1)[0]) % 9));
  }
  if (!TextStream::Create(stops)) return 0;
  std::vector<std::string_view> pieces;
  std::string_view answer = in;
  while (!in.empty()) pieces.push_back(take(1 + static_cast<uint8_t>(in[0]) % 5));
  std::string split = Whole(stops, pieces), whole = Whole(stops, {answer});
  if (split != whole) std::abort();
  for (const std::string& stop : stops) {
    if (whole.find(stop) != std::string::npos) std::abort();
  }
  if (Whole({}, {whole}) != whole) std::abort();
  return 0;
}
