// Frames between nodes, OPEN included; what is accepted must serialise to the same bytes (OPEN: to bytes that read the same).
#include <algorithm>

#include "pipeline/open.h"

using teetee::ByteView;
namespace pipeline = teetee::pipeline;

static void Same(const teetee::Bytes& encoded, ByteView input) {
  if (!std::equal(encoded.begin(), encoded.end(), input.begin(), input.end())) __builtin_trap();
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  ByteView input(data + 1, size - 1);
  switch (data[0] % 9) {
    case 0:
      if (auto act = pipeline::ParseAct(input, 4, 64)) Same(pipeline::Serialize(*act), input);
      break;
    case 1:
      if (auto token = pipeline::ParseToken(input)) Same(pipeline::Serialize(*token), input);
      break;
    case 2:
    case 3: {
      const bool closed = data[0] % 9 == 3;
      if (auto work = pipeline::ParseWork(input, closed)) Same(pipeline::Serialize(*work, closed), input);
      break;
    }
    case 4:
      if (auto close = pipeline::ParseClose(input)) Same(pipeline::Serialize(*close), input);
      break;
    case 5:
      if (auto error = pipeline::ParseError(input)) Same(pipeline::Serialize(*error), input);
      break;
    case 7:
      if (auto ok = pipeline::ParseOpenOk(input)) Same(pipeline::Serialize(*ok), input);
      break;
    case 6:
      if (auto batch = pipeline::ParseBatch(input)) Same(pipeline::SerializeBatch(*batch), input);
      break;
    default:
      if (auto open = pipeline::ParseOpen(input, 8192)) {
        if (open->max_positions > 8192 || open->prompt_ids.size() > 8192 ||
            open->prefix.size() > pipeline::kMaxPrefixKeys) {
          __builtin_trap();
        }
        teetee::Bytes once = pipeline::Serialize(*open);
        auto again = pipeline::ParseOpen(once, 8192);
        if (!again) __builtin_trap();
        Same(pipeline::Serialize(*again), once);
      }
  }
  return 0;
}
