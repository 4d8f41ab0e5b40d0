#include "apps/teetee_node/options.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <thread>

#include "base/version.h"

namespace teetee::node {

Options ParseOptions(int argc, char** argv) {
  Options o;
  std::string host;
  CLI::App app{"teetee-node: serves one slot of a model to attested peers and sealed requests"};
  app.set_version_flag("--version", VersionLine("teetee-node"));
  app.add_option("--shard", o.shard, "GGUF file of this slot (teetee model split)")->required()->check(CLI::ExistingFile);
  app.add_option("--manifest", o.manifest, "manifest.json of the model")->required()->check(CLI::ExistingFile);
  app.add_option("--model-params", o.params, "JSON with the parameters whose hash is the model id")->required()->check(CLI::ExistingFile);
  app.add_option("--trust", o.trust, "trust file: whom this node believes")->required()->check(CLI::ExistingFile);
  app.add_option("--state", o.state, "folder for the signing key, proofs and outbox")->required();
  app.add_option("--dev-pki", o.dev_pki, "folder of the development PKI (simulated evidence)");
  app.add_option("--compose", o.compose, "app-compose.json whose hash simulated quotes show (MRCONFIGID)")->check(CLI::ExistingFile);
  app.add_flag("--simulated-debug", o.simulated_debug, "for tests: simulated quotes show the DEBUG attribute, so that everybody refuses them");
  app.add_option("--host", host, "address of the organisation that is paid")->required();
  app.add_option("--listen", o.listen, "address of the HTTP interface")->capture_default_str();
  app.add_option("--channel", o.channel, "address of attested channels")->capture_default_str();
  app.add_option("--advertise-channel", o.advertise, "where other nodes reach the channel, if not at --channel");
  app.add_option("--rpc", o.rpc, "JSON-RPC of the chain")->capture_default_str();
  app.add_option("--isa", o.isa, "scalar, avx2, avx512 or amx (default: the best of the first three)");
  app.add_option("--threads", o.threads, "compute threads (default: one per core)");
  app.add_option("--max-context", o.max_context, "positions of one sequence")->capture_default_str();
  app.add_option("--max-sequences", o.max_sequences, "sequences at once")->capture_default_str();
  app.add_option("--kv-megabytes", o.kv_megabytes, "memory for KV caches")->capture_default_str();
  app.add_flag("--verbose", o.verbose, "log more");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    std::exit(app.exit(e) == 0 ? 0 : ExitCode(Code::kInvalidArgument));
  }
  if (o.threads == 0) o.threads = std::max(1u, std::thread::hardware_concurrency());
  auto address = crypto::ParseAddress(host);
  if (!address) {
    std::fprintf(stderr, "teetee-node: --host: %s\n", address.error().message().c_str());
    std::exit(ExitCode(Code::kInvalidArgument));
  }
  o.host = *address;
  if (o.advertise.empty()) o.advertise = o.channel;
  return o;
}

}  // namespace teetee::node
