#include "gateway/sealed_relay.h"

#include "gateway/answers.h"
#include "net/egress.h"
#include "net/url.h"
#include "protocol/sealed.h"

namespace teetee::gateway {
namespace {

using net::HttpReply;
using net::HttpRequest;
using net::Task;

constexpr size_t kMaxControl = 4096;       // bytes
constexpr size_t kMaxError = 64u << 10;    // bytes of a head's refusal
constexpr size_t kMaxEvidence = 4u << 20;  // bytes, collateral included
constexpr char kOctets[] = "application/octet-stream";
constexpr char kJson[] = "application/json";

Task<bool> Gone(HttpReply& reply) {
  co_await reply.WaitPeerGone();
  co_return true;
}

// The task's result, or nothing when the client left first; the task is then cancelled.
template <class T>
Task<std::optional<Result<T>>> UnlessGone(HttpReply& reply, Task<Result<T>> task) {
  using net::asio::experimental::awaitable_operators::operator||;
  auto outcome = co_await (net::CatchAll(std::move(task)) || Gone(reply));
  if (outcome.index() == 0) co_return std::move(std::get<0>(outcome));
  co_return std::nullopt;
}

// Only what the interface has: a head must not make the gateway's origin serve a page.
std::string ContentTypeOf(const net::HttpHeaders& headers) {
  return headers.Find("Content-Type").value_or("").starts_with(kJson) ? kJson : kOctets;
}

}  // namespace

SealedRelay::SealedRelay(const net::Executor& executor, const Directory& directory,
                         History& history, SealedSettings settings)
    : directory_(directory), history_(history), settings_(settings), http_(executor, 8, net::Millis(30'000), settings.may_dial) {}

Result<std::string> SealedRelay::FindHead(const Address& key, const Hash32* model) const {
  const NodeRecord* node = directory_.FindNode(key);
  if (node == nullptr || node->slot != 0 || !directory_.HasLease(*node)) {
    return Error(Code::kNotFound,
                 "no head with a running lease has this key: ask /v1/teetee/nodes again");
  }
  if (model != nullptr) {
    const ModelRecord* wanted = directory_.FindModel(*model);
    if (wanted == nullptr || wanted->family != node->family)
      return Error(Code::kNotFound, "this head does not serve this model");
  }
  if (!directory_.IsReachable(key))
    return Error(Code::kUnavailable, "this head does not answer now: choose another, or try again");
  return net::NodeBaseUrl(node->url);
}

Result<SealedRelay::Route> SealedRelay::RouteSealed(const HttpRequest& request) const {
  const auto parts = TT_TRY(protocol::ParseSealed(request.body));
  const auto& header = parts.header;
  return Route{TT_TRY(FindHead(header.head, &header.model)) + "/v1/teetee/sealed", kOctets,
               std::pair(header.head, header.model)};
}

Result<SealedRelay::Route> SealedRelay::RouteControl(const HttpRequest& request) const {
  auto head = net::QueryParameter(request.query, "head");
  if (!head)
    return Error(Code::kInvalidArgument,
                 "control: the query parameter 'head' (an address) is missing");
  const Address key = TT_TRY(crypto::ParseAddress(*head));
  const Json json = TT_TRY(Json::Parse(request.text(), {.max_bytes = kMaxControl, .max_depth = 2}));
  TT_TRY(protocol::Control::FromJson(json));
  return Route{TT_TRY(FindHead(key, nullptr)) + "/v1/teetee/control", kJson, std::nullopt};
}

Task<void> SealedRelay::Sealed(HttpRequest& request, HttpReply& reply) {
  auto route = RouteSealed(request);
  ++counters_.requests;
  if (!route) {
    ++(route.error().code() == Code::kUnavailable ? counters_.unavailable : counters_.refused);
    auto response = ErrorResponse(route.error());
    (void)co_await reply.Send(std::move(response));
    co_return;
  }
  co_await Carry(*std::move(route), request, reply);
}

Task<void> SealedRelay::Control(HttpRequest& request, HttpReply& reply) {
  auto route = RouteControl(request);
  if (!route) {
    auto response = ErrorResponse(route.error());
    (void)co_await reply.Send(std::move(response));
    co_return;
  }
  co_await Carry(*std::move(route), request, reply);
}

// A connection that the head has just closed may be met once: a head takes a request that it knows
// as a resumption, so repeating is no harm.
Task<Result<net::HttpStream>> SealedRelay::Open(net::HttpRequestOptions options) {
  auto again = options;
  auto first = co_await http_.Open(std::move(options));
  if (first || first.error().code() != Code::kUnavailable) co_return std::move(first);
  auto second = co_await http_.Open(std::move(again));
  co_return std::move(second);
}

Task<void> SealedRelay::Carry(Route route, HttpRequest& request, HttpReply& reply) {
  AnswerClock clock(net::SteadyClock::now());
  struct Count {
    size_t& n;
    explicit Count(size_t& counter) : n(counter) { ++n; }
    ~Count() { --n; }
  } count(streams_);
  if (streams_ > settings_.max_streams) {
    auto response =
        ErrorResponse(Error(Code::kResourceExhausted, "too many requests at once: try again"));
    (void)co_await reply.Send(std::move(response));
    co_return;
  }
  net::HttpRequestOptions options;
  options.method = "POST";
  options.url = std::move(route.url);
  options.headers.Set("Content-Type",
                      std::move(route.content_type));  // and nothing that tells of the client
  options.body = std::move(request.body);
  options.timeout = settings_.open_timeout;
  options.idle_timeout = settings_.idle_timeout;
  options.max_response_bytes = settings_.max_answer;
  auto opened = co_await UnlessGone(reply, Open(std::move(options)));
  if (!opened) {
    ++counters_.left;
    co_return;
  }
  if (!*opened) {
    ++counters_.unavailable;
    auto response = ErrorResponse(
        Error(Code::kUnavailable, "this head does not answer now: choose another, or try again"));
    (void)co_await reply.Send(std::move(response));
    co_return;
  }
  net::HttpStream stream = **std::move(opened);
  if (stream.status() == 200) {
    const bool whole = co_await PassBody(stream, reply, clock);
    const auto speed = clock.Speed();
    if (whole && route.timed && speed)
      history_.NoteAnswer(route.timed->first, route.timed->second, *speed, ClockNow());
  } else {
    co_await PassError(stream, reply);
  }
}

Task<bool> SealedRelay::PassBody(net::HttpStream& from, HttpReply& reply, AnswerClock& clock) {
  net::HttpHeaders headers{{"Content-Type", ContentTypeOf(from.headers())},
                           {"Cache-Control", "no-store"},
                           {"X-Content-Type-Options", "nosniff"},
                           {"X-Accel-Buffering", "no"}};
  Status written = co_await reply.Begin(200, std::move(headers));
  while (written) {
    auto part = co_await UnlessGone(reply, from.Next());
    if (!part) break;
    if (!*part) {  // no End: the client sees that the answer was cut off
      ++counters_.cut;
      co_return false;
    }
    if (!**part) {
      ++counters_.completed;
      (void)co_await reply.End();
      co_return true;
    }
    const Bytes bytes = ***std::move(part);
    counters_.bytes += bytes.size();
    clock.Feed(bytes, net::SteadyClock::now());
    written = co_await reply.Write(bytes);
  }
  ++counters_.left;
  co_return false;
}

// A head's own refusal, as it is, if it looks like one.
Task<void> SealedRelay::PassError(net::HttpStream& from, HttpReply& reply) {
  Bytes body;
  while (body.size() <= kMaxError) {
    auto part = co_await UnlessGone(reply, from.Next());
    if (!part) co_return;
    if (!*part || !**part) break;
    body.insert(body.end(), (**part)->begin(), (**part)->end());
  }
  auto json = Json::Parse(AsText(body), {.max_bytes = kMaxError, .max_depth = 8});
  ++counters_.refused;
  net::HttpResponse response;
  if (from.status() >= 400 && from.status() < 600 && json && json->Find("error") != nullptr) {
    response = net::HttpResponse::OfJson(from.status(), *json);
    if (from.status() == 429) response.headers.Set("Retry-After", "1");
  } else {
    response =
        ErrorResponse(Error(Code::kDataLoss, "the head's answer is malformed: choose another"));
  }
  (void)co_await reply.Send(std::move(response));
}

Task<Result<net::HttpResponse>> SealedRelay::FetchEvidence(std::string base, Address key) {
  net::HttpRequestOptions options;
  options.url = base + "/v1/teetee/evidence";
  options.timeout = settings_.evidence_timeout;
  options.max_response_bytes = kMaxEvidence;
  auto response = co_await http_.Fetch(std::move(options));
  if (!response)
    co_return Error(Code::kUnavailable,
                    "this node does not answer now: choose another, or try again");
  if (response->status != 200)
    co_return Error(Code::kUnavailable,
                    "this node has no evidence now: choose another, or try again");
  auto json = Json::Parse(response->text(), {.max_bytes = kMaxEvidence});
  TT_CO_CHECK(json);
  auto named = json->GetString("key");
  auto address = named ? FromHexFixed<20>(*named) : Result<ByteArray<20>>(named.error());
  if (!address || *address != key)
    co_return Error(Code::kDataLoss, "another node answers at this node's address");
  auto out = net::HttpResponse::Text(200, response->text(), kJson);
  out.headers.Set("Cache-Control", "no-store");
  co_return out;
}

Task<void> SealedRelay::Evidence(Address key, HttpReply& reply) {
  const NodeRecord* node = directory_.FindNode(key);
  auto base =
      node == nullptr
          ? Result<std::string>(Error(Code::kNotFound, "the Registry has no node with this key"))
          : net::NodeBaseUrl(node->url);
  if (base && !directory_.IsReachable(key)) {
    base = Error(Code::kUnavailable, "this node does not answer now: choose another, or try again");
  }
  auto fetched = Result<net::HttpResponse>(Error(Code::kInternal, ""));
  if (base) {
    fetched = co_await FetchEvidence(*base, key);
  } else {
    fetched = base.error();
  }
  auto response = fetched ? *std::move(fetched) : ErrorResponse(fetched.error());
  (void)co_await reply.Send(std::move(response));
}

}  // namespace teetee::gateway
