// So many actions a minute for each client address, in bursts. Bounded: when too many addresses are known at once, the idlest is
// forgotten. Thread-compatible.
#pragma once

#include <map>
#include <string>

#include "net/async.h"

namespace teetee::gateway {

struct Rate {
  double per_minute = 60;
  double burst = 10;
};

class RateLimit {
 public:
  using Time = net::SteadyClock::time_point;
  explicit RateLimit(Rate rate) : rate_(rate) {}

  // Takes one; kResourceExhausted when there is none left.
  Status Take(const std::string& address, Time now);

  static constexpr size_t kMaxAddresses = 4096;

 private:
  struct Bucket {
    double left = 0;
    Time at{};
  };
  Rate rate_;
  std::map<std::string, Bucket> buckets_;
};

}  // namespace teetee::gateway
