#include "transport/channel_server.h"

#include <map>

#include "base/check.h"
#include "base/log.h"

namespace teetee::transport {
namespace {

constexpr size_t kMaxAddresses =
    4096;  // of which handshakes are counted; beyond, the counts start anew

// Counts events per address in windows of one minute.
class MinuteCounter {
 public:
  bool Allow(const std::string& address, size_t most) {
    auto now = net::SteadyClock::now();
    if (now - start_ >= std::chrono::minutes(1) || counts_.size() >= kMaxAddresses) {
      counts_.clear();
      start_ = now;
    }
    return ++counts_[address] <= most;
  }

 private:
  net::SteadyClock::time_point start_ = net::SteadyClock::now();
  std::map<std::string, size_t> counts_;
};

struct Count {
  size_t& n;
  explicit Count(size_t& counter) : n(counter) { ++n; }
  ~Count() { --n; }
};

}  // namespace

struct ChannelServer::State : std::enable_shared_from_this<ChannelServer::State> {
  State(net::IoContext& io, ChannelContext c, ChannelHandler h, ChannelServerLimits l)
      : tasks(io.get_executor()), context(std::move(c)), handler(std::move(h)), limits(l) {}
  net::TaskGroup tasks;
  ChannelContext context;
  ChannelHandler handler;
  ChannelServerLimits limits;
  std::unique_ptr<net::TcpListener> listener;
  MinuteCounter recent;
  size_t handshakes = 0;
  size_t channels = 0;
  size_t refused = 0;
  std::string last_refusal;

  static net::Task<void> AcceptLoop(std::shared_ptr<State> self) {
    for (;;) {
      auto stream = co_await self->listener->Accept();
      if (!stream && stream.error().code() == Code::kCancelled) co_return;
      if (!stream) {
        LogWarn("transport", stream.error().message());
        co_await net::Sleep(net::Millis(100));
        continue;
      }
      bool room = self->handshakes < self->limits.max_handshakes &&
                  self->channels < self->limits.max_channels;
      if (!room ||
          !self->recent.Allow((*stream)->remote(), self->limits.max_handshakes_per_minute)) {
        self->Refused("too many handshakes or channels");
        continue;
      }
      self->tasks.Spawn(Serve(self, *std::move(stream)), "channel");
    }
  }

  static net::Task<void> Serve(std::shared_ptr<State> self,
                               std::unique_ptr<net::TcpStream> stream) {
    auto channel = co_await self->Shake(std::move(stream));
    if (!channel) {
      self->Refused(channel.error().message());
      co_return;
    }
    Count count(self->channels);
    co_await self->handler(*std::move(channel));
  }

  net::Task<Result<std::unique_ptr<Channel>>> Shake(std::unique_ptr<net::TcpStream> stream) {
    Count count(handshakes);
    co_return co_await Accept(std::move(stream), context);
  }

  void Refused(std::string why) {
    ++refused;
    last_refusal = std::move(why);
    LogInfo("transport", "refused a channel: " + last_refusal);
  }
};

ChannelServer::ChannelServer(std::shared_ptr<State> state) : state_(std::move(state)) {}

ChannelServer::~ChannelServer() {
  state_->listener->Close();
  state_->tasks.Cancel();
}

Result<std::unique_ptr<ChannelServer>> ChannelServer::Listen(net::IoContext& io,
                                                             std::string_view address,
                                                             ChannelContext context,
                                                             ChannelHandler handler,
                                                             ChannelServerLimits limits) {
  TT_CHECK(handler && context.identity && context.trust && context.pool);
  auto state = std::make_shared<State>(io, std::move(context), std::move(handler), limits);
  state->listener = TT_TRY(net::TcpListener::Listen(io, address));
  state->tasks.Spawn(State::AcceptLoop(state), "channel accept");
  return std::unique_ptr<ChannelServer>(new ChannelServer(std::move(state)));
}

uint16_t ChannelServer::port() const { return state_->listener->port(); }
size_t ChannelServer::channels() const { return state_->channels; }
size_t ChannelServer::refused() const { return state_->refused; }
const std::string& ChannelServer::last_refusal() const { return state_->last_refusal; }

net::Task<void> ChannelServer::Stop() {
  std::shared_ptr<State> state = state_;
  state->listener->Close();
  state->tasks.Cancel();
  co_await state->tasks.Join();
}

}  // namespace teetee::transport
