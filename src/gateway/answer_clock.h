// When the chunks of one relayed answer passed, and what speed that is. Counted are streamed answers of at least kMinChunks chunks: of
// others the first chunk is the whole answer. Pure, thread-compatible.
#pragma once

#include <optional>

#include "gateway/history.h"
#include "net/async.h"
#include "protocol/chunk_counter.h"

namespace teetee::gateway {

class AnswerClock {
 public:
  using Time = net::SteadyClock::time_point;
  explicit AnswerClock(Time asked) : asked_(asked) {}

  void Feed(ByteView bytes, Time now);
  std::optional<AnswerSpeed> Speed() const;

  static constexpr size_t kMinChunks = 8;  // with text

 private:
  // The last two chunks are the receipt and the end: they hold no text.
  static constexpr size_t kTail = 2;
  protocol::ChunkCounter counter_;
  Time asked_, first_{};
  Time last_[kTail + 1]{};  // of the newest chunks, newest first
  size_t chunks_ = 0;
};

}  // namespace teetee::gateway
