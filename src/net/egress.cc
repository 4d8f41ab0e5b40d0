#include "net/egress.h"

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <cstdint>

#include "net/url.h"

namespace teetee::net {
namespace {

namespace ip = boost::asio::ip;

enum class Reach { kPublic, kInside, kNowhere };

struct Range4 {
  uint32_t prefix;
  int bits;
  Reach reach;
};

// IANA special-purpose registry (RFC 6890 and its updates); the first match counts.
constexpr Range4 kRanges4[] = {
    {0x00000000, 8, Reach::kNowhere},   // this network
    {0x7f000000, 8, Reach::kInside},    // loopback
    {0x0a000000, 8, Reach::kInside},    // private
    {0xac100000, 12, Reach::kInside},   // private
    {0xc0a80000, 16, Reach::kInside},   // private
    {0x64400000, 10, Reach::kInside},   // carrier's private
    {0xa9fe0000, 16, Reach::kNowhere},  // link-local
    {0xc0000000, 24, Reach::kNowhere},  // protocol assignments
    {0xc0000200, 24, Reach::kNowhere},  // documentation
    {0xc6336400, 24, Reach::kNowhere},  // documentation
    {0xcb007100, 24, Reach::kNowhere},  // documentation
    {0xc6120000, 15, Reach::kNowhere},  // benchmarks
    {0xe0000000, 3, Reach::kNowhere},   // multicast, reserved, broadcast
};

Reach ReachOf(const ip::address_v4& address) {
  const uint32_t value = address.to_uint();
  for (const Range4& range : kRanges4) {
    if ((value ^ range.prefix) >> (32 - range.bits) == 0) return range.reach;
  }
  return Reach::kPublic;
}

Reach ReachOf(const ip::address_v6& address) {
  const auto b = address.to_bytes();
  if (address.is_v4_mapped()) return ReachOf(ip::make_address_v4(ip::v4_mapped, address));
  if (address.is_loopback() || (b[0] & 0xfe) == 0xfc) return Reach::kInside;  // and fc00::/7
  // NAT64 and 6to4 carry an IPv4 address inside.
  const uint8_t nat64[12] = {0, 0x64, 0xff, 0x9b};
  if (std::equal(nat64, nat64 + 12, b.begin())) return ReachOf(ip::address_v4({b[12], b[13], b[14], b[15]}));
  if (b[0] == 0x20 && b[1] == 0x02) return ReachOf(ip::address_v4({b[2], b[3], b[4], b[5]}));
  const bool documentation = b[0] == 0x20 && b[1] == 0x01 && b[2] == 0x0d && b[3] == 0xb8;
  const bool global = (b[0] & 0xe0) == 0x20;  // 2000::/3
  return global && !documentation ? Reach::kPublic : Reach::kNowhere;
}

}  // namespace

bool MayDial(const ip::address& address, Egress egress) {
  if (egress == Egress::kAnywhere) return true;
  const Reach reach = address.is_v4() ? ReachOf(address.to_v4()) : ReachOf(address.to_v6());
  return reach == Reach::kPublic || (reach == Reach::kInside && egress == Egress::kDevelopment);
}

Task<Result<std::string>> AllowedAddress(std::string host_port, Egress egress) {
  if (egress == Egress::kAnywhere) co_return host_port;
  auto parsed = ParseHostPort(host_port);
  TT_CO_CHECK(parsed);
  Error refused(Code::kPermissionDenied, "check egress: a stranger named the address " + host_port +
                                             ", and it is not a public one");
  const std::string port = std::to_string(parsed->port);
  auto text = [&port](const ip::address& address) {
    return (address.is_v6() ? "[" + address.to_string() + "]" : address.to_string()) + ":" + port;
  };
  boost::system::error_code error;
  const auto number = parsed->host == "localhost" ? ip::address(ip::address_v4::loopback())
                                                  : ip::make_address(parsed->host, error);
  if (!error) {
    if (!MayDial(number, egress)) co_return refused;
    co_return text(number);
  }
  Executor executor = co_await CurrentExecutor();
  ip::basic_resolver<ip::tcp, Executor> resolver(executor);
  constexpr auto kAwait = asio::as_tuple(asio::use_awaitable);
  auto [failed, found] = co_await resolver.async_resolve(parsed->host, port, kAwait);
  if (failed || found.empty()) co_return Error(Code::kUnavailable, "cannot resolve " + host_port);
  for (const auto& entry : found) {
    if (MayDial(entry.endpoint().address(), egress)) co_return text(entry.endpoint().address());
  }
  co_return refused;
}

}  // namespace teetee::net
