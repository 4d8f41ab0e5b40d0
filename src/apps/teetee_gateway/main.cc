#include <boost/asio/signal_set.hpp>
#include <csignal>
#include <cstdio>

#include "apps/teetee_gateway/options.h"
#include "apps/teetee_gateway/port_holder.h"
#include "base/file.h"
#include "base/log.h"
#include "crypto/key_file.h"
#include "net/url.h"
#include "transport/probe.h"

namespace {

using namespace teetee;

Error ExplainInUse(Error error, const std::string& listen) {
  auto address = net::ParseHostPort(listen);
  if (error.code() != Code::kUnavailable || !address) return error;
  auto holder = gateway::PortHolder(address->port);
  if (!holder) return error;
  return Error(error.code(),
               error.message() + ": " + *holder + " holds it; stop it, or choose another --listen");
}

constexpr net::Millis kProbeTimeout{10'000};

Result<std::unique_ptr<gateway::Gateway>> Open(net::IoContext& io, gateway::Options& options) {
  options.settings.pool.tls_probe = [](std::string address, net::AddressRule may_dial) {
    return transport::ProbeChannel(std::move(address), kProbeTimeout, std::move(may_dial));
  };
  TT_RETURN_IF_ERROR(MakeDirectories(options.settings.state));
  auto gas_key = TT_TRY(crypto::LoadOrCreateSigningKey(options.gas_key_file));
  auto opened = gateway::Gateway::Open(io, std::move(gas_key), options.settings);
  if (!opened) return ExplainInUse(std::move(opened).error(), options.settings.listen);
  return opened;
}

Status Run(gateway::Options options) {
  net::IoContext io(1);
  auto opened = Open(io, options);
  if (!opened) return std::move(opened).error();
  gateway::Gateway& gateway = **opened;
  gateway.Start();
  LogInfo("gateway", "listens on port " + std::to_string(gateway.port()) + "; gas key " +
                         crypto::AddressText(gateway.relay().gas_address()));
  boost::asio::signal_set signals(io, SIGINT, SIGTERM);
  signals.async_wait([&](auto, int) {
    net::Spawn(
        io.get_executor(),
        [](gateway::Gateway& g, net::IoContext& loop) -> net::Task<void> {
          LogInfo("gateway", "stops");
          co_await g.Stop();
          loop.stop();
        }(gateway, io),
        "stop");
  });
  io.run();
  return Ok{};
}

}  // namespace

int main(int argc, char** argv) {
  gateway::Options options = gateway::ParseOptions(argc, argv);
  if (options.verbose) SetLogLevel(LogLevel::kDebug);
  ProtectProcess();  // the gas key
  std::signal(SIGPIPE, SIG_IGN);
  try {
    Status status = Run(std::move(options));
    if (status) return 0;
    std::fprintf(stderr, "teetee-gateway: %s\n", status.error().message().c_str());
    return ExitCode(status.error().code());
  } catch (const std::exception& e) {
    std::fprintf(stderr, "teetee-gateway: unexpected: %s\n", e.what());
    return 1;
  }
}
