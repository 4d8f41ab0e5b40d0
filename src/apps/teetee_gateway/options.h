// What a gateway is told on its command line.
#pragma once

#include <string>

#include "gateway/gateway.h"

namespace teetee::gateway {

struct Options {
  GatewaySettings settings;
  std::string gas_key_file;  // empty: gas.key in the state folder, made when absent
  bool verbose = false;
};

// Parses or exits with help or an error (exit code of kInvalidArgument).
Options ParseOptions(int argc, char** argv);

}  // namespace teetee::gateway
