// Where a program may dial when a stranger wrote the address: node URLs on chain, URLs pasted into the pool page, hints in a plan.
// One that dialled whatever it is told would reach into the network it stands in. Source: docs/design/0008-pages.md; the address
// registries of IANA (RFC 6890). Pure, thread-safe.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "net/socket.h"

namespace teetee::net {

enum class Egress {
  kPublic,     // public unicast addresses only
  kLoopback,   // and this machine: the development chain
  kInside,     // and private networks: channels under simulated evidence. Link-local (cloud metadata) never
};

// `numeric`: as inet_pton reads it, anything else is refused. An IPv6 address that carries an IPv4 address is judged by that.
// kPermissionDenied says what the address is.
Status CheckEgress(std::string_view numeric, Egress egress);
AddressRule EgressRule(Egress egress);

// "http://host:port" or with a path, without a trailing '/': what request paths are appended to. kUnimplemented for https,
// kInvalidArgument for a query, a host that is a number in disguise (0x7f.1, 2130706433), or anything that is no URL.
Result<std::string> NodeBaseUrl(std::string_view url);

}  // namespace teetee::net
