#include "gateway/answer_clock.h"

namespace teetee::gateway {

void AnswerClock::Feed(ByteView bytes, Time now) {
  for (size_t n = counter_.Feed(bytes); n > 0; --n) {
    if (chunks_++ == 0) first_ = now;
    for (size_t i = kTail; i > 0; --i) last_[i] = last_[i - 1];
    last_[0] = now;
  }
}

std::optional<AnswerSpeed> AnswerClock::Speed() const {
  if (chunks_ < kMinChunks + kTail) return std::nullopt;
  AnswerSpeed out;
  out.ttft_ms = std::chrono::duration<double, std::milli>(first_ - asked_).count();
  const double seconds = std::chrono::duration<double>(last_[kTail] - first_).count();
  if (seconds > 0) out.chunks_per_second = static_cast<double>(chunks_ - kTail - 1) / seconds;
  return out;
}

}  // namespace teetee::gateway
