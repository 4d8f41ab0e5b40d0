#include "gateway/pool.h"

#include "crypto/random.h"
#include "gateway/answers.h"
#include "net/egress.h"
#include "net/url.h"
#include "protocol/fields.h"

namespace teetee::gateway {
namespace {

using net::HttpReply;
using net::HttpRequest;
using net::HttpResponse;
using net::Task;

constexpr size_t kMaxAsk = 512u << 10;       // bytes of a request to Check, Relay or Approve
constexpr size_t kMaxHealth = 16u << 10;     // bytes of answers
constexpr size_t kMaxEvidence = 1u << 20;
constexpr size_t kMaxKnown = 64u << 10;
constexpr char kJson[] = "application/json";
constexpr char kOctets[] = "application/octet-stream";

struct RelayPath {
  std::string_view path, method;
  size_t max_answer;
};
constexpr RelayPath kRelayed[] = {{"/v1/teetee/evidence", "GET", kMaxEvidence},
                                  {"/v1/teetee/manifest", "GET", kMaxManifest},
                                  {"/v1/teetee/join-evidence", "POST", kMaxEvidence},
                                  {"/v1/teetee/challenge", "POST", 4096},
                                  {"/v1/teetee/known-answer", "POST", kMaxKnown}};

Result<Json> ReadBody(const HttpRequest& request) { return Json::Parse(request.text(), {.max_bytes = kMaxAsk, .max_depth = 32}); }

struct Count {
  size_t& n;
  explicit Count(size_t& counter) : n(counter) { ++n; }
  ~Count() { --n; }
};

struct Outcome {
  enum { kPassed, kFailed, kSkipped } state = kPassed;
  std::string detail, cure;
  Json data = Json::MakeObject();

  static Outcome Passed(std::string detail, Json data = Json::MakeObject()) { return {kPassed, std::move(detail), "", std::move(data)}; }
  static Outcome Failed(std::string detail, std::string cure) { return {kFailed, std::move(detail), std::move(cure), Json::MakeObject()}; }
  static Outcome Skipped(std::string detail) { return {kSkipped, std::move(detail), "", Json::MakeObject()}; }
};

std::string_view StateName(const Outcome& outcome) {
  return outcome.state == Outcome::kPassed ? "passed" : outcome.state == Outcome::kFailed ? "failed" : "skipped";
}

std::string EventText(std::string_view check, std::string_view status, std::string_view detail, std::string_view cure, Json data) {
  Json out = Json::MakeObject();
  out.Set("check", check).Set("status", status).Set("detail", detail).Set("cure", cure.empty() ? Json() : Json(cure));
  return out.Set("seen_by", "gateway").Set("data", std::move(data)).Dump();
}

std::string Milliseconds(net::SteadyClock::duration time) {
  return std::to_string(std::chrono::duration_cast<net::Millis>(time).count()) + " ms";
}

}  // namespace

struct Pool::Wanted {
  std::string base, authority;  // http://host:port/path, host:port
  Error refusal{Code::kInternal, ""};  // where base is empty
  const ModelRecord* model = nullptr;
  chain::Family family{};
  uint64_t slot = 0;
  std::optional<Address> host;
};

Pool::Pool(const net::Executor& executor, const Directory& directory, PoolSettings settings)
    : directory_(directory),
      settings_(std::move(settings)),
      nodes_(executor, 2, net::Millis(5000), settings_.may_dial),
      auditor_(executor, 2),
      checks_(settings_.checks),
      relays_(settings_.relays),
      approvals_(settings_.approvals) {}

Task<Result<HttpResponse>> Pool::Ask(std::string method, std::string url, Bytes body, net::Millis timeout, size_t most) {
  net::HttpRequestOptions options;
  const bool octets = url.ends_with("/challenge");
  options.method = std::move(method);
  options.url = std::move(url);
  if (options.method == "POST") options.headers.Set("Content-Type", octets ? kOctets : kJson);
  options.body = std::move(body);
  options.timeout = timeout;
  options.idle_timeout = timeout;
  options.max_response_bytes = most;
  auto response = co_await nodes_.Fetch(std::move(options));
  co_return std::move(response);
}

// ---- checks

// One run of the checks over one URL, each told as it comes.
class Pool::Run {
 public:
  Run(Pool& pool, const Wanted& wanted, HttpReply& reply) : pool_(pool), wanted_(wanted), reply_(reply) {}

  Task<void> All() {
    bool good = co_await Tell("node.address", &Run::Address);
    good = co_await TellIf(good, "node.reachable", &Run::Reachable);
    good = co_await TellIf(good, "node.identity", &Run::Identity);
    (void)co_await TellIf(good, "node.tls", &Run::Tls);
    (void)co_await TellIf(good, "node.speed", &Run::Speed);
  }

 private:
  using Step = Task<Outcome> (Run::*)();

  Task<bool> Tell(const char* check, Step step) {
    (void)co_await reply_.Sse(EventText(check, "running", "", "", Json::MakeObject()));
    auto outcome = co_await (this->*step)();
    const bool passed = outcome.state != Outcome::kFailed;
    (void)co_await reply_.Sse(EventText(check, StateName(outcome), outcome.detail, outcome.cure, std::move(outcome.data)));
    co_return passed;
  }
  Task<bool> TellIf(bool good, const char* check, Step step) {
    if (good && !reply_.peer_gone()) co_return co_await Tell(check, step);
    (void)co_await reply_.Sse(EventText(check, "skipped", "a check before it failed", "", Json::MakeObject()));
    co_return false;
  }

  Task<Outcome> Address() {
    if (wanted_.base.empty())
      co_return Outcome::Failed(wanted_.refusal.message(), "Paste the node's URL as others reach it, like http://node.example:9100.");
    // Whether it answers is the next check's question; here only where its name leads.
    auto stream = co_await net::TcpStream::Connect(wanted_.authority, pool_.settings_.timeout, pool_.settings_.may_dial);
    if (!stream && stream.error().code() == Code::kPermissionDenied)
      co_return Outcome::Failed(stream.error().message(), "Use an address that the public network reaches; private ones are not dialled.");
    co_return Outcome::Passed(wanted_.base + " may be dialled");
  }

  Task<Outcome> Reachable() {
    const auto began = net::SteadyClock::now();
    auto health = co_await pool_.Ask("GET", wanted_.base + "/healthz", {}, pool_.settings_.timeout, kMaxHealth);
    const std::string took = Milliseconds(net::SteadyClock::now() - began);
    if (!health)
      co_return Outcome::Failed(health.error().message(), "Is the node running, and does its firewall let this port in? Try the URL with curl from another machine.");
    if (health->status != 200)
      co_return Outcome::Failed("healthz answers with status " + std::to_string(health->status), "Wait until the node has started; its log says what it waits for.");
    auto json = Json::Parse(health->text(), {.max_bytes = kMaxHealth, .max_depth = 8});
    if (!json) co_return Outcome::Failed("healthz does not answer as a teetee-node does", "Is this the node's own port, without a proxy that answers for it?");
    health_ = *std::move(json);
    co_return Outcome::Passed("answered in " + took);
  }

  Task<Outcome> Identity() {
    auto evidence = co_await pool_.Ask("GET", wanted_.base + "/v1/teetee/evidence", {}, pool_.settings_.timeout, kMaxEvidence);
    if (!evidence || evidence->status != 200) co_return Outcome::Failed("the node shows no evidence", "Look at the node's log: it must be able to quote.");
    co_return JudgeIdentity(evidence->text());
  }

  Outcome JudgeIdentity(std::string_view evidence_text) {
    auto evidence = Json::Parse(evidence_text, {.max_bytes = kMaxEvidence});
    auto key = protocol::GetHex<20>(health_, "key");
    auto model = protocol::GetHex<32>(health_, "model");
    auto slot = health_.GetUint64("slot");
    if (!evidence || !key || !model || !slot) return Outcome::Failed("the node does not say who it is", "Run this release of teetee-node.");
    auto host = protocol::GetHex<20>(*evidence, "host");
    channel_ = evidence->GetString("channel").has_value() ? *evidence->GetString("channel") : "";
    slot_ = *slot;
    const ModelRecord* served = directory().FindModel(*model);
    if (served == nullptr || served->family != wanted_.family)
      return Outcome::Failed("the node serves model " + ToHex0x(*model), "Start it with the shard and parameters of the model that you chose.");
    if (*slot != wanted_.slot)
      return Outcome::Failed("the node serves slot " + std::to_string(*slot) + ", you chose slot " + std::to_string(wanted_.slot), "Start it with the shard of the slot that you chose, or choose its slot.");
    if (wanted_.host && (!host || *host != *wanted_.host))
      return Outcome::Failed("the node was started for host " + (host ? ToHex0x(*host) : std::string("unknown")), "Start it with --host " + ToHex0x(*wanted_.host) + ", or connect that wallet.");
    Json data = Json::MakeObject();
    data.Set("key", ToHex0x(*key)).Set("slot", *slot).Set("model", ToHex0x(*model)).Set("host", host ? Json(ToHex0x(*host)) : Json()).Set("channel", channel_);
    return Outcome::Passed("key " + ToHex0x(*key) + ", slot " + std::to_string(*slot), std::move(data));
  }

  // A node of slot 0 dials and is never dialled.
  Task<Outcome> Tls() {
    if (slot_ == 0) co_return Outcome::Skipped("a node of slot 0 takes no channels: it dials the others");
    if (!pool_.settings_.tls_probe) co_return Outcome::Skipped("this gateway has no means to dial channels");
    auto key = co_await pool_.settings_.tls_probe(channel_, pool_.settings_.may_dial);
    if (!key)
      co_return Outcome::Failed(key.error().message(), "Other nodes dial the channel: open its port and tell the node its public address with --advertise-channel HOST:PORT.");
    Json data = Json::MakeObject();
    data.Set("spki_sha256", ToHex(*key)).Set("channel", channel_);
    co_return Outcome::Passed("TLS 1.3 at " + channel_ + "; the page compares the key with the evidence", std::move(data));
  }

  // Timed here. Whether the answers are right, the page judges itself.
  Task<Outcome> Speed() {
    Json ask = Json::MakeObject();
    ask.Set("nonce", ToHex(crypto::RandomArray<32>()));
    const std::string text = ask.Dump();
    const auto began = net::SteadyClock::now();
    auto known = co_await pool_.Ask("POST", wanted_.base + "/v1/teetee/known-answer", ToBytes(AsBytes(text)), pool_.settings_.known_answer_timeout, kMaxKnown);
    const auto took = net::SteadyClock::now() - began;
    if (known && known->status == 429) co_return Outcome::Skipped("the node computes known answers for someone else right now");
    if (!known || known->status != 200) co_return Outcome::Failed("the node computes no known answers", "Run this release of teetee-node; its log says more.");
    co_return JudgeSpeed(known->text(), took);
  }

  Outcome JudgeSpeed(std::string_view text, net::SteadyClock::duration took) {
    auto json = Json::Parse(text, {.max_bytes = kMaxKnown});
    auto kats = json ? json->GetArray("kats") : Result<const Json*>(json.error());
    if (!kats) return Outcome::Failed("the known answers are malformed", "Run this release of teetee-node.");
    uint64_t rows = 0;
    for (const Json& kat : (*kats)->as_array()) {
      auto count = protocol::GetBounded(kat, "n_tokens", 4096);
      if (count) rows += *count;
    }
    const double seconds = std::chrono::duration<double>(took).count();
    const double rate = seconds > 0 ? static_cast<double>(rows) / seconds : 0;
    Json data = Json::MakeObject();
    data.Set("rows", rows).Set("seconds", seconds).Set("rows_per_second", rate);
    return Outcome::Passed(std::to_string(rows) + " rows in " + Milliseconds(took), std::move(data));
  }

  const Directory& directory() const { return pool_.directory_; }

  Pool& pool_;
  const Wanted& wanted_;
  HttpReply& reply_;
  Json health_;
  std::string channel_;
  uint64_t slot_ = 0;
};

Result<Pool::Wanted> Pool::ReadWanted(const HttpRequest& request) const {
  const Json body = TT_TRY(ReadBody(request));
  Wanted out;
  const std::string url = TT_TRY(body.GetString("url"));
  const ModelRecord* model = directory_.FindModel(std::string_view(TT_TRY(body.GetString("model"))));
  if (model == nullptr) return Error(Code::kNotFound, "no such model: /v1/models lists them");
  out.family = model->family;
  out.slot = TT_TRY(protocol::GetBounded(body, "slot", model->params.slots.size() - 1));
  if (const Json* host = body.Find("host"); host != nullptr && !host->is_null()) out.host = TT_TRY(protocol::GetHex<20>(body, "host"));
  auto base = net::NodeBaseUrl(url);
  if (base) {
    const net::Url parsed = TT_TRY(net::ParseUrl(*base));
    const bool v6 = parsed.host.find(':') != std::string::npos;
    out.authority = (v6 ? "[" + parsed.host + "]" : parsed.host) + ":" + std::to_string(parsed.port);
    out.base = *std::move(base);
  } else {
    out.refusal = base.error();
  }
  return out;
}

Task<void> Pool::Check(HttpRequest& request, HttpReply& reply) {
  Status allowed = checks_.Take(request.remote, net::SteadyClock::now());
  if (allowed && running_ >= settings_.max_at_once) allowed = Error(Code::kResourceExhausted, "too many checks at once: try again");
  auto wanted = allowed ? ReadWanted(request) : Result<Wanted>(allowed.error());
  if (!wanted) {
    auto response = ErrorResponse(wanted.error());
    (void)co_await reply.Send(std::move(response));
    co_return;
  }
  Count count(running_);
  Status begun = co_await reply.BeginSse();
  if (!begun) co_return;
  Run run(*this, *wanted, reply);
  co_await run.All();
  (void)co_await reply.Sse(R"({"done":true})");
  (void)co_await reply.End();
}

// ---- relay

Task<void> Pool::Relay(HttpRequest& request, HttpReply& reply) {
  auto response = co_await RelayOnce(request);
  (void)co_await reply.Send(std::move(response));
}

Task<HttpResponse> Pool::RelayOnce(HttpRequest& request) {
  Status allowed = relays_.Take(request.remote, net::SteadyClock::now());
  if (allowed && running_ >= settings_.max_at_once) allowed = Error(Code::kResourceExhausted, "too many requests at once: try again");
  if (!allowed) co_return ErrorResponse(allowed.error());
  Count count(running_);
  struct Ready {
    std::string base;
    const RelayPath* path;
    Bytes body;
  };
  auto ready = [&]() -> Result<Ready> {
    const Json body = TT_TRY(ReadBody(request));
    const std::string path = TT_TRY(body.GetString("path"));
    const auto* known = std::find_if(std::begin(kRelayed), std::end(kRelayed), [&](auto& r) { return r.path == path; });
    if (known == std::end(kRelayed)) return Error(Code::kPermissionDenied, "this path of a node is not relayed");
    const Json* given = body.Find("body");
    Bytes bytes;
    if (given != nullptr && !given->is_null()) bytes = TT_TRY(FromBase64(TT_TRY(body.GetString("body"))));
    return Ready{TT_TRY(net::NodeBaseUrl(TT_TRY(body.GetString("url")))), known, std::move(bytes)};
  }();
  if (!ready) co_return ErrorResponse(ready.error());
  const bool known_answer = ready->path->path.ends_with("known-answer");
  auto answer = co_await Ask(std::string(ready->path->method), ready->base + std::string(ready->path->path), std::move(ready->body),
                             known_answer ? settings_.known_answer_timeout : settings_.timeout, ready->path->max_answer);
  if (!answer) co_return ErrorResponse(answer.error());
  // Only what the interface has: a node must not make the gateway's origin serve a page.
  const bool octets = answer->headers.Find("Content-Type").value_or("") == kOctets;
  HttpResponse out = HttpResponse::Text(answer->status, answer->text(), octets ? kOctets : kJson);
  out.headers.Set("Cache-Control", "no-store").Set("X-Content-Type-Options", "nosniff").Set("X-TeeTee-Relayed", "node");
  if (answer->status == 429) out.headers.Set("Retry-After", "1");
  co_return out;
}

// ---- approve

Task<void> Pool::Approve(HttpRequest& request, HttpReply& reply) {
  auto response = co_await ApproveOnce(request);
  (void)co_await reply.Send(std::move(response));
}

Task<HttpResponse> Pool::ApproveOnce(HttpRequest& request) {
  if (settings_.auditor.empty()) {
    co_return ErrorResponse(Error(Code::kFailedPrecondition, "this gateway knows no auditor: get the approval from one by `teetee attest approve`"));
  }
  Status allowed = approvals_.Take(request.remote, net::SteadyClock::now());
  if (allowed && running_ >= settings_.max_at_once) allowed = Error(Code::kResourceExhausted, "too many requests at once: try again");
  if (!allowed) co_return ErrorResponse(allowed.error());
  auto body = ReadBody(request);
  if (!body) co_return ErrorResponse(body.error());
  Count count(running_);
  net::HttpRequestOptions options;
  options.method = "POST";
  options.url = settings_.auditor + "/v1/teetee/approve";
  options.headers.Set("Content-Type", kJson);
  options.body = std::move(request.body);
  options.timeout = settings_.timeout;
  options.max_response_bytes = kMaxKnown;
  auto answer = co_await auditor_.Fetch(std::move(options));
  if (!answer) co_return ErrorResponse(Error(Code::kUnavailable, "the auditor does not answer now: try again"));
  auto json = Json::Parse(answer->text(), {.max_bytes = kMaxKnown});
  if (!json || answer->status >= 600) co_return ErrorResponse(Error(Code::kDataLoss, "the auditor's answer is malformed"));
  co_return HttpResponse::OfJson(answer->status, *json);
}

}  // namespace teetee::gateway
