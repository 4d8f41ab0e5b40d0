#include "head/service.h"

#include <chrono>

#include "base/log.h"
#include "chain/contracts.h"
#include "crypto/random.h"
#include "head/work.h"
#include "protocol/fields.h"

namespace teetee::head {
namespace {

int64_t UnixNow() {
  return std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch()).count();
}

void AddDefaultSystem(const std::string& system, Json& messages) {
  if (system.empty()) return;
  for (const Json& message : messages.as_array()) {
    auto role = message.GetString("role");
    if (role && (*role == "system" || *role == "developer")) return;
  }
  Json first = Json::MakeObject({{"role", "system"}, {"content", system}});
  messages.as_array().insert(messages.as_array().begin(), std::move(first));
}

bool KnownPath(std::string_view path) {
  return path == "/v1/chat/completions" || path == "/v1/completions" || path == "/teetee/release";
}

}  // namespace

HeadService::HeadService(Parts parts) : p_(std::move(parts)), log_(p_.executor, p_.limits) {}

// ---------------------------------------------------------------- taking requests

Status HeadService::CheckHeader(const protocol::SealedHeader& header, int64_t now) const {
  if (header.head != p_.facts.key || header.model != p_.facts.model) {
    return Error(Code::kNotFound, "check request.head: sealed for another node or model");
  }
  if (header.boot != p_.facts.boot) {
    return Error(Code::kFailedPrecondition, "check request.boot: this node was restarted; verify it again");
  }
  if (header.expires <= now) return Error(Code::kDeadlineExceeded, "check request.expiry: the request has expired");
  if (header.expires > now + protocol::kMaxExpirySeconds) {
    return Error(Code::kInvalidArgument, "check request.expiry: more than 600 s ahead");
  }
  if (!KnownPath(header.path)) return Error(Code::kNotFound, "unknown path");
  return Ok{};
}

Result<std::shared_ptr<Answer>> HeadService::Accept(ByteView wire, int64_t now) {
  counters_.requests += 1;
  auto opened = [&]() -> Result<std::shared_ptr<Answer>> {
    protocol::SealedParts parts = TT_TRY(protocol::ParseSealed(wire));
    TT_RETURN_IF_ERROR(CheckHeader(parts.header, now));
    auto known = TT_TRY(log_.Find(parts.header, wire));
    if (known) return known;
    protocol::OpenedRequest request = TT_TRY(protocol::OpenSealed(wire, p_.hpke_key));
    auto answer = TT_TRY(log_.Begin(request, now));
    net::Spawn(p_.executor, Process(answer, std::move(request)), "request");
    return answer;
  }();
  if (!opened) counters_.refused += 1;
  return opened;
}

Result<std::shared_ptr<Answer>> HeadService::Control(const protocol::Control& control) {
  auto answer = TT_TRY(log_.ForControl(control));
  if (control.op == "cancel") answer->Cancel();
  return answer;
}

net::Task<void> HeadService::Process(std::shared_ptr<Answer> answer, protocol::OpenedRequest request) {
  Work work;
  work.answer = answer;
  work.request = std::move(request);
  Status served = Ok{};
  if (work.request.header.path == "/teetee/release") {
    served = co_await ReleaseTab(work);
  } else {
    served = co_await Serve(work);
  }
  if (work.mode == pipeline::PayMode::kStrict) strict_active_.erase(work.query);
  if (!served) EmitError(work, served.error());
  answer->Emit(Json::MakeObject({{"t", "done"}}), true);
}

void HeadService::EmitError(Work& work, const Error& error) {
  bool unpaid = error.code() == Code::kPaymentRequired;
  (unpaid ? counters_.unpaid : counters_.failed) += 1;
  if (!unpaid && error.code() != Code::kInvalidArgument) LogWarn("head", std::string(CodeName(error.code())) + ": " + error.message());
  Json event = Json::MakeObject(
      {{"t", "error"}, {"status", HttpStatus(error.code())}, {"error", ErrorObject(error, work.param)}});
  if (unpaid) event.Set("need", work.need.Decimal());
  work.answer->Emit(event);
}

// ---------------------------------------------------------------- reading

Status HeadService::ReadContent(Work& work) const {
  const Json& content = work.request.content;
  work.plan = TT_TRY(protocol::Plan::FromJson(*TT_TRY(content.GetObject("plan"))));
  const protocol::SealedHeader& header = work.request.header;
  if (work.plan.Hash() != header.plan) return Error(Code::kInvalidArgument, "check plan.hash: not the header's plan");
  if (work.plan.model != p_.facts.model || work.plan.slots() != p_.facts.slots) {
    return Error(Code::kInvalidArgument, "check plan.model: a plan of another model or number of slots");
  }
  if (work.plan.head().key != p_.facts.key) return Error(Code::kInvalidArgument, "check plan.head: not this node");
  work.secret = Secret<32>(TT_TRY(protocol::GetHex<32>(content, "secret")));
  work.payment = TT_TRY(protocol::PaymentFromJson(*TT_TRY(content.GetObject("payment"))));
  work.body = TT_TRY(content.GetString("body"));
  return Ok{};
}

Status HeadService::BuildPrompt(Work& work) const {
  auto body = Json::Parse(work.body);
  if (!body) return std::move(body).error().Context("request body");
  uint64_t seed = 0;
  crypto::RandomBytes(reinterpret_cast<uint8_t*>(&seed), sizeof seed);
  auto wanted = ParseGenerationRequest(work.request.header.path, *body, seed);
  if (auto* bad = std::get_if<RequestError>(&wanted)) {
    work.param = bad->param;
    return std::move(bad->error);
  }
  work.wanted = std::get<GenerationRequest>(std::move(wanted));
  if (work.wanted.model != p_.facts.model_name && work.wanted.model != ToHex0x(p_.facts.model)) {
    work.param = "model";
    return Error(Code::kNotFound, "this node does not serve that model; it serves '" + p_.facts.model_name + "'");
  }
  TT_RETURN_IF_ERROR(work.wanted.sampler.Validate(p_.tokenizer.size()));
  if (work.wanted.chat) AddDefaultSystem(p_.facts.system, work.wanted.messages);
  engine::ChatOptions options;
  options.now_unix = UnixNow();
  if (!work.wanted.tools.is_null()) options.tools = &work.wanted.tools;
  work.param = work.wanted.chat ? "messages" : "prompt";
  auto ids = work.wanted.chat ? p_.prompts.Chat(work.wanted.messages, options) : p_.prompts.Text(work.wanted.prompt);
  if (!ids) return std::move(ids).error();
  work.prompt.assign(ids->begin(), ids->end());
  if (work.prompt.empty()) return Error(Code::kInvalidArgument, "the prompt has no tokens");
  if (work.prompt.size() >= p_.facts.context) {
    return Error(Code::kInvalidArgument, "the prompt has " + std::to_string(work.prompt.size()) +
                                             " tokens; the context holds " + std::to_string(p_.facts.context));
  }
  work.param.clear();
  size_t room = p_.facts.context - work.prompt.size();
  work.max_new = static_cast<uint32_t>(
      std::min<size_t>(room, work.wanted.max_tokens.value_or(p_.facts.default_max_tokens)));
  const LineFacts& line = p_.ledger.facts();
  work.most = chain::CostOf(static_cast<uint32_t>(work.prompt.size()), work.max_new * work.wanted.choices,
                            line.price_in, line.price_out);
  return Ok{};
}

// ---------------------------------------------------------------- admitting

net::Task<Status> HeadService::Admit(Work& work) {
  if (auto* tab = std::get_if<protocol::TabPayment>(&work.payment)) co_return co_await AdmitTab(work, *tab);
  if (auto* strict = std::get_if<protocol::StrictPayment>(&work.payment)) co_return co_await AdmitStrict(work, *strict);
  co_return co_await AdmitFree(work, std::get<protocol::FreePayment>(work.payment));
}

net::Task<Status> HeadService::AdmitTab(Work& work, const protocol::TabPayment& payment) {
  const LineFacts& line = p_.ledger.facts();
  auto tab = co_await p_.rpc.Read(line.ledger, chain::ledger::TabOf(payment.user, line.line));
  if (!tab) co_return Error(Code::kUnavailable, "the chain cannot be asked about this tab now; nothing was computed");
  auto reserved = p_.ledger.Reserve(payment, *tab, work.most, &work.need);
  TT_CO_CHECK(reserved);
  work.reservation = *std::move(reserved);
  work.mode = pipeline::PayMode::kTab;
  work.query = chain::TabQueryId(line.line, work.request.header.request);
  co_return Ok{};
}

net::Task<Status> HeadService::AdmitStrict(Work& work, const protocol::StrictPayment& payment) {
  constexpr uint64_t kMarginSeconds = 60;  // left for settling before anybody may refund
  const LineFacts& line = p_.ledger.facts();
  const chain::Query& query = payment.query;
  if (query.model != p_.facts.model || query.head != p_.facts.key) {
    co_return Error(Code::kPaymentRequired, "query: opened for another model or head");
  }
  if (query.input != protocol::CommitInput(work.secret, work.body)) {
    co_return Error(Code::kPaymentRequired, "query: its commitment is not this request's");
  }
  work.need = work.most;
  if (query.max_cost < work.most) co_return Error(Code::kPaymentRequired, "query: max_cost does not cover this request");
  auto block = co_await p_.rpc.GetBlock(chain::BlockId::Latest());
  if (!block || !*block) co_return Error(Code::kUnavailable, "the chain cannot be asked about this query now; nothing was computed");
  if (query.deadline < (*block)->timestamp + kMarginSeconds) {
    co_return Error(Code::kDeadlineExceeded, "query: too close to its deadline; open a new one");
  }
  Hash32 id = chain::QueryId(p_.ledger.domain(), query);
  auto record = co_await p_.rpc.Read(line.ledger, chain::ledger::RecordOf(id));
  if (!record) co_return Error(Code::kUnavailable, "the chain cannot be asked about this query now; nothing was computed");
  if (*record != chain::ledger::RecordOpen()) co_return Error(Code::kPaymentRequired, "query: it does not stand open on chain");
  if (!strict_active_.insert(id).second) co_return Error(Code::kFailedPrecondition, "query: it is being answered already");
  for (const auto& [n, settled] : p_.ledger.OutstandingQueries()) {
    if (settled == id) co_return Error(Code::kFailedPrecondition, "query: it was answered already");
  }
  work.mode = pipeline::PayMode::kStrict;
  work.query = id;
  co_return Ok{};
}

net::Task<Status> HeadService::AdmitFree(Work& work, const protocol::FreePayment& payment) {
  const LineFacts& line = p_.ledger.facts();
  int64_t now = UnixNow();
  if (static_cast<int64_t>(payment.expires) < now) co_return Error(Code::kPaymentRequired, "access: it has expired");
  chain::Access access{payment.host, p_.facts.model, protocol::SessionHash(payment.session), payment.expires};
  Status granted = chain::VerifyTyped(p_.ledger.domain(), access, payment.host, payment.access);
  if (!granted) co_return Error(Code::kPaymentRequired, "access: not signed by that host");
  Status mine = crypto::ExpectSigner(payment.session, protocol::FreeRequestDigest(work.request.header.request),
                                     payment.signature.r, payment.signature.vs);
  if (!mine) co_return Error(Code::kPaymentRequired, "access: the request is not signed by the session key");
  auto until = co_await p_.rpc.Read(p_.facts.registry, chain::registry::HostUntil(p_.facts.model, payment.host));
  if (!until) co_return Error(Code::kUnavailable, "the chain cannot be asked about this host now; nothing was computed");
  if (*until < static_cast<uint64_t>(now)) co_return Error(Code::kPaymentRequired, "access: no shard of this model is live at that host");
  FreeUse& use = free_use_[payment.host];
  if (use.day != now / 86400) use = {now / 86400, 0};
  uint64_t most = work.prompt.size() + uint64_t{work.max_new} * work.wanted.choices;
  if (use.tokens + most > p_.facts.free_tokens_per_day) {
    co_return Error(Code::kResourceExhausted, "access: today's free tokens of this host are used up");
  }
  use.tokens += most;
  work.mode = pipeline::PayMode::kFree;
  work.query = chain::TabQueryId(line.line, work.request.header.request);
  co_return Ok{};
}

// ---------------------------------------------------------------- serving

net::Task<Status> HeadService::Serve(Work& work) {
  Status read = ReadContent(work);
  TT_CO_CHECK(read);
  Status prompt = BuildPrompt(work);
  TT_CO_CHECK(prompt);
  Status admitted = co_await Admit(work);
  TT_CO_CHECK(admitted);
  Status generated = co_await Generate(work);
  if (!generated) {
    work.answer->Emit(Json::MakeObject({{"t", "uncharged"}}));
    co_return std::move(generated).error();
  }
  auto receipt = WriteReceipt(work);
  TT_CO_CHECK(receipt);
  Served served{receipt->receipt, receipt->signature, receipt->work, receipt->parts, std::nullopt};
  if (auto* strict = std::get_if<protocol::StrictPayment>(&work.payment)) served.query = strict->query;
  Status booked = p_.ledger.Book(served, work.reservation.get());
  TT_CO_CHECK(booked);
  work.reservation.reset();
  counters_.served += 1;
  counters_.tokens_in += work.usage.prompt_tokens;
  counters_.tokens_out += work.usage.completion_tokens;
  if (!work.wanted.stream) {
    work.answer->Emit(Json::MakeObject(
        {{"t", "body"}, {"status", 200}, {"data", FullAnswer(work.head, work.choices, work.usage)}}));
  } else if (work.wanted.include_usage) {
    work.answer->Emit(Json::MakeObject({{"t", "chunk"}, {"data", UsageChunk(work.head, work.usage)}}));
  }
  work.answer->Emit(Json::MakeObject({{"t", "receipt"}, {"receipt", receipt->ToJson()}}));
  co_return Ok{};
}

net::Task<Status> HeadService::ReleaseTab(Work& work) {
  Status read = ReadContent(work);
  TT_CO_CHECK(read);
  auto* payment = std::get_if<protocol::TabPayment>(&work.payment);
  if (!payment) co_return Error(Code::kInvalidArgument, "a release names its tab by a voucher");
  const LineFacts& line = p_.ledger.facts();
  auto tab = co_await p_.rpc.Read(line.ledger, chain::ledger::TabOf(payment->user, line.line));
  if (!tab) co_return Error(Code::kUnavailable, "the chain cannot be asked about this tab now");
  chain::Voucher voucher{payment->user, line.line, payment->epoch, payment->total};
  Status signed_by = chain::VerifyTyped(p_.ledger.domain(), voucher, tab->signer, payment->signature);
  if (!signed_by || payment->epoch != tab->epoch) {
    co_return Error(Code::kUnauthenticated, "voucher: not signed by this tab's session key");
  }
  auto entry = p_.ledger.SignRelease(payment->user, *tab);
  TT_CO_CHECK(entry);
  Json data = protocol::OutboxEntry{0, *entry}.ToJson();
  work.answer->Emit(Json::MakeObject({{"t", "body"}, {"status", 200}, {"data", std::move(data)}}));
  co_return Ok{};
}

}  // namespace teetee::head
