#include "net/egress.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <optional>

#include "base/bytes.h"
#include "net/url.h"

namespace teetee::net {
namespace {

using V4 = ByteArray<4>;
using V6 = ByteArray<16>;

template <size_t N>
struct Block {
  ByteArray<N> base;
  int bits;
  const char* what;
  bool is_inside = false;  // a private network
};

// IANA's special-purpose registry and what is not unicast.
constexpr Block<4> kNotPublic4[] = {
    {{0, 0, 0, 0}, 8, "of this network"},         {{10, 0, 0, 0}, 8, "private", true},
    {{100, 64, 0, 0}, 10, "carrier-grade NAT", true},   {{127, 0, 0, 0}, 8, "loopback"},
    {{169, 254, 0, 0}, 16, "link-local"},         {{172, 16, 0, 0}, 12, "private", true},
    {{192, 0, 0, 0}, 24, "reserved"},             {{192, 0, 2, 0}, 24, "for documentation"},
    {{192, 88, 99, 0}, 24, "a 6to4 relay"},       {{192, 168, 0, 0}, 16, "private", true},
    {{198, 18, 0, 0}, 15, "for benchmarks"},      {{198, 51, 100, 0}, 24, "for documentation"},
    {{203, 0, 113, 0}, 24, "for documentation"},  {{224, 0, 0, 0}, 4, "multicast"},
    {{240, 0, 0, 0}, 4, "reserved or broadcast"},
};
// Within 2000::/3, which alone is public.
constexpr Block<16> kNotPublic6[] = {
    {{0x20, 0x01, 0x00, 0x00}, 23, "reserved or a tunnel"},
    {{0x20, 0x01, 0x0d, 0xb8}, 32, "for documentation"},
    {{0x20, 0x02}, 16, "a 6to4 tunnel"},
    {{0x3f, 0xff}, 20, "for documentation"},
};

template <size_t N>
bool Within(const ByteArray<N>& address, const ByteArray<N>& base, int bits) {
  for (size_t i = 0; bits > 0; ++i, bits -= 8) {
    const auto mask = static_cast<uint8_t>(bits >= 8 ? 0xff : 0xff << (8 - bits));
    if ((address[i] & mask) != (base[i] & mask)) return false;
  }
  return true;
}

Status Refuse(const char* what) {
  return Error(Code::kPermissionDenied,
               std::string("check egress: the address is ") + what + ", and a stranger named it: only public ones are dialled");
}

Status Check4(const V4& address, Egress egress) {
  if (egress != Egress::kPublic && address[0] == 127) return Ok{};
  for (const Block<4>& block : kNotPublic4) {
    if (!Within(address, block.base, block.bits)) continue;
    return block.is_inside && egress == Egress::kInside ? Status(Ok{}) : Refuse(block.what);
  }
  return Ok{};
}

// ::ffff:0:0/96 (mapped) and 64:ff9b::/96 (NAT64) reach the IPv4 address that they carry.
std::optional<V4> Carried(const V6& address) {
  constexpr V6 kMapped = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  constexpr V6 kNat64 = {0x00, 0x64, 0xff, 0x9b};
  if (!Within(address, kMapped, 96) && !Within(address, kNat64, 96)) return std::nullopt;
  return V4{address[12], address[13], address[14], address[15]};
}

Status Check6(const V6& address, Egress egress) {
  constexpr V6 kLoopback = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
  constexpr V6 kPublic = {0x20};
  constexpr V6 kUniqueLocal = {0xfc};
  if (auto v4 = Carried(address)) return Check4(*v4, egress);
  if (address == kLoopback) return egress != Egress::kPublic ? Status(Ok{}) : Refuse("loopback");
  if (egress == Egress::kInside && Within(address, kUniqueLocal, 7)) return Ok{};
  if (!Within(address, kPublic, 3)) return Refuse("not public unicast");
  for (const Block<16>& block : kNotPublic6) {
    if (Within(address, block.base, block.bits)) return Refuse(block.what);
  }
  return Ok{};
}

bool IsNumber(std::string_view label) {
  const bool hex = label.starts_with("0x");
  if (hex) label.remove_prefix(2);
  return !(label.empty() && !hex) && std::all_of(label.begin(), label.end(), [hex](char c) {
    return (c >= '0' && c <= '9') || (hex && c >= 'a' && c <= 'f');
  });
}

// What resolvers read as an IPv4 address in octal, hexadecimal or fewer parts: its last part is a number (as in the URL standard),
// and yet it is no dotted quad. No top-level domain is a number.
bool IsDisguised(std::string_view host) {
  in6_addr v6;
  in_addr v4;
  const std::string text(host);
  if (::inet_pton(AF_INET, text.c_str(), &v4) == 1 || ::inet_pton(AF_INET6, text.c_str(), &v6) == 1) return false;
  while (host.ends_with('.')) host.remove_suffix(1);
  return IsNumber(host.substr(host.rfind('.') + 1));
}

}  // namespace

Status CheckEgress(std::string_view numeric, Egress egress) {
  const std::string text(numeric);
  V4 v4;
  V6 v6;
  if (::inet_pton(AF_INET, text.c_str(), v4.data()) == 1) return Check4(v4, egress);
  if (::inet_pton(AF_INET6, text.c_str(), v6.data()) == 1) return Check6(v6, egress);
  return Refuse("not one that can be judged");
}

AddressRule EgressRule(Egress egress) {
  return [egress](std::string_view numeric) { return CheckEgress(numeric, egress); };
}

Result<std::string> NodeBaseUrl(std::string_view text) {
  const Url url = TT_TRY(ParseUrl(text));
  if (url.scheme != "http")
    return Error(Code::kUnimplemented, "node URL: https is not supported by this gateway yet");
  if (url.target.find('?') != std::string::npos)
    return Error(Code::kInvalidArgument, "node URL: it has a query");
  if (IsDisguised(url.host))
    return Error(Code::kInvalidArgument, "node URL: its host is a number; write a name or an address like 203.0.114.7");
  std::string out = url.scheme + "://" + url.HostHeader() + url.target;
  while (out.ends_with('/')) out.pop_back();
  return out;
}

}  // namespace teetee::net
