// The node's HTTP interface: docs/formats/http-api.md.
#include <chrono>

#include "apps/teetee_node/state.h"
#include "chain/contracts.h"
#include "protocol/fields.h"

namespace teetee::node {
namespace {

using net::HttpReply;
using net::HttpRequest;
using net::HttpResponse;

constexpr auto kJoinQuoteEvery = std::chrono::milliseconds(200);  // quotes cost the platform time

int64_t UnixNow() {
  return std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch()).count();
}

// Since the start; a gateway samples them for the host's dashboard.
Json Counters(Node::State& s) {
  uint64_t requests = 0, tokens_in = 0, tokens_out = 0;
  if (s.head) {
    const auto& c = s.head->counters();
    requests = c.served, tokens_in = c.tokens_in, tokens_out = c.tokens_out;
  } else {
    const auto& c = s.stage->counters();
    requests = c.opened, tokens_in = c.tokens_in, tokens_out = c.tokens_out;
  }
  return Json::MakeObject({{"requests", requests}, {"tokens_in", tokens_in}, {"tokens_out", tokens_out}, {"busy_seconds", s.compute->counters().busy_seconds}});
}

HttpResponse Health(Node::State& s) {
  size_t sequences = s.compute->sequences();
  return HttpResponse::OfJson(200, Json::MakeObject({{"status", "ok"},
                                                     {"slot", s.facts.slot},
                                                     {"model", ToHex0x(s.facts.model)},
                                                     {"key", ToHex0x(s.signing_key->address())},
                                                     {"class", attest::EvidenceClassName(s.facts.trust.evidence_class())},
                                                     {"chain", s.chain_reachable ? "reachable" : "unreachable"},
                                                     {"sequences", uint64_t{sequences}},
                                                     {"live", s.live},
                                                     {"started", s.started},
                                                     {"counters", Counters(s)}}));
}

void Metric(std::string& out, const char* name, const char* type, const char* help, const std::string& value) {
  out += std::string("# HELP ") + name + " " + help + "\n# TYPE " + name + " " + type + "\n" + name + " " + value + "\n";
}

HttpResponse Metrics(Node::State& s) {
  std::string out;
  Metric(out, "process_start_time_seconds", "gauge", "When this process started, Unix seconds.", std::to_string(s.started));
  Metric(out, "teetee_sequences", "gauge", "Sequences open.", std::to_string(s.compute->sequences()));
  Metric(out, "teetee_kv_bytes", "gauge", "KV memory reserved.", std::to_string(s.compute->kv_bytes()));
  const pipeline::ComputeCounters compute = s.compute->counters();
  Metric(out, "teetee_rows_total", "counter", "Rows computed.", std::to_string(compute.short_rows + compute.long_rows));
  Metric(out, "teetee_prompt_rows_total", "counter", "Of them, rows of longer prompts.", std::to_string(compute.long_rows));
  Metric(out, "teetee_steps_total", "counter", "Passes over the weights.", std::to_string(compute.batches));
  Metric(out, "teetee_jobs_waiting", "gauge", "Jobs that wait for a step.", std::to_string(compute.waiting));
  Metric(out, "teetee_busy_seconds_total", "counter", "Time that the compute thread worked.", std::to_string(compute.busy_seconds));
  Metric(out, "teetee_prefix_bytes", "gauge", "KV memory of cached prefixes.", std::to_string(s.compute->prefixes().bytes()));
  Metric(out, "teetee_prefix_hits_total", "counter", "Pages of prompts found in the cache.", std::to_string(s.compute->prefixes().hits()));
  Metric(out, "teetee_prefix_misses_total", "counter", "Pages of prompts looked for and not found.", std::to_string(s.compute->prefixes().misses()));
  Metric(out, "teetee_live", "gauge", "1 while the lease on chain runs.", s.live ? "1" : "0");
  if (s.head) {
    const auto& c = s.head->counters();
    Metric(out, "teetee_requests_total", "counter", "Sealed requests taken.", std::to_string(c.requests));
    Metric(out, "teetee_refused_total", "counter", "Requests refused before they were opened.", std::to_string(c.refused));
    Metric(out, "teetee_unpaid_total", "counter", "Requests that no credit covered.", std::to_string(c.unpaid));
    Metric(out, "teetee_failed_total", "counter", "Requests that failed.", std::to_string(c.failed));
    Metric(out, "teetee_served_total", "counter", "Requests served.", std::to_string(c.served));
    Metric(out, "teetee_tokens_in_total", "counter", "Prompt tokens served.", std::to_string(c.tokens_in));
    Metric(out, "teetee_tokens_out_total", "counter", "Answer tokens served.", std::to_string(c.tokens_out));
    const auto& drafts = s.conductor->counters();
    Metric(out, "teetee_drafted_total", "counter", "Tokens guessed ahead.", std::to_string(drafts.drafted));
    Metric(out, "teetee_drafts_accepted_total", "counter", "Of them, those that came true.", std::to_string(drafts.accepted));
    Metric(out, "teetee_cached_tokens_total", "counter", "Prompt tokens found in the prefix cache.", std::to_string(drafts.cached));
    Metric(out, "teetee_receipts_pending", "gauge", "Receipts not yet final on chain.", std::to_string(s.ledger->pending_receipts()));
  } else {
    const auto& c = s.stage->counters();
    Metric(out, "teetee_sequences_total", "counter", "Sequences opened.", std::to_string(c.opened));
    Metric(out, "teetee_refused_total", "counter", "Sequences refused.", std::to_string(c.refused));
    Metric(out, "teetee_failed_total", "counter", "Sequences that failed.", std::to_string(c.failed));
    Metric(out, "teetee_tokens_in_total", "counter", "Prompt tokens computed.", std::to_string(c.tokens_in));
    Metric(out, "teetee_tokens_out_total", "counter", "Answer tokens computed.", std::to_string(c.tokens_out));
    Metric(out, "teetee_channel_refusals_total", "counter", "Handshakes that failed.", std::to_string(s.channels->refused()));
  }
  return HttpResponse::Text(200, out, "text/plain; version=0.0.4");
}

Result<Json> CollateralJson(ByteView collateral) {
  return Json::Parse(AsText(collateral), {.max_bytes = 1u << 20});
}

HttpResponse Evidence(Node::State& s) {
  auto collateral = CollateralJson(s.identity->collateral());
  if (!collateral) return ErrorResponse(collateral.error());
  return HttpResponse::OfJson(200, Json::MakeObject({{"key", ToHex0x(s.signing_key->address())},
                                                     {"slot", s.facts.slot},
                                                     {"model", ToHex0x(s.facts.model)},
                                                     {"host", ToHex0x(s.options.host)},
                                                     {"channel", s.options.advertise},
                                                     {"kind", s.provider->kind()},
                                                     {"evidence", ToBase64(s.identity->evidence())},
                                                     {"collateral", *std::move(collateral)}}));
}

// Made outside of the coroutine: g++ 12 cannot keep an initializer list in its frame.
Json JoinJson(const Node::State& s, const chain::Block& block, const Hash32& digest, const Bytes& quote, Json collateral) {
  return Json::MakeObject({{"key", ToHex0x(s.signing_key->address())},
                           {"slot", s.facts.slot},
                           {"model", ToHex0x(s.facts.model)},
                           {"weights", ToHex0x(s.facts.weights_root)},
                           {"host", ToHex0x(s.options.host)},
                           {"block_number", block.number},
                           {"block_hash", ToHex0x(block.hash)},
                           {"report_data", ToHex0x(digest)},
                           {"quote", ToBase64(quote)},
                           {"collateral", std::move(collateral)}});
}

net::Task<Result<Json>> JoinEvidence(Node::State& s, const Json& body) {
  auto host = protocol::GetHex<20>(body, "host");
  TT_CO_CHECK(host);
  auto number = body.GetUint64("block_number");
  TT_CO_CHECK(number);
  if (*host != s.options.host) co_return Error(Code::kPermissionDenied, "this node was started for another host");
  auto now = net::SteadyClock::now();
  if (now - s.last_join_quote < kJoinQuoteEvery) co_return Error(Code::kResourceExhausted, "too many quotes asked for");
  s.last_join_quote = now;
  auto block = co_await s.rpc->GetBlock(chain::BlockId::Number(*number));
  TT_CO_CHECK(block);
  if (!*block) co_return Error(Code::kNotFound, "the chain has no such block");
  chain::JoinClaim claim{s.facts.trust.chain_id(), s.facts.trust.registry(), s.options.host, s.signing_key->address(),
                         s.facts.weights_root, (*block)->hash};
  Hash32 digest = chain::JoinReportData(claim);
  auto provider = s.provider;
  // Named before the co_await: g++ 12 destroys a temporary lambda's captures twice.
  auto make_quote = [provider, digest] { return provider->Quote(attest::JoinReportData(digest)); };
  auto quote = co_await net::OnThread(*s.pool, std::move(make_quote));
  TT_CO_CHECK(quote);
  auto collateral_bytes = s.provider->Collateral();
  TT_CO_CHECK(collateral_bytes);
  auto collateral = CollateralJson(*collateral_bytes);
  TT_CO_CHECK(collateral);
  co_return JoinJson(s, **block, digest, *quote, *std::move(collateral));
}

net::HttpHeaders StreamHeaders() { return {{"Content-Type", "application/octet-stream"}, {"Cache-Control", "no-store"}}; }

net::Task<void> StreamAnswer(HttpReply& reply, std::shared_ptr<head::Answer> answer, size_t from) {
  Status status = co_await reply.Begin(200, StreamHeaders());
  Bytes preamble = answer->Preamble();
  if (status) status = co_await reply.Write(preamble);
  for (size_t i = from; status; ++i) {
    auto chunk = co_await answer->Chunk(i);
    if (!chunk) break;
    status = co_await reply.Write(*chunk);
  }
  if (status) (void)co_await reply.End();
}

net::Task<void> Sealed(Node::State& s, HttpRequest& request, HttpReply& reply) {
  auto answer = s.head->Accept(request.body, UnixNow());
  if (!answer) {
    (void)co_await reply.Send(ErrorResponse(answer.error()));
    co_return;
  }
  co_await StreamAnswer(reply, *answer, 0);
}

net::Task<void> ControlRequest(Node::State& s, HttpRequest& request, HttpReply& reply) {
  auto control = [&]() -> Result<protocol::Control> {
    return protocol::Control::FromJson(TT_TRY(Json::Parse(request.text())));
  }();
  if (!control) {
    (void)co_await reply.Send(ErrorResponse(control.error()));
    co_return;
  }
  auto answer = s.head->Control(*control);
  if (!answer) {
    (void)co_await reply.Send(ErrorResponse(answer.error()));
  } else if (control->op == "cancel") {
    (void)co_await reply.Send(HttpResponse::Text(200, "{\"cancelled\":true}", "application/json"));
  } else {
    co_await StreamAnswer(reply, *answer, control->from);
  }
}

// Value of a query parameter that is a number; 0 if it is absent or malformed.
uint64_t QueryNumber(const std::string& query, std::string_view key) {
  size_t at = query.find(std::string(key) + "=");
  if (at == std::string::npos || (at > 0 && query[at - 1] != '&')) return 0;
  uint64_t out = 0;
  for (at += key.size() + 1; at < query.size() && query[at] >= '0' && query[at] <= '9' && out < (uint64_t{1} << 60); ++at) {
    out = out * 10 + static_cast<uint64_t>(query[at] - '0');
  }
  return out;
}

HttpResponse Outbox(Node::State& s, const HttpRequest& request) {
  uint64_t after = QueryNumber(request.query, "after"), limit = QueryNumber(request.query, "limit");
  Json entries = Json::MakeArray();
  uint64_t next = after;
  for (const auto* entry : s.ledger->Entries(after, limit == 0 || limit > 64 ? 64 : limit)) {
    entries.Push(entry->ToJson());
    next = entry->n;
  }
  return HttpResponse::OfJson(200, Json::MakeObject({{"entries", std::move(entries)}, {"next", next}}));
}

std::optional<HttpResponse> Simple(Node::State& s, const HttpRequest& request) {
  if (request.method != "GET" && request.method != "HEAD") return std::nullopt;
  if (request.path == "/healthz") return Health(s);
  if (request.path == "/metrics") return Metrics(s);
  if (request.path == "/v1/teetee/evidence") return Evidence(s);
  if (request.path == "/v1/teetee/manifest") return HttpResponse::Text(200, AsText(s.facts.manifest_bytes), "application/json");
  if (request.path == "/v1/teetee/outbox" && s.ledger) return Outbox(s, request);
  return std::nullopt;
}

// What whoever considers this node may ask before it has joined. Nothing: another path.
net::Task<std::optional<HttpResponse>> Proof(Node::State& s, HttpRequest& request) {
  if (request.method != "POST") co_return std::nullopt;
  if (request.path == "/v1/teetee/challenge") co_return AnswerChallenge(s, request);
  if (request.path == "/v1/teetee/known-answer") {
    auto answer = co_await AnswerKnown(s, request);
    co_return answer;
  }
  co_return std::nullopt;
}

}  // namespace

HttpResponse ErrorResponse(const Error& error) {
  HttpResponse out = HttpResponse::OfJson(HttpStatus(error.code()), Json::MakeObject({{"error", head::ErrorObject(error)}}));
  if (error.code() == Code::kResourceExhausted) out.headers.Set("Retry-After", "1");
  return out;
}

net::Task<void> HandleHttp(Node::State& s, HttpRequest& request, HttpReply& reply) {
  if (auto simple = Simple(s, request)) {
    (void)co_await reply.Send(*std::move(simple));
    co_return;
  }
  auto proof = co_await Proof(s, request);
  if (proof) {
    (void)co_await reply.Send(*std::move(proof));
    co_return;
  }
  if (request.method == "POST" && request.path == "/v1/teetee/join-evidence") {
    auto body = Json::Parse(request.text());
    if (!body) {
      (void)co_await reply.Send(ErrorResponse(body.error()));
      co_return;
    }
    auto answer = co_await JoinEvidence(s, *body);
    HttpResponse response = answer ? HttpResponse::OfJson(200, *answer) : ErrorResponse(answer.error());
    (void)co_await reply.Send(std::move(response));
    co_return;
  }
  if (request.method == "POST" && s.head && request.path == "/v1/teetee/sealed") {
    co_await Sealed(s, request, reply);
    co_return;
  }
  if (request.method == "POST" && s.head && request.path == "/v1/teetee/control") {
    co_await ControlRequest(s, request, reply);
    co_return;
  }
  bool plaintext = request.path.starts_with("/v1/chat/") || request.path == "/v1/completions";
  Error error = plaintext ? Error(Code::kInvalidArgument, "this server takes no plaintext: run `teetee proxy` and point the client at it")
                          : Error(Code::kNotFound, "no such path");
  (void)co_await reply.Send(ErrorResponse(error));
}

}  // namespace teetee::node
