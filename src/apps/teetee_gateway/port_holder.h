// Who listens on a TCP port of this machine, for the error of a second instance. Linux, /proc; only
// the user's own processes are visible.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace teetee::gateway {

// "teetee-gateway (process 4711)", or nothing if it cannot be told.
std::optional<std::string> PortHolder(uint16_t port);

}  // namespace teetee::gateway
