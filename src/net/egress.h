// Where a connection may go when a stranger wrote its address: node URLs from the chain, plan hints
// from clients. The check is on the resolved addresses, so that a name cannot point inwards.
#pragma once

#include <boost/asio/ip/address.hpp>
#include <string>

#include "net/async.h"

namespace teetee::net {

enum class Egress {
  kAnywhere,     // our own configuration named the address
  kDevelopment,  // simulated evidence, chain 31337: also this machine and private networks
  kPublic,       // public unicast addresses only
};

// Link-local addresses (169.254.169.254 tells secrets of cloud machines), multicast, unspecified and
// reserved ones are for nobody but kAnywhere. IPv4 inside IPv6 is judged as IPv4.
bool MayDial(const boost::asio::ip::address& address, Egress egress);

// "host:port" with the first address of the host that may be dialled, in numbers: connecting to it
// asks no name service again. kPermissionDenied: it leads where `egress` does not allow.
Task<Result<std::string>> AllowedAddress(std::string host_port, Egress egress);

}  // namespace teetee::net
