// Where the gateway may dial. Anyone can write a URL on chain or paste one into the pool page, so a gateway that dialled whatever it
// is told would reach into the network it stands in. Source: docs/design/0008-pages.md; the address registries of IANA (RFC 6890).
// Pure, thread-safe.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "net/socket.h"

namespace teetee::gateway {

// Public unicast addresses only; loopback too where `loopback` (the development chain). `numeric`: as inet_pton reads it, anything
// else is refused. An IPv6 address that carries an IPv4 address is judged by that. kPermissionDenied says what the address is.
Status CheckEgress(std::string_view numeric, bool loopback);
net::AddressRule EgressRule(bool loopback);

// "http://host:port" or with a path, without a trailing '/': what request paths are appended to. kUnimplemented for https,
// kInvalidArgument for a query, a host that is a number in disguise (0x7f.1, 2130706433), or anything that is no URL.
Result<std::string> NodeBaseUrl(std::string_view url);

}  // namespace teetee::gateway
