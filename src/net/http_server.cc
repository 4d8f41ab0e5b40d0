#include "net/http_server.h"

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <map>
#include <set>

#include "base/check.h"
#include "base/log.h"
#include "net/http_codec.h"
#include "net/socket.h"
#include "net/sse.h"

namespace teetee::net {
namespace {

constexpr size_t kReadChunk = 8192;       // bytes of one read
constexpr size_t kReadAhead = 64u << 10;  // bytes kept while a handler works; then the peer waits
constexpr size_t kMaxDrain =
    4u << 20;  // bytes read over after a refusal, so that the peer sees the answer
constexpr Millis kMaxLinger{1000};
constexpr size_t kMaxRefusals = 64;  // connections beyond the limit that are told so at a time

HttpResponse Refusal(int status, Code code, std::string_view message) {
  if (status == 413 || status == 431) code = Code::kInvalidArgument;  // no use in trying again later
  Json error = Json::MakeObject({{"message", message},
                                 {"type", OpenAiErrorType(code)},
                                 {"param", nullptr},
                                 {"code", nullptr}});
  return HttpResponse::OfJson(status, Json::MakeObject({{"error", std::move(error)}}));
}

bool HasNoBody(int status) { return status / 100 == 1 || status == 204 || status == 304; }

Error PeerGone() { return Error(Code::kCancelled, "the peer closed the connection"); }

// What the peer has sent and nobody has read yet, filled by a task of its own so that the end of
// the connection is noticed while a handler works.
class Inbox {
 public:
  explicit Inbox(const Executor& executor)
      : changed_(executor, SteadyClock::time_point::max()), room_(executor), end_(executor) {}

  ByteView view() const { return bytes_; }
  bool ended() const { return end_.is_set(); }
  Event& end() { return end_; }

  void Consume(size_t count) {
    bytes_.erase(bytes_.begin(), bytes_.begin() + static_cast<std::ptrdiff_t>(count));
    room_.Set();
  }

  // True when more is here or the peer has ended; false at the deadline.
  Task<bool> WaitForMore(SteadyClock::time_point deadline) {
    size_t before = bytes_.size();
    while (bytes_.size() == before && !ended()) {
      if (SteadyClock::now() >= deadline) co_return false;
      changed_.expires_at(deadline);
      co_await changed_.async_wait(asio::as_tuple(asio::use_awaitable));
    }
    co_return true;
  }

  Task<void> Pump(Stream& stream) {
    ByteArray<kReadChunk> chunk;
    for (;;) {
      auto count = co_await stream.ReadSome(chunk, kNoTimeout);
      if (!count || *count == 0) break;
      if (drain_left_) {
        *drain_left_ -= std::min(*drain_left_, *count);
        if (*drain_left_ == 0) break;
        continue;
      }
      bytes_.insert(bytes_.end(), chunk.begin(),
                    chunk.begin() + static_cast<std::ptrdiff_t>(*count));
      changed_.cancel();
      while (bytes_.size() >= kReadAhead && !drain_left_) {
        room_.Reset();
        co_await room_.Wait();
      }
    }
    End();
  }

  void End() {
    end_.Set();
    changed_.cancel();
  }

  // From now on input is read and thrown away, so that closing does not reset the peer before it
  // has read our answer.
  void StartDraining() {
    drain_left_ = kMaxDrain;
    room_.Set();
  }

 private:
  Bytes bytes_;
  asio::steady_timer changed_;
  Event room_, end_;
  std::optional<size_t> drain_left_;
};

}  // namespace

struct HttpServer::State : std::enable_shared_from_this<HttpServer::State> {
  State(IoContext& context, HttpHandler h, HttpLimits l, CorsHook c)
      : io(context),
        tasks(context.get_executor()),
        handler(std::move(h)),
        limits(l),
        cors(std::move(c)) {}
  IoContext& io;
  TaskGroup tasks;  // the accept loop, connections and their readers
  HttpHandler handler;
  HttpLimits limits;
  CorsHook cors;
  std::unique_ptr<TcpListener> listener;
  std::set<HttpConnection*> connections;
  std::map<std::string, size_t> requests_by_address;
  size_t handlers = 0;
  size_t refusals = 0;
  bool stopping = false;

  Task<void> AcceptLoop();
  Task<void> RefuseConnection(std::shared_ptr<TcpStream> stream);
  void CloseAll(bool idle_only);
};

class HttpConnection : public std::enable_shared_from_this<HttpConnection> {
 public:
  HttpConnection(std::shared_ptr<HttpServer::State> server, std::shared_ptr<TcpStream> stream)
      : server_(std::move(server)), stream_(std::move(stream)), inbox_(server_->io.get_executor()) {
    server_->connections.insert(this);
  }
  ~HttpConnection() { server_->connections.erase(this); }

  void Start() {
    server_->tasks.Spawn(Read(shared_from_this()), "http reader");
    server_->tasks.Spawn(Serve(shared_from_this()), "http connection");
  }
  bool handling() const { return handling_; }
  void Close() { stream_->Close(); }

 private:
  friend class HttpReply;
  enum class Phase { kNone, kStreaming, kDone, kBroken };
  struct Closer {  // whatever ends the task, also cancellation, closes the socket, which ends the
                   // reader
    TcpStream& stream;
    ~Closer() { stream.Close(); }
  };
  struct HandlerCount;

  static Task<void> Read(std::shared_ptr<HttpConnection> self) {
    co_await self->inbox_.Pump(*self->stream_);
  }
  static Task<void> Serve(std::shared_ptr<HttpConnection> self);
  Task<bool> ReadRequest(HttpRequestDecoder& decoder);
  Task<void> Refuse(int status, Code code, std::string message);
  Task<void> Answer(HttpRequest& request);
  Task<void> Handle(HttpRequest& request, HttpReply& reply);
  Task<bool> AnswerPreflight(HttpRequest& request, HttpReply& reply);
  Task<void> Linger();

  Result<std::string> Head(int status, HttpHeaders headers) const;
  Task<Status> WriteRaw(ByteView bytes);
  Task<Status> Send(HttpResponse response);
  Task<Status> Begin(int status, HttpHeaders headers);
  Task<Status> Write(ByteView bytes);
  Task<Status> End();

  std::shared_ptr<HttpServer::State> server_;
  std::shared_ptr<TcpStream> stream_;
  Inbox inbox_;
  bool handling_ = false;
  bool keep_alive_ = false;
  // Of the answer that is being made:
  Phase phase_ = Phase::kNone;
  bool head_request_ = false;
  bool http_1_0_ = false;
  HttpHeaders cors_headers_;
};

// ---- connection: requests in ----

Task<void> HttpConnection::Serve(std::shared_ptr<HttpConnection> self) {
  Closer closer{*self->stream_};
  do {
    const HttpLimits& limits = self->server_->limits;
    HttpRequestDecoder decoder(limits.max_header, limits.max_body);
    self->phase_ = Phase::kNone;
    self->keep_alive_ = false;
    bool complete = co_await self->ReadRequest(decoder);
    if (!complete) break;
    self->keep_alive_ = decoder.keep_alive();
    self->http_1_0_ = decoder.http_1_0();
    self->head_request_ = decoder.request().method == "HEAD";
    co_await self->Answer(decoder.request());
  } while (self->keep_alive_ && self->phase_ == Phase::kDone && !self->server_->stopping);
  if (self->phase_ == Phase::kDone) co_await self->Linger();
}

// False when there is no request to answer: the peer left, or was refused here.
Task<bool> HttpConnection::ReadRequest(HttpRequestDecoder& decoder) {
  const HttpLimits& limits = server_->limits;
  bool idle = inbox_.view().empty();
  auto deadline = SteadyClock::now() + (idle ? limits.idle_timeout : limits.read_timeout);
  bool continued = false;
  while (!decoder.done()) {
    auto taken = decoder.Put(inbox_.view());
    if (!taken) {
      co_await Refuse(decoder.http_status(), taken.error().code(), taken.error().message());
      co_return false;
    }
    inbox_.Consume(*taken);
    if (*taken > 0 || decoder.done()) continue;
    if (inbox_.ended()) co_return false;
    if (decoder.wants_continue() && !std::exchange(continued, true)) {
      std::string line = EncodeResponseHead(100, {});
      auto sent = co_await WriteRaw(AsBytes(line));
      if (!sent) co_return false;
    }
    bool more = co_await inbox_.WaitForMore(deadline);
    if (!more) {
      if (!idle)
        co_await Refuse(408, Code::kDeadlineExceeded, "the request took too long to arrive");
      co_return false;
    }
    if (std::exchange(idle, false)) deadline = SteadyClock::now() + limits.read_timeout;
  }
  co_return true;
}

Task<void> HttpConnection::Refuse(int status, Code code, std::string message) {
  keep_alive_ = false;
  HttpResponse response = Refusal(status, code, message);
  (void)co_await Send(std::move(response));
}

Task<void> HttpConnection::Linger() {
  stream_->ShutdownSend();
  inbox_.Consume(inbox_.view().size());
  inbox_.StartDraining();
  (void)co_await inbox_.WaitForMore(SteadyClock::now() + kMaxLinger);
}

// ---- connection: one request ----

// Counts a handler at work, for the server and for the peer's address.
struct HttpConnection::HandlerCount {
  explicit HandlerCount(HttpConnection& c) : connection(c) {
    ++connection.server_->handlers;
    ++connection.server_->requests_by_address[connection.stream_->remote()];
    connection.handling_ = true;
  }
  ~HandlerCount() {
    connection.handling_ = false;
    --connection.server_->handlers;
    auto& counts = connection.server_->requests_by_address;
    auto it = counts.find(connection.stream_->remote());
    if (--it->second == 0) counts.erase(it);
  }
  HttpConnection& connection;
};

Task<void> HttpConnection::Answer(HttpRequest& request) {
  request.remote = stream_->remote();
  cors_headers_ = {};
  if (server_->cors) cors_headers_ = server_->cors(request).value_or(HttpHeaders{});
  const auto& counts = server_->requests_by_address;
  auto at_work = counts.find(request.remote);
  if (at_work != counts.end() && at_work->second >= server_->limits.max_requests_per_address) {
    HttpResponse response =
        Refusal(429, Code::kResourceExhausted, "too many requests at once from this address");
    response.headers.Set("Retry-After", std::to_string(server_->limits.retry_after_s));
    (void)co_await Send(std::move(response));
    co_return;
  }
  HandlerCount count(*this);
  HttpReply reply(*this);
  bool answered = co_await AnswerPreflight(request, reply);
  if (!answered) co_await Handle(request, reply);
  if (phase_ == Phase::kNone) co_await Refuse(500, Code::kInternal, "the server gave no answer");
}

Task<bool> HttpConnection::AnswerPreflight(HttpRequest& request, HttpReply& reply) {
  bool preflight =
      request.method == "OPTIONS" && request.headers.Has("Access-Control-Request-Method");
  if (!server_->cors || !preflight) co_return false;
  HttpResponse response;
  response.status = cors_headers_.fields().empty() ? 403 : 204;
  (void)co_await reply.Send(std::move(response));
  co_return true;
}

Task<void> HttpConnection::Handle(HttpRequest& request, HttpReply& reply) {
  std::exception_ptr failure;
  try {
    co_await server_->handler(request, reply);
  } catch (...) {
    failure = std::current_exception();
  }
  if (!failure) co_return;
  if (ErrorOfException(failure).code() == Code::kCancelled) std::rethrow_exception(failure);
  LogError("net", "an HTTP handler ended by an exception");
}

// ---- connection: the answer ----

Result<std::string> HttpConnection::Head(int status, HttpHeaders headers) const {
  for (const auto& [name, value] : cors_headers_.fields()) headers.Add(name, value);
  bool close = !keep_alive_ || server_->stopping;
  if (close) headers.Set("Connection", "close");
  if (!close && http_1_0_) headers.Set("Connection", "keep-alive");
  TT_RETURN_IF_ERROR(headers.Validate());
  return EncodeResponseHead(status, headers);
}

Task<Status> HttpConnection::WriteRaw(ByteView bytes) {
  auto sent = co_await stream_->WriteAll(bytes, server_->limits.write_timeout);
  if (!sent) {
    phase_ = Phase::kBroken;
    inbox_.End();
  }
  co_return sent;
}

Task<Status> HttpConnection::Send(HttpResponse response) {
  if (phase_ != Phase::kNone)
    co_return Error(Code::kFailedPrecondition, "the answer was already begun");
  if (!HasNoBody(response.status)) {
    response.headers.Set("Content-Length", std::to_string(response.body.size()));
  }
  auto head = Head(response.status, std::move(response.headers));
  TT_CO_CHECK(head);
  phase_ = Phase::kDone;
  ByteWriter out;
  out.Raw(*head);
  if (!head_request_ && !HasNoBody(response.status)) out.Raw(response.body);
  co_return co_await WriteRaw(out.bytes());
}

Task<Status> HttpConnection::Begin(int status, HttpHeaders headers) {
  if (phase_ != Phase::kNone)
    co_return Error(Code::kFailedPrecondition, "the answer was already begun");
  if (HasNoBody(status)) co_return Error(Code::kInvalidArgument, "this status has no body");
  if (http_1_0_) {
    keep_alive_ = false;  // no chunks there: the end of the connection ends the body
  } else {
    headers.Set("Transfer-Encoding", "chunked");
  }
  auto head = Head(status, std::move(headers));
  TT_CO_CHECK(head);
  phase_ = Phase::kStreaming;
  co_return co_await WriteRaw(AsBytes(*head));
}

Task<Status> HttpConnection::Write(ByteView bytes) {
  if (phase_ == Phase::kBroken || inbox_.ended()) co_return PeerGone();
  if (phase_ != Phase::kStreaming)
    co_return Error(Code::kFailedPrecondition, "no stream was begun");
  if (head_request_ || bytes.empty()) co_return Ok{};
  if (http_1_0_) co_return co_await WriteRaw(bytes);
  Bytes chunk = EncodeChunk(bytes);
  co_return co_await WriteRaw(chunk);
}

Task<Status> HttpConnection::End() {
  if (phase_ == Phase::kBroken) co_return PeerGone();
  if (phase_ != Phase::kStreaming)
    co_return Error(Code::kFailedPrecondition, "no stream was begun");
  phase_ = Phase::kDone;
  if (head_request_ || http_1_0_) co_return Ok{};
  co_return co_await WriteRaw(AsBytes(kLastChunk));
}

Task<Status> HttpReply::Send(HttpResponse response) {
  return connection_.Send(std::move(response));
}
Task<Status> HttpReply::Begin(int status, HttpHeaders headers) {
  return connection_.Begin(status, std::move(headers));
}
Task<Status> HttpReply::Write(ByteView bytes) { return connection_.Write(bytes); }
Task<Status> HttpReply::End() { return connection_.End(); }

Task<Status> HttpReply::BeginSse(HttpHeaders headers) {
  headers.Set("Content-Type", "text/event-stream");
  headers.Set("Cache-Control", "no-cache");
  headers.Set("X-Accel-Buffering", "no");
  return connection_.Begin(200, std::move(headers));
}

Task<Status> HttpReply::Sse(std::string data) {
  std::string frame = SseFrame(data);
  co_return co_await connection_.Write(AsBytes(frame));
}

bool HttpReply::begun() const { return connection_.phase_ != HttpConnection::Phase::kNone; }
bool HttpReply::peer_gone() const { return connection_.inbox_.ended(); }
Task<void> HttpReply::WaitPeerGone() { return connection_.inbox_.end().Wait(); }

// ---- server ----

Task<void> HttpServer::State::AcceptLoop() {
  while (!stopping) {
    auto stream = co_await listener->Accept();
    if (!stream && stream.error().code() == Code::kCancelled) co_return;
    if (!stream) {
      LogWarn("net", stream.error().message());  // no file descriptors left, most likely
      co_await Sleep(Millis(100));
      continue;
    }
    std::shared_ptr<TcpStream> shared = *std::move(stream);
    if (connections.size() < limits.max_connections) {
      std::make_shared<HttpConnection>(shared_from_this(), std::move(shared))->Start();
    } else if (refusals < kMaxRefusals) {
      tasks.Spawn(RefuseConnection(std::move(shared)), "http refusal");
    }
  }
}

Task<void> HttpServer::State::RefuseConnection(std::shared_ptr<TcpStream> stream) {
  struct Count {
    size_t& n;
    explicit Count(size_t& counter) : n(counter) { ++n; }
    ~Count() { --n; }
  } count(refusals);
  HttpResponse response = Refusal(429, Code::kResourceExhausted, "too many connections");
  response.headers.Set("Retry-After", std::to_string(limits.retry_after_s));
  response.headers.Set("Content-Length", std::to_string(response.body.size()));
  response.headers.Set("Connection", "close");
  std::string out = EncodeResponseHead(429, response.headers);
  out += response.text();
  (void)co_await stream->WriteAll(AsBytes(out), kMaxLinger);
  stream->ShutdownSend();
  ByteArray<1024> ignored;
  (void)co_await stream->ReadSome(ignored, kMaxLinger);
}

void HttpServer::State::CloseAll(bool idle_only) {
  for (HttpConnection* connection : connections) {
    if (!idle_only || !connection->handling()) connection->Close();
  }
}

HttpServer::HttpServer(std::shared_ptr<State> state) : state_(std::move(state)) {}

HttpServer::~HttpServer() {
  state_->stopping = true;
  state_->listener->Close();
  state_->CloseAll(false);
  state_->tasks.Cancel();
}

Result<std::unique_ptr<HttpServer>> HttpServer::Listen(IoContext& io, std::string_view address,
                                                       HttpHandler handler, HttpLimits limits,
                                                       CorsHook cors) {
  TT_CHECK(handler);
  auto state = std::make_shared<State>(io, std::move(handler), limits, std::move(cors));
  state->listener = TT_TRY(TcpListener::Listen(io, address));
  auto loop = [](std::shared_ptr<State> s) -> Task<void> { co_await s->AcceptLoop(); };
  state->tasks.Spawn(loop(state), "http accept");
  return std::unique_ptr<HttpServer>(new HttpServer(std::move(state)));
}

uint16_t HttpServer::port() const { return state_->listener->port(); }
size_t HttpServer::connections() const { return state_->connections.size(); }
size_t HttpServer::handlers() const { return state_->handlers; }

Task<void> HttpServer::Stop(Millis limit) {
  std::shared_ptr<State> state = state_;
  state->stopping = true;
  state->listener->Close();
  state->CloseAll(true);
  auto join = [](std::shared_ptr<State> s) -> Task<Status> {
    co_await s->tasks.Join();
    co_return Ok{};
  };
  auto ended = co_await WithTimeout(join(state), limit);
  if (ended) co_return;
  LogWarn("net", "HTTP server: cancelling " + std::to_string(state->handlers) + " handlers");
  state->tasks.Cancel();
  state->CloseAll(false);
  co_await state->tasks.Join();
}

}  // namespace teetee::net
