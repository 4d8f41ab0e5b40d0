#include "gateway/gateway.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "net/egress.h"

namespace teetee::gateway {
namespace {

// Any page may read what is public here and send what is sealed: nothing depends on cookies or on
// who asks.
std::optional<net::HttpHeaders> Cors(const net::HttpRequest&) {
  return net::HttpHeaders{{"Access-Control-Allow-Origin", "*"},
                          {"Access-Control-Allow-Methods", "GET, HEAD, POST"},
                          {"Access-Control-Allow-Headers", "Content-Type, Accept"},
                          {"Access-Control-Expose-Headers", "Retry-After, X-TeeTee-Relayed"},
                          {"Access-Control-Max-Age", "3600"}};
}

// Two instances with one state folder would send the same transactions.
Result<int> LockState(const std::string& folder) {
  const std::string path = folder + "/lock";
  const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0)
    return Error(Code::kUnavailable,
                 path + " cannot be opened: is --state a folder that you may write to?");
  if (::flock(fd, LOCK_EX | LOCK_NB) == 0) return fd;
  ::close(fd);
  return Error(Code::kFailedPrecondition, "another gateway uses the state folder " + folder +
                                              ": stop it, or choose another --state");
}

pages::SiteConfig SiteConfigOf(const GatewaySettings& s) {
  pages::SiteConfig out;
  out.served_by = "gateway";
  out.rpc = s.public_rpc;
  out.chain_id = s.identity.chain_id;
  out.registry = s.identity.registry;
  out.ledger = s.identity.ledger;
  out.from_block = s.from_block;
  out.image = s.node_image;
  out.auditor = !s.auditor.empty();
  return out;
}

chain::SenderOptions SenderOptionsOf(const GatewaySettings& settings) {
  chain::SenderOptions options;
  options.chain_id = settings.identity.chain_id;
  options.journal_path = settings.state + "/sender.journal";
  options.poll = settings.chain_poll;
  return options;
}

}  // namespace

Gateway::Gateway(net::IoContext& io, GatewaySettings settings)
    : io_(io), settings_(std::move(settings)), tasks_(io.get_executor()) {}
Gateway::~Gateway() {
  if (lock_ >= 0) ::close(lock_);
}

Result<std::unique_ptr<Gateway>> Gateway::Open(net::IoContext& io, crypto::SigningKey gas_key,
                                               GatewaySettings settings) {
  auto out = std::unique_ptr<Gateway>(new Gateway(io, std::move(settings)));
  Gateway& g = *out;
  const GatewaySettings& s = g.settings_;
  const auto executor = io.get_executor();
  if (!s.web.empty()) g.site_ = TT_TRY(pages::Site::Load(s.web, SiteConfigOf(s)));
  if (!s.node_image.empty()) TT_RETURN_IF_ERROR(pages::CheckImage(s.node_image));
  TT_RETURN_IF_ERROR(MakeDirectories(s.state));
  // First the address: a second instance must not touch the state of the first.
  auto handler = [&g](net::HttpRequest& request, net::HttpReply& reply) {
    return g.Handle(request, reply);
  };
  g.server_ = TT_TRY(net::HttpServer::Listen(io, s.listen, handler, s.http, Cors));
  g.lock_ = TT_TRY(LockState(s.state));
  g.store_ = TT_TRY(Store::Open(s.state + "/gateway.db", s.identity));
  g.history_ = TT_TRY(History::Open(s.state + "/history.db"));
  g.explore_ = std::make_unique<Explore>(ExploreParts{g.directory_, *g.store_, *g.history_});
  g.rpc_ = std::make_unique<chain::Rpc>(executor, chain::RpcOptions{s.rpc_url});
  g.sender_ = TT_TRY(chain::Sender::Open(g.rpc_.get(), std::move(gas_key), SenderOptionsOf(s)));
  const ChainSettings chain{s.identity, s.from_block, s.state + "/cursor.json", s.chain_poll};
  g.chain_ = TT_TRY(ChainWatch::Open(*g.rpc_, *g.store_, g.directory_, chain));
  const net::AddressRule may_dial = net::EgressRule(
      s.identity.chain_id == kDevelopmentChain ? net::Egress::kLoopback : net::Egress::kPublic);
  g.settings_.nodes.may_dial = g.settings_.sealed.may_dial = g.settings_.pool.may_dial = may_dial;
  g.settings_.pool.auditor = s.auditor;
  g.nodes_ = std::make_unique<NodeWatch>(executor, *g.store_, g.directory_, *g.history_, s.nodes);
  RelaySettings relay = s.relay;
  relay.identity = s.identity;
  relay.may_dial = may_dial;
  g.relay_ =
      TT_TRY(Relay::Open(executor, *g.rpc_, *g.sender_, *g.store_, g.directory_, *g.chain_, relay));
  g.sealed_ = std::make_unique<SealedRelay>(executor, g.directory_, *g.history_, s.sealed);
  g.pool_ = std::make_unique<Pool>(executor, g.directory_, s.pool);
  return out;
}

void Gateway::Start() {
  tasks_.Spawn(chain_->Run(), "chain watch");
  tasks_.Spawn(nodes_->Run(), "node watch");
  tasks_.Spawn(sender_->Run(), "sender");
  tasks_.Spawn(relay_->Run(), "relay");
}

net::Task<void> Gateway::Stop() {
  co_await server_->Stop();
  tasks_.Cancel();
  co_await tasks_.Join();
  co_await nodes_->Stop();
  co_await relay_->Stop();
  if (Status flushed = history_->Flush(ClockNow()); !flushed)
    LogWarn("gateway", flushed.error().message());
}

}  // namespace teetee::gateway
