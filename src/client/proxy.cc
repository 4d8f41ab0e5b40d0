#include "client/proxy.h"

#include <algorithm>
#include <filesystem>

#include "base/log.h"
#include "client/proxy_errors.h"
#include "net/url.h"

namespace teetee::client {
namespace {

// Answers are made outside of coroutines: g++ 12 cannot keep an initializer list in a coroutine's frame.
net::HttpResponse HealthResponse() { return net::HttpResponse::OfJson(200, Json::MakeObject({{"status", "ok"}})); }

bool Asks(const std::string& path) { return path == "/v1/chat/completions" || path == "/v1/completions"; }
bool MovesMoney(const std::string& path) { return path == "/v1/teetee/buy" || path == "/v1/teetee/withdraw" || path == "/v1/teetee/close"; }

Json ModelJson(const std::string& name, const Hash32& id, attest::EvidenceClass evidence_class) {
  Json facts = Json::MakeObject({{"model", ToHex0x(id)}, {"class", attest::EvidenceClassName(evidence_class)}});
  return Json::MakeObject({{"id", name}, {"object", "model"}, {"created", 0}, {"owned_by", "teetee"}, {"teetee", std::move(facts)}});
}

net::HttpResponse ModelsResponse(const attest::TrustFile& trust) {
  Json list = Json::MakeArray();
  for (const auto& [name, id] : trust.models()) list.Push(ModelJson(name, id, trust.evidence_class()));
  return net::HttpResponse::OfJson(200, Json::MakeObject({{"object", "list"}, {"data", std::move(list)}}));
}

// One model, by name or id.
net::HttpResponse ModelResponse(const attest::TrustFile& trust, std::string_view escaped) {
  auto wanted = net::PercentDecode(escaped);
  for (const auto& [name, id] : trust.models()) {
    if (wanted && (name == *wanted || ToHex0x(id) == *wanted)) return net::HttpResponse::OfJson(200, ModelJson(name, id, trust.evidence_class()));
  }
  return UnknownModel(trust);
}

net::HttpResponse ReceiptsResponse(const std::string& folder) {
  Json list = Json::MakeArray();
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
    if (entry.path().extension() != ".json") continue;
    list.Push(Json::MakeObject({{"id", entry.path().stem().string()}, {"file", entry.path().string()}}));
  }
  return net::HttpResponse::OfJson(200, Json::MakeObject({{"receipts", std::move(list)}}));
}

Json TabJson(const TabStatus& tab) {
  return Json::MakeObject({{"line", ToHex0x(tab.line)},
                           {"funded", tab.tab.funded.Decimal()},
                           {"spent", tab.tab.spent.Decimal()},
                           {"used", tab.used.Decimal()},
                           {"in_flight", tab.in_flight.Decimal()},
                           {"epoch", tab.tab.epoch}});
}

net::HttpHeaders ReceiptHeaders(const Answered& answered) {
  net::HttpHeaders headers{{"Content-Type", "application/json"}};
  if (answered.bundle.empty()) return headers;
  headers.Set("x-teetee-receipt", answered.bundle);
  headers.Set("x-teetee-cost", answered.cost.Decimal());
  return headers;
}

net::HttpResponse Whole(const Answered& answered) {
  net::HttpResponse out;
  out.status = answered.status;
  out.headers = ReceiptHeaders(answered);
  out.body = ToBytes(AsBytes(answered.body.Dump()));
  return out;
}

// Ends an event stream: the receipt as a comment, which clients ignore, then OpenAI's terminator; or an error event.
net::Task<void> EndStream(net::HttpReply& reply, const Result<Answered>& answered) {
  if (!answered) {
    (void)co_await reply.Sse(ErrorBody(answered.error(), "").Dump());
  } else if (answered->status != 200) {
    (void)co_await reply.Sse(answered->body.Dump());
  } else {
    std::string comment = ": teetee receipt " + answered->bundle + " cost " + answered->cost.Decimal() + " wei\n\n";
    (void)co_await reply.Write(AsBytes(comment));
    (void)co_await reply.Sse("[DONE]");
  }
  (void)co_await reply.End();
}

}  // namespace

Proxy::Proxy(const net::Executor& executor, Asker& asker, Wallet& wallet, GatewayClient& gateway, const attest::TrustFile& trust, std::string bundles)
    : executor_(executor), asker_(asker), wallet_(wallet), gateway_(gateway), trust_(trust), bundles_(std::move(bundles)) {}

net::HttpResponse Proxy::ErrorResponse(const Error& error) const {
  auto out = net::HttpResponse::OfJson(HttpStatus(error.code()), ErrorBody(error, ""));
  if (error.code() == Code::kResourceExhausted) out.headers.Set("Retry-After", "1");
  return out;
}

// Everything that is answered at once: refusals, and what stands in memory or in a folder. Nothing: the path needs a coroutine.
std::optional<net::HttpResponse> Proxy::AnswerAtOnce(const net::HttpRequest& request) const {
  if (auto foreign = RefuseForeignPage(request)) return foreign;
  const bool get = request.method == "GET" || request.method == "HEAD";
  const std::string& path = request.path;
  if (Asks(path) || MovesMoney(path)) {
    if (request.method != "POST") return MethodNotAllowed("POST");
    return std::nullopt;
  }
  const bool one_model = path.starts_with("/v1/models/");
  const bool known = one_model || path == "/healthz" || path == "/v1/models" || path == "/v1/teetee/status" || path == "/v1/teetee/receipts";
  if (!known) return ErrorResponse(Error(Code::kNotFound, "no such path: the proxy serves /v1/models, /v1/chat/completions, /v1/completions"));
  if (!get) return MethodNotAllowed("GET, HEAD");
  if (one_model) return ModelResponse(trust_, path.substr(sizeof "/v1/models"));
  if (path == "/healthz") return HealthResponse();
  if (path == "/v1/models") return ModelsResponse(trust_);
  if (path == "/v1/teetee/receipts") return ReceiptsResponse(bundles_);
  return std::nullopt;
}

net::Task<void> Proxy::Handle(net::HttpRequest& request, net::HttpReply& reply) {
  auto at_once = AnswerAtOnce(request);
  if (at_once) {
    (void)co_await reply.Send(*std::move(at_once));
  } else if (MovesMoney(request.path)) {
    co_await Money(request, reply);
  } else if (Asks(request.path)) {
    co_await Complete(request, reply);
  } else {
    co_await Status(reply);
  }
}

net::Task<void> Proxy::Complete(net::HttpRequest& request, net::HttpReply& reply) {
  auto precheck = PrecheckRequest(request.text(), trust_);
  if (precheck) {
    (void)co_await reply.Send(*std::move(precheck));
    co_return;
  }
  ChunkFn on_chunk = [&reply](const Json& chunk) -> net::Task<teetee::Status> {
    if (!reply.begun()) {
      teetee::Status begun = co_await reply.BeginSse();
      TT_CO_CHECK(begun);
    }
    std::string text = chunk.Dump();
    co_return co_await reply.Sse(std::move(text));
  };
  auto answered = co_await asker_.Ask(request.path, std::string(request.text()), on_chunk);
  if (!answered) LogWarn("proxy", answered.error().message());
  if (answered && !answered->bundle.empty()) {
    LogInfo("proxy", std::to_string(answered->tokens_in) + " tokens in, " + std::to_string(answered->tokens_out) + " out, " + answered->cost.Eth() +
                         ", receipt verified: " + answered->bundle);
  }
  if (reply.begun()) {
    co_await EndStream(reply, answered);
  } else if (answered) {
    (void)co_await reply.Send(Whole(*answered));
  } else {
    (void)co_await reply.Send(ErrorResponse(answered.error()));
  }
}

net::Task<Json> Proxy::StatusJson() {
  Json out = Json::MakeObject();
  out.Set("account", crypto::AddressText(wallet_.address()));
  out.Set("class", attest::EvidenceClassName(trust_.evidence_class()));
  auto ether = co_await wallet_.Ether();
  auto credits = co_await wallet_.Credits();
  if (ether) out.Set("ether", ether->Decimal());
  if (credits) out.Set("credits", credits->Decimal());
  Json routes = Json::MakeArray();
  for (const auto& [name, id] : trust_.models()) {
    auto route = co_await asker_.RouteTo(name, false);
    Json item = Json::MakeObject();
    item.Set("model", name).Set("id", ToHex0x(id)).Set("verified", route.has_value());
    if (!route) {
      item.Set("error", route.error().message());
    } else {
      item.Set("checks", (*route)->checks.ToJson()).Set("plan", (*route)->plan.ToJson());
      auto tab = co_await wallet_.Tab(id, (*route)->plan.head().key);
      if (tab) item.Set("tab", TabJson(*tab));
    }
    routes.Push(std::move(item));
  }
  out.Set("routes", std::move(routes));
  co_return out;
}

net::Task<void> Proxy::Status(net::HttpReply& reply) {
  Json json = co_await StatusJson();
  (void)co_await reply.Send(net::HttpResponse::OfJson(200, json));
}

net::Task<void> Proxy::FollowProofs() {
  for (;;) {
    co_await net::Sleep(net::Millis(2000));
    (void)co_await asker_.FetchProofs();
  }
}

}  // namespace teetee::client
