// What a node is told on its command line. In a measured image (TEETEE_SIMULATED=OFF) roots and policy come from measured files only.
#pragma once

#include <string>

#include "base/result.h"
#include "crypto/secp256k1.h"

namespace teetee::node {

struct Options {
  std::string shard;      // GGUF of this slot
  std::string manifest;   // manifest.json
  std::string params;     // JSON: the parameters whose hash is the model id
  std::string trust;      // trust file
  std::string state;      // folder: signing key, proofs, outbox
  std::string dev_pki;    // folder of the development PKI
  bool simulated_debug = false;
  std::string compose;    // app-compose.json, shown in simulated quotes; empty: none
  std::string listen = "127.0.0.1:9100";   // HTTP
  std::string channel = "127.0.0.1:9200";  // attested channels
  std::string advertise;  // where others dial the channel; empty: as `channel`
  std::string rpc = "http://127.0.0.1:8545";
  std::string isa;        // empty: the best there is
  size_t threads = 0;     // of computation; ParseOptions makes 0 one per core
  size_t max_context = 4096;   // positions of one sequence
  size_t max_sequences = 64;
  size_t kv_megabytes = 2048;
  crypto::Address host{};  // the organisation that is paid
  bool verbose = false;
};

// Parses or exits with help or an error (exit code of kInvalidArgument).
Options ParseOptions(int argc, char** argv);

}  // namespace teetee::node
