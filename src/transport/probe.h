// A look at a channel's address from outside: which TLS key does whoever listens there prove? No evidence is exchanged and nothing is
// trusted; for a gateway that tells a host whether others reach its node. Threads: one io_context.
#pragma once

#include <string>

#include "base/bytes.h"
#include "net/socket.h"

namespace teetee::transport {

// SHA-256 of the SPKI of the server's certificate, after a TLS 1.3 handshake in which the server proved that it holds the key.
// kUnavailable: nobody answers. check channel.tls: it is no channel of ours. `may_dial`: as of TcpStream::Connect.
net::Task<Result<Hash32>> ProbeChannel(std::string address, net::Millis timeout, net::AddressRule may_dial);

}  // namespace teetee::transport
