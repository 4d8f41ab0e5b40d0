#include "gateway/rate_limit.h"

#include <algorithm>

namespace teetee::gateway {

Status RateLimit::Take(const std::string& address, Time now) {
  auto [found, is_new] = buckets_.try_emplace(address, Bucket{rate_.burst, now});
  Bucket& bucket = found->second;
  const double minutes = std::chrono::duration<double>(now - bucket.at).count() / 60;
  bucket.left = std::min(rate_.burst, bucket.left + minutes * rate_.per_minute);
  bucket.at = now;
  const bool taken = bucket.left >= 1;
  if (taken) bucket.left -= 1;
  if (is_new && buckets_.size() > kMaxAddresses) {
    buckets_.erase(std::min_element(buckets_.begin(), buckets_.end(),
                                    [](auto& a, auto& b) { return a.second.at < b.second.at; }));
  }
  if (taken) return Ok{};
  return Error(Code::kResourceExhausted, "too many of these from your address: wait a moment");
}

}  // namespace teetee::gateway
