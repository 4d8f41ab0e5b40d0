#include <boost/asio/signal_set.hpp>
#include <csignal>
#include <cstdio>

#include "apps/teetee_node/node.h"
#include "base/file.h"
#include "base/log.h"

namespace {

using namespace teetee;

Status Run(const node::Options& options) {
  TT_RETURN_IF_ERROR(MakeDirectories(options.state));
  node::ModelFacts facts = TT_TRY(node::LoadFacts(options));
  net::IoContext io(1);
  auto node = TT_TRY(node::Node::Create(io, options, std::move(facts)));
  TT_RETURN_IF_ERROR(node->Start());
  boost::asio::signal_set signals(io, SIGINT, SIGTERM);
  signals.async_wait([&](auto, int) {
    net::Spawn(io.get_executor(), [](node::Node& n, net::IoContext& loop) -> net::Task<void> {
      co_await n.Stop();
      loop.stop();
    }(*node, io), "stop");
  });
  io.run();
  return Ok{};
}

}  // namespace

int main(int argc, char** argv) {
  node::Options options = node::ParseOptions(argc, argv);
  if (options.verbose) SetLogLevel(LogLevel::kDebug);
  ProtectProcess();
  std::signal(SIGPIPE, SIG_IGN);
  try {
    Status status = Run(options);
    if (status) return 0;
    std::fprintf(stderr, "teetee-node: %s\n", status.error().message().c_str());
    return ExitCode(status.error().code());
  } catch (const std::exception& e) {
    std::fprintf(stderr, "teetee-node: unexpected: %s\n", e.what());
    return 1;
  }
}
