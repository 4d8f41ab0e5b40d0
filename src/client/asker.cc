#include "client/asker.h"

#include <chrono>
#include <filesystem>

#include "base/file.h"
#include "base/log.h"
#include "chain/model_id.h"
#include "client/receipt_check.h"
#include "crypto/random.h"
#include "protocol/fields.h"
#include "protocol/outbox.h"
#include "protocol/payment.h"

namespace teetee::client {
namespace {

constexpr int64_t kExpirySeconds = 300;

int64_t UnixNow() {
  return std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch()).count();
}

uint64_t NumberOr(const Json& body, std::string_view key, uint64_t otherwise) {
  const Json* value = body.Find(key);
  if (!value) return otherwise;
  auto number = value->ToUint64();
  return number ? *number : otherwise;
}

// Tokens that a request may take at most, guessed from outside: the head says the exact need when the guess is short.
struct Estimate {
  uint64_t in = 0, out = 0;
};

Estimate EstimateTokens(const Json& body, size_t bytes, uint32_t default_max) {
  uint64_t max = NumberOr(body, "max_completion_tokens", NumberOr(body, "max_tokens", default_max));
  uint64_t choices = std::min<uint64_t>(NumberOr(body, "n", 1), 64);
  return {bytes / 3 + 64, std::min<uint64_t>(max, 1u << 24) * std::max<uint64_t>(choices, 1)};
}

void AppendTexts(const Json& data, std::vector<std::string>& outputs) {
  const Json* choices = data.Find("choices");
  if (!choices || !choices->is_array()) return;
  for (const Json& choice : choices->as_array()) {
    uint64_t index = NumberOr(choice, "index", 0);
    if (index >= 64) continue;
    if (outputs.size() <= index) outputs.resize(index + 1);
    const Json* holder = choice.Find("delta") ? choice.Find("delta") : choice.Find("message");
    const Json* text = holder ? holder->Find("content") : choice.Find("text");
    if (text && text->is_string()) outputs[index] += text->as_string();
  }
}

}  // namespace

struct Asker::Call {
  std::string path, body;
  Json parsed;
  std::string model_name;
  ChunkFn on_chunk;
  std::shared_ptr<const Route> route;
  protocol::SealedHeader header;
  Secret<32> secret;
  chain::Wei most;
  std::optional<Voucher> voucher;
  std::optional<chain::Query> query;
  std::optional<protocol::SealedExchange> sealed;

  Answered answered;
  std::vector<std::string> outputs;
  std::optional<protocol::ReceiptDocument> receipt;
  chain::Wei need;
  bool streamed = false;  // the client has seen something
  bool done = false;
  bool cancel_sent = false;

  Hash32 line() const { return chain::LineOf(route->model, route->plan.head().key); }
};

Asker::Asker(const net::Executor& executor, GatewayClient& gateway, const attest::TrustFile& trust, std::string trust_text, chain::Rpc& rpc,
             Wallet& wallet, AskerSettings settings)
    : executor_(executor),
      gateway_(gateway),
      trust_(trust),
      trust_text_(std::move(trust_text)),
      rpc_(rpc),
      wallet_(wallet),
      settings_(std::move(settings)),
      finder_(gateway, trust, &rpc) {}

net::Task<Result<std::shared_ptr<const Route>>> Asker::RouteTo(std::string model, bool again) {
  auto known = routes_.find(model);
  if (!again && known != routes_.end() && UnixNow() - known->second->verified_at < settings_.route_seconds) co_return known->second;
  routes_.erase(model);
  auto route = co_await finder_.Find(model, UnixNow());
  if (!route && route.error().code() == Code::kUnavailable) co_return std::move(route).error();
  TT_CO_CHECK(route);
  routes_[model] = *route;
  co_return *route;
}

// ---------------------------------------------------------------- asking

net::Task<Result<Answered>> Asker::Ask(std::string path, std::string body, ChunkFn on_chunk) {
  Call call;
  call.path = std::move(path);
  call.body = std::move(body);
  call.on_chunk = std::move(on_chunk);
  auto parsed = Json::Parse(call.body);
  TT_CO_CHECK(parsed);
  call.parsed = *std::move(parsed);
  auto name = call.parsed.GetString("model");
  TT_CO_CHECK(name);
  call.model_name = *name;
  for (int attempt = 0;; ++attempt) {
    auto route = co_await RouteTo(call.model_name, attempt > 0);
    TT_CO_CHECK(route);
    call.route = *route;
    auto answered = co_await Try(call);
    if (!answered || answered->status >= 500 || answered->status == 409) routes_.erase(call.model_name);
    // A node that was restarted has new keys: verify anew and try once more, as long as the client has seen nothing.
    bool stale = answered ? answered->status == 409 : answered.error().code() == Code::kFailedPrecondition || answered.error().code() == Code::kNotFound;
    if (!stale || attempt > 0 || call.streamed) co_return answered;
    call.answered = Answered();
    call.outputs.clear();
    call.receipt.reset();
  }
}

net::Task<Result<Answered>> Asker::Try(Call& call) {
  Estimate tokens = EstimateTokens(call.parsed, call.body.size(), settings_.default_max_tokens);
  if (tokens.in + tokens.out > settings_.most_tokens) {
    co_return Error(Code::kInvalidArgument, "the request may take more tokens than this proxy allows for one (" + std::to_string(settings_.most_tokens) + ")");
  }
  call.most = chain::CostOf(static_cast<uint32_t>(tokens.in), static_cast<uint32_t>(tokens.out), call.route->params.price_in, call.route->params.price_out);
  chain::Wei limit = chain::CostOf(static_cast<uint32_t>(tokens.in * 4 + 4096), static_cast<uint32_t>(tokens.out), call.route->params.price_in, call.route->params.price_out);
  for (int attempt = 0;; ++attempt) {
    call.secret = crypto::RandomSecret<32>();
    call.header.request = crypto::RandomArray<16>();
    Status paid = co_await Pay(call);
    TT_CO_CHECK(paid);
    Status exchanged = co_await Exchange(call);
    Status finished = Finish(call);
    TT_CO_CHECK(exchanged);
    TT_CO_CHECK(finished);
    bool short_of = call.answered.status == 402 && !call.need.is_zero() && attempt == 0 && settings_.pay == PayMode::kTab;
    if (!short_of) break;
    // The head named the voucher total that would do; more than the limit is not signed for.
    auto tab = co_await wallet_.Tab(call.route->model, call.route->plan.head().key);
    TT_CO_CHECK(tab);
    auto covered = tab->used.Plus(tab->in_flight);
    TT_CO_CHECK(covered);
    auto more = call.need.Minus(*covered);
    if (!more || *more > limit || *more <= call.most) break;
    call.most = *more;
    call.answered = Answered();
  }
  co_return std::move(call.answered);
}

net::Task<Status> Asker::Pay(Call& call) {
  const crypto::Address head = call.route->plan.head().key;
  call.voucher.reset();
  if (settings_.pay == PayMode::kTab) {
    auto voucher = co_await wallet_.Cover(call.route->model, head, call.most);
    TT_CO_CHECK(voucher);
    call.voucher = *std::move(voucher);
    co_return Ok{};
  }
  // The exact need is not known beforehand; what is not used comes back when the query is settled.
  chain::Wei most = call.most.ScaledUp(3, 2);
  auto query = co_await wallet_.OpenQuery(call.route->model, head, protocol::CommitInput(call.secret, call.body), most);
  TT_CO_CHECK(query);
  call.query = *query;
  co_return Ok{};
}

net::Task<Status> Asker::Exchange(Call& call) {
  const attest::Claims& head = call.route->head();
  call.header.boot = head.boot_id;
  call.header.expires = UnixNow() + kExpirySeconds;
  call.header.head = head.signing_address;
  call.header.model = call.route->model;
  call.header.path = call.path;
  call.header.plan = call.route->plan.Hash();
  protocol::Payment payment = call.voucher ? protocol::Payment(call.voucher->payment) : protocol::Payment(protocol::StrictPayment{*call.query});
  Json content = Json::MakeObject({{"body", call.body},
                                   {"plan", call.route->plan.ToJson()},
                                   {"payment", protocol::PaymentJson(payment)},
                                   {"secret", ToHex(call.secret.view())}});
  auto sealed = protocol::Seal(call.header, head.hpke_key, content);
  TT_CO_CHECK(sealed);
  call.sealed.emplace(*std::move(sealed));
  auto stream = co_await gateway_.Sealed(call.sealed->wire);
  TT_CO_CHECK(stream);
  while (!call.sealed->opener.finished()) {
    auto piece = co_await stream->Next();
    TT_CO_CHECK(piece);
    if (!*piece) co_return Error(Code::kUnavailable, "the answer was cut off on the way");
    auto events = call.sealed->opener.Push(**piece);
    TT_CO_CHECK(events);
    for (const Json& event : *events) {
      Status taken = co_await OnEvent(call, event);
      TT_CO_CHECK(taken);
    }
  }
  co_return Ok{};
}

net::Task<Status> Asker::OnEvent(Call& call, const Json& event) {
  auto kind = event.GetString("t");
  TT_CO_CHECK(kind);
  if (*kind == "chunk") {
    auto data = event.GetObject("data");
    TT_CO_CHECK(data);
    AppendTexts(**data, call.outputs);
    if (call.cancel_sent) co_return Ok{};
    call.streamed = true;
    Status passed = co_await call.on_chunk(**data);
    if (!passed) co_await Cancel(call);
  } else if (*kind == "body") {
    auto data = event.GetObject("data");
    TT_CO_CHECK(data);
    AppendTexts(**data, call.outputs);
    call.answered.body = **data;
  } else if (*kind == "error") {
    auto error = event.GetObject("error");
    TT_CO_CHECK(error);
    call.answered.status = static_cast<int>(NumberOr(event, "status", 500));
    call.answered.body = Json::MakeObject({{"error", **error}});
    if (event.Find("need")) {
      auto need = protocol::GetWei(event, "need");
      TT_CO_CHECK(need);
      call.need = *need;
    }
  } else if (*kind == "receipt") {
    auto json = event.GetObject("receipt");
    TT_CO_CHECK(json);
    auto document = protocol::ReceiptDocument::FromJson(**json);
    TT_CO_CHECK(document);
    call.receipt = *std::move(document);
  }
  co_return Ok{};
}

net::Task<void> Asker::Cancel(Call& call) {
  call.cancel_sent = true;
  call.answered.cancelled = true;
  protocol::Control control{call.header.request, "cancel", 1, 0, {}};
  control.mac = control.Mac(call.sealed->control_key);
  Status sent = co_await gateway_.Control(call.header.head, control);
  if (!sent) LogWarn("client", "cancel: " + sent.error().message());
}

// Books what it cost and stores the bundle. A receipt that does not verify is an error: the answer must not be trusted.
Status Asker::Finish(Call& call) {
  chain::Wei cost = call.receipt ? call.receipt->receipt.cost : chain::Wei();
  if (call.voucher) TT_RETURN_IF_ERROR(wallet_.Settle(call.line(), *call.voucher, cost));
  if (!call.receipt) {
    bool served = call.answered.status == 200 && call.sealed && call.sealed->opener.finished();
    if (served) return Error(Code::kUnauthenticated, "check receipt.present: the head gave an answer without a receipt");
    return Ok{};
  }
  ReceiptContext context;
  context.trust = &trust_;
  context.model = call.route->model;
  context.params = &call.route->params;
  context.plan = call.route->plan;
  context.request = call.header.request;
  context.secret = call.secret;
  context.body = call.body;
  context.outputs = call.outputs;
  for (const RouteNode& node : call.route->nodes) context.claims.push_back(node.peer.claims());
  context.mode = call.voucher ? "tab" : "strict";
  if (call.query) context.strict_query = chain::QueryId(wallet_.domain(), *call.query);
  CheckList checks = CheckReceipt(*call.receipt, context);
  TT_RETURN_IF_ERROR(checks.ToStatus());
  call.answered.cost = cost;
  call.answered.tokens_in = call.receipt->receipt.tokens_in;
  call.answered.tokens_out = call.receipt->receipt.tokens_out;
  call.answered.bundle = ToHex(call.header.request);
  if (!call.query) unsettled_[call.answered.bundle] = chain::StructHash(call.receipt->receipt);  // a strict one stands on chain by itself
  return MakeBundle(call, *call.receipt).Save(settings_.bundles + "/" + call.answered.bundle + ".json");
}

Bundle Asker::MakeBundle(const Call& call, const protocol::ReceiptDocument& document) const {
  Bundle b;
  b.receipt = document;
  b.secret = call.secret;
  b.body = call.body;
  b.outputs = call.outputs;
  b.plan = call.route->plan;
  b.model = call.route->model;
  b.params = call.route->params;
  b.manifest = call.route->manifest_text;
  for (const RouteNode& node : call.route->nodes) b.evidence.push_back({node.slot, node.key, node.shown.evidence, node.shown.collateral});
  b.trust = trust_text_;
  b.checked_at = call.route->verified_at;
  b.query = call.query;
  return b;
}

// ---------------------------------------------------------------- afterwards

void Asker::FindUnsettled() {
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(settings_.bundles, error)) {
    if (entry.path().extension() != ".json") continue;
    auto bundle = Bundle::Load(entry.path().string());
    if (!bundle) {
      LogWarn("client", "bundle: " + bundle.error().message());
    } else if (!bundle->settlement && !bundle->query) {
      unsettled_[entry.path().stem().string()] = chain::StructHash(bundle->receipt.receipt);
    }
  }
}

net::Task<size_t> Asker::FetchProofs() {
  std::vector<std::pair<std::string, Hash32>> wanted(unsettled_.begin(), unsettled_.end());
  for (const auto& [id, hash] : wanted) {
    auto settled = co_await gateway_.Receipt(hash);
    if (!settled || !settled->mined) continue;
    const std::string path = settings_.bundles + "/" + id + ".json";
    auto bundle = Bundle::Load(path);
    if (bundle) {
      bundle->settlement = *settled;
      Status saved = bundle->Save(path);
      if (!saved) LogWarn("client", "bundle: " + saved.error().message());
    }
    unsettled_.erase(id);
  }
  co_return unsettled_.size();
}

net::Task<Result<Json>> Asker::AskRelease(std::string model) {
  Call call;
  call.path = "/teetee/release";
  call.body = "{}";
  call.on_chunk = [](const Json&) -> net::Task<Status> { co_return Ok{}; };
  auto route = co_await RouteTo(model, true);
  TT_CO_CHECK(route);
  call.route = *route;
  auto name = co_await wallet_.Name(call.route->model, call.route->plan.head().key);
  TT_CO_CHECK(name);
  call.secret = crypto::RandomSecret<32>();
  call.header.request = crypto::RandomArray<16>();
  call.voucher = Voucher{*name, chain::Wei()};
  Status exchanged = co_await Exchange(call);
  TT_CO_CHECK(exchanged);
  if (call.answered.status != 200) {
    const Json* error = call.answered.body.Find("error");
    auto text = error ? error->GetString("message") : Result<std::string>(std::string("refused"));
    co_return Error(Code::kFailedPrecondition, "the head refused to release the tab: " + (text ? *text : "without a reason"));
  }
  co_return call.answered.body;
}

}  // namespace teetee::client
