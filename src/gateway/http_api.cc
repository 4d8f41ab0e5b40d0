// The routes of Gateway: docs/formats/http-api.md.
#include <algorithm>

#include "base/version.h"
#include "gateway/answers.h"
#include "gateway/gateway.h"
#include "gateway/status_page.h"
#include "net/url.h"

namespace teetee::gateway {
namespace {

using net::HttpReply;
using net::HttpRequest;
using net::HttpResponse;

constexpr size_t kMaxBatchesShown = 100;
constexpr size_t kMaxBatchesOnPage = 10;
constexpr std::string_view kPlaintextPaths[] = {"/v1/chat/completions", "/v1/completions",
                                                "/v1/responses", "/v1/embeddings"};

Error NoPlaintext() {
  return Error(Code::kInvalidArgument,
               "this server takes no plaintext: run `teetee proxy` on your machine and point the "
               "client at it, so that only attested nodes see "
               "the prompt");
}

HttpResponse JsonOr(Result<Json> json) {
  return json ? HttpResponse::OfJson(200, *json) : ErrorResponse(json.error());
}

void Metric(std::string& out, const char* name, const char* type, const char* help,
            const std::string& value) {
  const std::string full = std::string("teetee_gateway_") + name;
  out += "# HELP " + full + " " + help + "\n# TYPE " + full + " " + type + "\n" + full + " " +
         value + "\n";
}
void Count(std::string& out, const char* name, const char* help, uint64_t value) {
  Metric(out, name, "counter", help, std::to_string(value));
}
void Gauge(std::string& out, const char* name, const char* help, uint64_t value) {
  Metric(out, name, "gauge", help, std::to_string(value));
}

}  // namespace

net::Task<void> Gateway::Handle(HttpRequest& request, HttpReply& reply) {
  ++counters_.requests;
  bool done = co_await HandleStreams(request, reply);
  if (done) co_return;
  HttpResponse response;
  const bool reads = request.method == "GET" || request.method == "HEAD";
  const bool asks_methods = request.method == "OPTIONS";
  if (std::find(std::begin(kPlaintextPaths), std::end(kPlaintextPaths), request.path) !=
      std::end(kPlaintextPaths)) {
    ++counters_.plaintext_refused;
    response = ErrorResponse(NoPlaintext());
  } else if (asks_methods) {  // preflights end in the server
    response.status = 204;
    response.headers.Set("Allow", "GET, HEAD, POST, OPTIONS");
  } else if (!reads) {
    response = ErrorResponse(405, "this path takes no such method");
    response.headers.Set("Allow", "GET, HEAD");
  } else {
    response = AnswerGet(request);
  }
  if (!response.headers.Has("X-Content-Type-Options"))
    response.headers.Set("X-Content-Type-Options", "nosniff");
  (void)co_await reply.Send(std::move(response));
}

// What waits for a node.
net::Task<bool> Gateway::HandleStreams(HttpRequest& request, HttpReply& reply) {
  constexpr std::string_view kNodes = "/v1/teetee/nodes/", kEvidence = "/evidence",
                             kPool = "/v1/teetee/pool/";
  const std::string_view path = request.path;
  if (request.method == "POST" && path == "/v1/teetee/sealed") {
    co_await sealed_->Sealed(request, reply);
    co_return true;
  }
  if (request.method == "POST" && path == "/v1/teetee/control") {
    co_await sealed_->Control(request, reply);
    co_return true;
  }
  if (request.method == "POST" && path.starts_with(kPool)) {
    const std::string_view what = path.substr(kPool.size());
    if (what == "check") co_await pool_->Check(request, reply);
    if (what == "relay") co_await pool_->Relay(request, reply);
    if (what == "approve") co_await pool_->Approve(request, reply);
    co_return what == "check" || what == "relay" || what == "approve";
  }
  const bool evidence = request.method == "GET" && path.starts_with(kNodes) &&
                        path.ends_with(kEvidence) && path.size() > kNodes.size() + kEvidence.size();
  if (!evidence) co_return false;
  const std::string_view text =
      path.substr(kNodes.size(), path.size() - kNodes.size() - kEvidence.size());
  auto key = crypto::ParseAddress(text);
  if (!key) {
    auto response = ErrorResponse(key.error(), "key");
    (void)co_await reply.Send(std::move(response));
    co_return true;
  }
  co_await sealed_->Evidence(*key, reply);
  co_return true;
}

HttpResponse Gateway::AnswerGet(const HttpRequest& request) const {
  constexpr std::string_view kTeeTee = "/v1/teetee/", kModels = "/v1/models/";
  const std::string_view path = request.path;
  if (path == "/healthz") return Health();
  if (path == "/metrics") return Metrics();
  if (path == "/v1/models") return HttpResponse::OfJson(200, explore_->Models());
  if (path.starts_with(kModels)) return AnswerModel(path.substr(kModels.size()), false);
  if (path.starts_with(kTeeTee)) return AnswerTeeTee(request, path.substr(kTeeTee.size()));
  return AnswerPage(request);
}

HttpResponse Gateway::AnswerTeeTee(const HttpRequest& request, std::string_view rest) const {
  constexpr std::string_view kModels = "models/", kReceipts = "receipts/", kLine = "line/",
                             kNodes = "nodes/", kBatches = "batches/";
  if (rest == "nodes") return JsonOr(explore_->Nodes(request.query, chain_->block()));
  if (rest.starts_with(kNodes)) return AnswerNode(request, rest.substr(kNodes.size()));
  if (rest == "receipts") return JsonOr(explore_->Receipts(request.query));
  if (rest == "batches") return JsonOr(explore_->Batches(request.query));
  if (rest.starts_with(kBatches)) return JsonOr(explore_->Batch(rest.substr(kBatches.size())));
  if (rest == "evidence") return JsonOr(explore_->Evidence(request.query));
  if (rest == "search") return JsonOr(explore_->Search(request.query));
  if (rest == "pool") return AnswerPool();
  if (rest.starts_with(kModels)) return AnswerModel(rest.substr(kModels.size()), true);
  if (rest.starts_with(kReceipts)) return AnswerReceipt(rest.substr(kReceipts.size()));
  if (rest.starts_with(kLine)) return AnswerLine(rest.substr(kLine.size()));
  if (rest == "sealed" || rest == "control") {
    HttpResponse response = ErrorResponse(405, "this path takes POST");
    response.headers.Set("Allow", "POST");
    return response;
  }
  return ErrorResponse(Error(Code::kNotFound, "no such path"));
}

HttpResponse Gateway::AnswerModel(std::string_view escaped_name, bool detail) const {
  auto name = net::PercentDecode(escaped_name);
  const ModelRecord* model = name ? directory_.FindModel(std::string_view(*name)) : nullptr;
  if (model == nullptr)
    return ErrorResponse(Error(Code::kNotFound, "no such model: /v1/models lists them"), "model");
  return HttpResponse::OfJson(
      200, detail ? ModelDetail(directory_, *model) : explore_->Model(*model));
}

// {key}, {key}/usage, {key}/history, {key}/history/{sha256}
HttpResponse Gateway::AnswerNode(const HttpRequest& request, std::string_view rest) const {
  constexpr std::string_view kHistory = "history/";
  const size_t slash = rest.find('/');
  const std::string_view key = rest.substr(0, slash);
  if (slash == std::string_view::npos) return JsonOr(explore_->Node(key));
  rest.remove_prefix(slash + 1);
  if (rest == "usage") return JsonOr(explore_->Usage(key, request.query));
  if (rest == "history") return JsonOr(explore_->NodeHistory(key));
  if (!rest.starts_with(kHistory)) return ErrorResponse(Error(Code::kNotFound, "no such path"));
  auto answer = explore_->EvidenceAnswer(key, rest.substr(kHistory.size()));
  if (!answer) return ErrorResponse(answer.error());
  return HttpResponse::Text(200, *answer, "application/json");
}

HttpResponse Gateway::AnswerPool() const {
  return JsonOr([&]() -> Result<Json> {
    return Json::MakeObject({{"image", settings_.node_image.empty() ? Json() : Json(settings_.node_image)},
                             {"auditor", !settings_.auditor.empty()},
                             {"expected", TT_TRY(explore_->Expected(ClockNow()))}});
  }());
}

HttpResponse Gateway::AnswerReceipt(std::string_view text) const {
  return JsonOr([&]() -> Result<Json> {
    const Hash32 hash = TT_TRY(FromHexFixed<32>(text));
    const auto state = TT_TRY(store_->FindReceipt(hash));
    if (!state) return Error(Code::kNotFound, "no head has handed over such a receipt yet");
    const auto line = directory_.FindLine(state->receipt.line);
    return ReceiptAnswer(*state)
        .Set("model", line ? Json(ToHex0x(line->model)) : Json())
        .Set("head", line ? Json(ToHex0x(line->head)) : Json());
  }());
}

HttpResponse Gateway::AnswerLine(std::string_view text) const {
  return JsonOr([&]() -> Result<Json> {
    const Hash32 line = TT_TRY(FromHexFixed<32>(text));
    return LineAnswer(TT_TRY(store_->LastSeq(line)),
                      TT_TRY(store_->Batches(line, kMaxBatchesShown)));
  }());
}

// ---- pages

HttpResponse Gateway::AnswerPage(const HttpRequest& request) const {
  if (auto page = site_.Get(request)) return *std::move(page);
  if (request.path == "/" || request.path == "/status") return StatusAnswer();
  if (request.path == kStatusStylePath) {
    HttpResponse style = HttpResponse::Text(200, StatusStyle());
    style.headers = pages::PageHeaders("text/css; charset=utf-8");
    return style;
  }
  return ErrorResponse(Error(Code::kNotFound, "no such path"));
}

HttpResponse Gateway::StatusAnswer() const {
  StatusFacts facts;
  facts.chain_id = settings_.identity.chain_id;
  facts.registry = settings_.identity.registry;
  facts.ledger = settings_.identity.ledger;
  facts.chain_reachable = chain_->reachable();
  facts.block = chain_->block();
  facts.lag = chain_->lag();
  facts.relay_queue = relay_->queue();
  facts.has_pages = !site_.empty();
  if (auto batches = store_->NewestBatches(kMaxBatchesOnPage)) facts.batches = *std::move(batches);
  HttpResponse page = HttpResponse::Text(200, StatusPage(directory_, facts));
  page.headers = pages::PageHeaders("text/html; charset=utf-8");
  return page;
}

// ---- for machines

HttpResponse Gateway::Health() const {
  const bool ready = chain_->caught_up();
  return HttpResponse::OfJson(
      ready ? 200 : 503,
      Json::MakeObject({{"status", ready ? "ok" : "starting"},
                        {"program", "teetee-gateway"},
                        {"version", kVersion},
                        {"chain_id", settings_.identity.chain_id},
                        {"class", directory_.OverallClass()},
                        {"chain", chain_->reachable() ? "reachable" : "unreachable"},
                        {"block", chain_->block()},
                        {"chain_lag", chain_->lag()},
                        {"relay_queue", uint64_t{relay_->queue()}},
                        {"relay_in_flight", uint64_t{relay_->in_flight()}},
                        {"gas_key", ToHex0x(relay_->gas_address())},
                        {"gas_balance", relay_->gas_balance().Decimal()}}));
}

HttpResponse Gateway::Metrics() const {
  std::string out;
  uint64_t live = 0;
  for (const auto& [key, node] : directory_.nodes()) live += directory_.IsLive(node) ? 1 : 0;
  Gauge(out, "models", "Models whose manifest is known.", directory_.ListedModels().size());
  Gauge(out, "nodes", "Nodes that joined.", directory_.nodes().size());
  Gauge(out, "nodes_live", "Nodes with a running lease that answer.", live);
  Count(out, "probe_failures_total", "Node probes without a good answer.", nodes_->failures());
  Gauge(out, "chain_up", "1 while the chain's RPC answers.", chain_->reachable() ? 1 : 0);
  Gauge(out, "chain_block", "Block through which events are known.", chain_->block());
  Gauge(out, "chain_lag_blocks", "Blocks that are not looked at yet.", chain_->lag());
  Count(out, "chain_undos_total", "Times that blocks were replaced.", chain_->undos());
  const RelayCounters& relay = relay_->counters();
  Gauge(out, "relay_queue", "Outbox entries that the chain does not have.", relay_->queue());
  Gauge(out, "relay_in_flight", "Transactions on their way.", relay_->in_flight());
  Metric(out, "gas_balance_wei", "gauge", "What the gas key has.", relay_->gas_balance().Decimal());
  Count(out, "outbox_polls_total", "Outbox polls.", relay.polls);
  Count(out, "outbox_poll_failures_total", "Outbox polls without a good answer.",
        relay.poll_failures);
  Count(out, "outbox_entries_total", "Outbox entries taken in.", relay.entries);
  Count(out, "outbox_entries_refused_total", "Outbox entries refused.", relay.entries_refused);
  Count(out, "receipts_total", "Receipts taken in, repeats included.", relay.receipts);
  Count(out, "transactions_sent_total", "Transactions handed to the sender.", relay.sent);
  Count(out, "transactions_mined_total", "Transactions mined.", relay.mined);
  Count(out, "transactions_reverted_total", "Transactions mined and reverted.", relay.reverted);
  Count(out, "transactions_withheld_total", "Tries that would have reverted and were not sent.",
        relay.withheld);
  const SealedCounters& sealed = sealed_->counters();
  Count(out, "sealed_requests_total", "Sealed requests.", sealed.requests);
  Count(out, "sealed_refused_total", "Sealed requests refused, here or by the head.",
        sealed.refused);
  Count(out, "sealed_unavailable_total", "Sealed requests whose head did not answer.",
        sealed.unavailable);
  Count(out, "sealed_completed_total", "Answers relayed to their end.", sealed.completed);
  Count(out, "sealed_cut_total", "Answers that the head broke off.", sealed.cut);
  Count(out, "sealed_left_total", "Answers whose client went away.", sealed.left);
  Count(out, "sealed_bytes_total", "Bytes of answers relayed.", sealed.bytes);
  Gauge(out, "sealed_streams", "Answers being relayed.", sealed_->streams());
  Count(out, "http_requests_total", "HTTP requests.", counters_.requests);
  Count(out, "plaintext_refused_total", "Plaintext requests refused.", counters_.plaintext_refused);
  return HttpResponse::Text(200, out, "text/plain; version=0.0.4; charset=utf-8");
}

}  // namespace teetee::gateway
