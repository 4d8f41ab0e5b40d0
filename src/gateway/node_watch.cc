#include "gateway/node_watch.h"

#include "base/log.h"
#include "crypto/hash.h"
#include "net/egress.h"

namespace teetee::gateway {
namespace {

constexpr size_t kMaxHealth = 16u << 10;     // bytes
constexpr size_t kMaxEvidence = 1u << 20;    // bytes, collateral included
constexpr uint64_t kMaxCount = 1ull << 53;   // beyond it no sum is exact, and no node counted so far
constexpr double kMaxBusySeconds = 1e10;

Result<uint64_t> Count(const Json& json, std::string_view name) {
  const uint64_t value = TT_TRY(json.GetUint64(name));
  if (value > kMaxCount) return Error(Code::kInvalidArgument, "a count beyond 2^53");
  return value;
}

Result<NodeCounters> ReadCounters(const Json& health) {
  const Json* json = TT_TRY(health.GetObject("counters"));
  NodeCounters out;
  out.started = TT_TRY(Count(health, "started"));
  out.requests = TT_TRY(Count(*json, "requests"));
  out.tokens_in = TT_TRY(Count(*json, "tokens_in"));
  out.tokens_out = TT_TRY(Count(*json, "tokens_out"));
  const Json* busy = TT_TRY(json->Get("busy_seconds"));
  out.busy_seconds = busy->is_number() ? busy->as_double() : -1;
  if (!(out.busy_seconds >= 0 && out.busy_seconds <= kMaxBusySeconds))
    return Error(Code::kInvalidArgument, "busy_seconds is no time");
  return out;
}

}  // namespace

// It names the key; the rest is optional.
Result<NodeWatch::Health> NodeWatch::ReadHealth(std::string_view text, const Address& key) {
  const Json json = TT_TRY(Json::Parse(text, {.max_bytes = kMaxHealth, .max_depth = 8}));
  auto named = FromHexFixed<20>(TT_TRY(json.GetString("key")));
  if (!named || *named != key)
    return Error(Code::kUnauthenticated, "it is another node than the chain says");
  Health out;
  if (auto evidence_class = json.GetString("class")) out.evidence_class = *std::move(evidence_class);
  if (auto sequences = Count(json, "sequences")) out.sequences = *sequences;
  if (auto counters = ReadCounters(json)) out.counters = *counters;
  return out;
}

NodeWatch::NodeWatch(const net::Executor& executor, Store& store, Directory& directory,
                     History& history, NodeSettings settings)
    : executor_(executor),
      store_(store),
      directory_(directory),
      history_(history),
      settings_(settings),
      http_(executor, 2, net::Millis(30'000), settings.may_dial),
      probes_(executor) {}

net::Task<void> NodeWatch::Run() {
  for (;;) {
    StartProbes();
    if (net::SteadyClock::now() >= flush_after_) {
      flush_after_ = net::SteadyClock::now() + settings_.flush_every;
      if (Status flushed = history_.Flush(ClockNow()); !flushed)
        LogWarn("gateway", flushed.error().message());
    }
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
  auto base = net::NodeBaseUrl(node.url);
  auto health = Result<Health>(Error(Code::kInvalidArgument, ""));
  if (base) {
    health = co_await AskHealth(*base, node.key);
  } else {
    health = base.error();
  }
  if (health) {
    directory_.NoteProbe(node.key, health->evidence_class, health->sequences);
    if (health->counters) history_.NoteProbe(node.key, health->counters, ClockNow());
  } else {
    directory_.NoteProbe(node.key, std::nullopt);
    history_.NoteProbe(node.key, std::nullopt, ClockNow());
    ++failures_;
  }
  if (directory_.IsReachable(node.key) != was_reachable) {
    LogInfo("gateway", "node " + crypto::AddressText(node.key) +
                           (health ? " answers" : " does not answer: " + health.error().message()));
  }
  if (health && net::SteadyClock::now() >= evidence_after_[node.key]) {
    evidence_after_[node.key] = net::SteadyClock::now() + settings_.evidence_every;
    co_await AskEvidence(*base, node.key, directory_.EvidenceClass(node.key));
  }
  auto wanted = directory_.WantedManifest(node);
  if (!health || !wanted || net::SteadyClock::now() < manifest_after_[node.key]) co_return;
  Status asked = co_await AskManifest(*base, node.key, *wanted);
  if (asked) co_return;
  manifest_after_[node.key] = net::SteadyClock::now() + settings_.manifest_retry;
  LogWarn("gateway",
          "manifest from node " + crypto::AddressText(node.key) + ": " + asked.error().message());
}

net::Task<Result<NodeWatch::Health>> NodeWatch::AskHealth(std::string base, Address key) {
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

// Kept as it is, for whoever wants to look at it later. What it is worth is for them to judge.
net::Task<void> NodeWatch::AskEvidence(std::string base, Address key, std::string evidence_class) {
  net::HttpRequestOptions request;
  request.url = base + "/v1/teetee/evidence";
  request.timeout = settings_.timeout;
  request.max_response_bytes = kMaxEvidence;
  auto response = co_await http_.Fetch(std::move(request));
  if (!response || response->status != 200) co_return;
  auto json = Json::Parse(response->text(), {.max_bytes = kMaxEvidence});
  auto named = json ? json->GetString("key") : Result<std::string>(json.error());
  if (!named || *named != ToHex0x(key)) co_return;
  Status noted = history_.NoteEvidence(key, evidence_class, response->text(), ClockNow());
  if (!noted) LogWarn("gateway", noted.error().message());
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
