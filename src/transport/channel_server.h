// Listens for channels: accepts, shakes hands within limits, and hands each verified channel to the
// handler. Threads: one io_context.
#pragma once

#include <functional>
#include <memory>

#include "transport/channel.h"

namespace teetee::transport {

// Serves one channel; it ends when the task ends (or later, if the handler keeps the channel
// elsewhere).
using ChannelHandler = std::function<net::Task<void>(std::unique_ptr<Channel>)>;

struct ChannelServerLimits {
  size_t max_handshakes = 32;              // at once; further connections are closed
  size_t max_channels = 1024;              // at once, while their handlers run
  size_t max_handshakes_per_minute = 600;  // for one address
};

class ChannelServer {
 public:
  // address: "127.0.0.1:7000"; port 0 takes a free one. kUnavailable naming the address when it is
  // in use.
  static Result<std::unique_ptr<ChannelServer>> Listen(net::IoContext& io, std::string_view address,
                                                       ChannelContext context,
                                                       ChannelHandler handler,
                                                       ChannelServerLimits limits = {});
  ~ChannelServer();

  uint16_t port() const;
  size_t channels() const;  // handlers at work
  size_t refused() const;   // handshakes that failed, since the start
  const std::string& last_refusal()
      const;  // why the latest of them did: for status pages and tests

  // Cancels handlers and handshakes, and returns when they have ended.
  net::Task<void> Stop();

 private:
  struct State;
  explicit ChannelServer(std::shared_ptr<State> state);
  std::shared_ptr<State> state_;
};

}  // namespace teetee::transport
