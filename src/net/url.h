// http and https URLs, parsed strictly (RFC 3986, the subset that services use): no user
// information, no fragment, no raw control, space or non-ASCII character. Pure, thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace teetee::net {

inline constexpr size_t kMaxUrl = 8192;  // bytes

struct Url {
  std::string scheme;  // "http" or "https"
  std::string host;    // lower case; an IPv6 address without brackets
  uint16_t port = 0;   // never 0: 80 or 443 where the text has none
  std::string target;  // path and query as sent in the request line; at least "/"

  std::string HostHeader()
      const;  // host with brackets where needed, port unless it is the scheme's
};

// kInvalidArgument says what is wrong, never the text.
Result<Url> ParseUrl(std::string_view text);

struct HostPort {
  std::string host;  // without brackets
  uint16_t port = 0;
};
// "127.0.0.1:8080", "[::1]:0", "node.example:7000".
Result<HostPort> ParseHostPort(std::string_view text);

// %41 -> A; '+' stays. kInvalidArgument for a broken escape.
Result<std::string> PercentDecode(std::string_view text);
// The decoded value of the first `name` in "a=1&b=2", or nothing.
std::optional<std::string> QueryParameter(std::string_view query, std::string_view name);

}  // namespace teetee::net
