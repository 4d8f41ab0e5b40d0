#include "apps/teetee_gateway/options.h"

#include <CLI/CLI.hpp>
#include <cstdio>
#include <cstdlib>

#include "base/version.h"

namespace teetee::gateway {
namespace {

crypto::Address AddressOrExit(const char* option, const std::string& text) {
  auto address = crypto::ParseAddress(text);
  if (address && !crypto::IsZero(*address)) return *address;
  std::fprintf(stderr, "teetee-gateway: %s: not the address of a contract (0x and 40 hex digits)\n",
               option);
  std::exit(ExitCode(Code::kInvalidArgument));
}

}  // namespace

Options ParseOptions(int argc, char** argv) {
  Options o;
  GatewaySettings& s = o.settings;
  std::string registry, ledger;
  CLI::App app{"teetee-gateway: relays sealed requests to nodes and what they sign to the chain"};
  app.set_version_flag("--version", VersionLine("teetee-gateway"));
  app.add_option("--listen", s.listen, "address of the HTTP interface")->capture_default_str();
  app.add_option("--rpc", s.rpc_url, "JSON-RPC of the chain, http://host:port")->required();
  app.add_option("--registry", registry, "address of the Registry")->required();
  app.add_option("--ledger", ledger, "address of the Ledger")->required();
  app.add_option("--chain-id", s.identity.chain_id, "id of the chain; 31337: development")
      ->required();
  app.add_option("--from-block", s.from_block, "block in which the contracts were deployed")
      ->capture_default_str();
  app.add_option("--state", s.state, "folder for the database and the sender's journal")
      ->required();
  app.add_option("--gas-key-file", o.gas_key_file,
                 "private key that pays for gas and owns nothing else, mode 0600 (default: gas.key "
                 "in --state, made when absent)");
  app.add_option("--web", s.web, "folder of the pages (web/dist); the status page is then /status");
  app.add_option("--public-rpc", s.public_rpc, "JSON-RPC of the chain for browsers");
  app.add_option("--node-image", s.node_image,
                 "image of a node that the pages name, name@sha256:DIGEST");
  app.add_option("--auditor", s.auditor, "URL of the auditor that signs joins (attest serve)");
  app.add_option("--max-per-address", s.http.max_requests_per_address,
                 "requests at once of one client address; more behind a reverse proxy")
      ->capture_default_str();
  app.add_flag("--verbose", o.verbose, "log more");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    std::exit(app.exit(e) == 0 ? 0 : ExitCode(Code::kInvalidArgument));
  }
  s.identity.registry = AddressOrExit("--registry", registry);
  s.identity.ledger = AddressOrExit("--ledger", ledger);
  if (o.gas_key_file.empty()) o.gas_key_file = s.state + "/gas.key";
  return o;
}

}  // namespace teetee::gateway
