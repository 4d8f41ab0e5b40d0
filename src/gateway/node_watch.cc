#include "gateway/node_watch.h"

#include "base/log.h"
#include "crypto/hash.h"
#include "net/url.h"

namespace teetee::gateway {
namespace {

constexpr size_t kMaxHealth = 16u << 10;  // bytes

// The class in a healthz answer that names the key.
Result<std::string> ReadHealth(std::string_view text, const Address& key) {
  const Json json = TT_TRY(Json::Parse(text, {.max_bytes = kMaxHealth, .max_depth = 8}));
  auto named = FromHexFixed<20>(TT_TRY(json.GetString("key")));
  if (!named || *named != key)
    return Error(Code::kUnauthenticated, "it is another node than the chain says");
  auto evidence_class = json.GetString("class");
  return evidence_class ? *std::move(evidence_class) : std::string();
}

// A host wrote its node's URL on chain. What is not probed is never reachable, and so is asked for nothing else.
net::Task<Status> CheckEgress(std::string base, net::Egress egress) {
  auto url = net::ParseUrl(base);
  TT_CO_CHECK(url);
  const std::string host = url->host.find(':') == std::string::npos ? url->host : "[" + url->host + "]";
  auto allowed = co_await net::AllowedAddress(host + ":" + std::to_string(url->port), egress);
  TT_CO_CHECK(allowed);
  co_return Ok{};
}

}  // namespace

NodeWatch::NodeWatch(const net::Executor& executor, Store& store, Directory& directory,
                     NodeSettings settings)
    : executor_(executor),
      store_(store),
      directory_(directory),
      settings_(settings),
      http_(executor, 2),
      probes_(executor) {}

net::Task<void> NodeWatch::Run() {
  for (;;) {
    StartProbes();
    co_await net::Sleep(settings_.interval);
  }
}

net::Task<void> NodeWatch::Stop() {
  probes_.Cancel();
  co_await probes_.Join();
}

void NodeWatch::StartProbes() {
  for (const auto& [key, node] : directory_.nodes()) {
    if (probing_.size() >= settings_.at_once) return;
    if (!directory_.HasGrace(node) || probing_.count(key) != 0) continue;
    probing_.insert(key);
    probes_.Spawn(Probe(node), "probe");
  }
}

net::Task<void> NodeWatch::Probe(NodeRecord node) {
  struct Done {
    std::set<Address>& set;
    Address key;
    ~Done() { set.erase(key); }
  } done{probing_, node.key};
  const bool was_reachable = directory_.IsReachable(node.key);
  auto base = NodeBaseUrl(node.url);
  auto health = Result<std::string>(Error(Code::kInvalidArgument, ""));
  auto allowed = Status(Ok{});
  if (base) allowed = co_await CheckEgress(*base, settings_.egress);
  if (!allowed) {
    health = allowed.error();
  } else if (base) {
    health = co_await AskHealth(*base, node.key);
  } else {
    health = base.error();
  }
  directory_.NoteProbe(node.key, health ? std::optional(*health) : std::nullopt);
  if (!health) ++failures_;
  if (directory_.IsReachable(node.key) != was_reachable) {
    LogInfo("gateway", "node " + crypto::AddressText(node.key) +
                           (health ? " answers" : " does not answer: " + health.error().message()));
  }
  auto wanted = directory_.WantedManifest(node);
  if (!health || !wanted || net::SteadyClock::now() < manifest_after_[node.key]) co_return;
  Status asked = co_await AskManifest(*base, node.key, *wanted);
  if (asked) co_return;
  manifest_after_[node.key] = net::SteadyClock::now() + settings_.manifest_retry;
  LogWarn("gateway",
          "manifest from node " + crypto::AddressText(node.key) + ": " + asked.error().message());
}

net::Task<Result<std::string>> NodeWatch::AskHealth(std::string base, Address key) {
  net::HttpRequestOptions request;
  request.url = base + "/healthz";
  request.timeout = settings_.timeout;
  request.max_response_bytes = kMaxHealth;
  auto response = co_await http_.Fetch(std::move(request));
  TT_CO_CHECK(response);
  if (response->status != 200)
    co_return Error(Code::kUnavailable, "healthz says " + std::to_string(response->status));
  co_return ReadHealth(response->text(), key);
}

net::Task<Status> NodeWatch::AskManifest(std::string base, Address key, Hash32 wanted) {
  net::HttpRequestOptions request;
  request.url = base + "/v1/teetee/manifest";
  request.timeout = settings_.manifest_timeout;
  request.max_response_bytes = kMaxManifest;
  manifest_after_[key] = net::SteadyClock::now() + settings_.manifest_timeout;  // not twice at once
  auto response = co_await http_.Fetch(std::move(request));
  TT_CO_CHECK(response);
  if (response->status != 200)
    co_return Error(Code::kUnavailable, "status " + std::to_string(response->status));
  if (crypto::Sha256(response->body) != wanted)
    co_return Error(Code::kDataLoss, "its SHA-256 is not the model's");
  std::string text(response->text());
  auto added = directory_.AddManifest(text);
  TT_CO_CHECK(added);
  LogInfo("gateway", "manifest of model family found, SHA-256 " + ToHex(*added));
  co_return store_.PutManifest(*added, text);
}

}  // namespace teetee::gateway
