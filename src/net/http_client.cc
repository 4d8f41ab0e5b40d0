#include "net/http_client.h"

#include <deque>
#include <map>

#include "net/http_codec.h"
#include "net/socket.h"
#include "net/url.h"

namespace teetee::net {
namespace {

constexpr size_t kMaxResponseHeader = 64u << 10;  // bytes
constexpr size_t kReadChunk = 32u << 10;
constexpr int kMaxInformational = 8;  // 1xx responses before the real one

struct Idle {
  std::unique_ptr<TcpStream> stream;
  SteadyClock::time_point until;
};

bool IsIdempotent(const std::string& method) {
  return method == "GET" || method == "HEAD" || method == "OPTIONS";
}

Result<std::string> EncodeRequest(const HttpRequestOptions& options, const Url& url) {
  HttpHeaders headers = options.headers;
  if (!headers.Has("Host")) headers.Set("Host", url.HostHeader());
  if (!headers.Has("Accept")) headers.Set("Accept", "*/*");
  bool has_body = !options.body.empty() || options.method == "POST" || options.method == "PUT";
  if (has_body) headers.Set("Content-Length", std::to_string(options.body.size()));
  TT_RETURN_IF_ERROR(headers.Validate());
  TT_RETURN_IF_ERROR(HttpHeaders({{options.method, ""}}).Validate());  // a method is a token too
  return EncodeRequestHead(options.method, url.target, headers);
}

}  // namespace

struct HttpClient::State {
  State(const Executor& e, size_t most, Millis keep_for, AddressRule may_dial)
      : executor(e), max_idle(most), keep(keep_for), rule(std::move(may_dial)) {}
  Executor executor;
  size_t max_idle;
  Millis keep;
  AddressRule rule;
  std::map<std::string, std::deque<Idle>> idle;  // by "host:port"

  // A connection that is still open and silent, or null.
  std::unique_ptr<TcpStream> TakeIdle(const std::string& address) {
    auto it = idle.find(address);
    while (it != idle.end() && !it->second.empty()) {
      Idle last = std::move(it->second.back());  // the freshest is the likeliest to live
      it->second.pop_back();
      if (SteadyClock::now() < last.until && last.stream->IdleAndOpen())
        return std::move(last.stream);
    }
    if (it != idle.end()) idle.erase(it);
    return nullptr;
  }

  void PutIdle(const std::string& address, std::unique_ptr<TcpStream> stream) {
    std::deque<Idle>& list = idle[address];
    list.push_back({std::move(stream), SteadyClock::now() + keep});
    if (list.size() > max_idle) list.pop_front();
    if (list.empty()) idle.erase(address);
  }
};

struct HttpStream::Impl {
  std::shared_ptr<HttpClient::State> pool;
  std::string address;
  std::unique_ptr<TcpStream> stream;
  std::unique_ptr<HttpResponseDecoder> decoder;
  Bytes pending;  // read and not decoded yet
  bool head_request = false;
  size_t max_body = 0;
  Millis idle_timeout{0};

  static Task<Result<std::unique_ptr<Impl>>> Open(std::shared_ptr<HttpClient::State> pool,
                                                  HttpRequestOptions options);
  Task<Status> Send(ByteView head, ByteView body);
  Task<Status> ReadHeader();
  Task<Status> ReadMore();
  Status Decode();
  void Finish();
};

// Sends on an idle connection when there is one. The server may have closed it this very moment:
// then, for a method that may be repeated, once more on a fresh one.
Task<Result<std::unique_ptr<HttpStream::Impl>>> HttpStream::Impl::Open(
    std::shared_ptr<HttpClient::State> pool, HttpRequestOptions options) {
  auto url = ParseUrl(options.url);
  TT_CO_CHECK(url);
  if (url->scheme != "http") co_return Error(Code::kUnimplemented, "https is not supported here");
  auto head = EncodeRequest(options, *url);
  TT_CO_CHECK(head);
  auto impl = std::make_unique<Impl>();
  impl->pool = pool;
  impl->address = (url->host.find(':') == std::string::npos ? url->host : "[" + url->host + "]") +
                  ":" + std::to_string(url->port);
  impl->head_request = options.method == "HEAD";
  impl->max_body = options.max_response_bytes;
  impl->idle_timeout = options.idle_timeout;
  for (bool may_reuse = true;; may_reuse = false) {
    if (may_reuse) impl->stream = pool->TakeIdle(impl->address);
    bool reused = impl->stream != nullptr;
    if (!reused) {
      auto fresh = co_await TcpStream::Connect(impl->address, options.timeout, pool->rule);
      TT_CO_CHECK(fresh);
      impl->stream = *std::move(fresh);
    }
    impl->pending.clear();
    impl->decoder = std::make_unique<HttpResponseDecoder>(impl->head_request, kMaxResponseHeader,
                                                          impl->max_body);
    auto status = co_await impl->Send(AsBytes(*head), options.body);
    if (status) status = co_await impl->ReadHeader();
    if (status) co_return std::move(impl);
    bool again = reused && !impl->decoder->started() && IsIdempotent(options.method) &&
                 status.error().code() == Code::kUnavailable;
    impl->stream.reset();
    if (!again) co_return std::move(status).error().Context(options.method + " " + impl->address);
  }
}

Task<Status> HttpStream::Impl::Send(ByteView head, ByteView body) {
  ByteWriter first;
  first.Raw(head);
  bool small = body.size() <= kReadChunk;
  if (small) first.Raw(body);  // one packet for the usual request
  auto sent = co_await stream->WriteAll(first.bytes(), kNoTimeout);
  if (sent && !small) sent = co_await stream->WriteAll(body, kNoTimeout);
  // A server that refuses early closes its side: its answer may still be read.
  co_return Ok{};
}

Task<Status> HttpStream::Impl::ReadHeader() {
  int informational = 0;
  for (;;) {
    while (!decoder->header_done()) {
      auto more = co_await ReadMore();
      TT_CO_CHECK(more);
    }
    if (decoder->status() / 100 != 1) co_return Ok{};
    if (decoder->status() == 101 || ++informational > kMaxInformational) {
      co_return Error(Code::kDataLoss,
                      "malformed HTTP: an interim response that was not asked for");
    }
    decoder = std::make_unique<HttpResponseDecoder>(head_request, kMaxResponseHeader, max_body);
    auto decoded = Decode();
    TT_CO_CHECK(decoded);
  }
}

Status HttpStream::Impl::Decode() {
  size_t offset = 0;
  while (offset < pending.size() && !decoder->done()) {
    size_t taken = TT_TRY(decoder->Put(ByteView(pending).subspan(offset)));
    if (taken == 0) break;
    offset += taken;
  }
  pending.erase(pending.begin(), pending.begin() + static_cast<std::ptrdiff_t>(offset));
  return Ok{};
}

Task<Status> HttpStream::Impl::ReadMore() {
  size_t before = pending.size();
  pending.resize(before + kReadChunk);
  auto count = co_await stream->ReadSome(std::span(pending).subspan(before), idle_timeout);
  pending.resize(before + (count ? *count : 0));
  if (!count && count.error().code() == Code::kDeadlineExceeded) co_return count.error();
  if (!count) co_return Error(Code::kUnavailable, "the connection broke off");
  if (*count == 0) co_return decoder->PutEnd();
  co_return Decode();
}

// The response is complete: keep the connection when both sides may, and nothing unexpected
// followed.
void HttpStream::Impl::Finish() {
  if (!stream) return;
  if (decoder->keep_alive() && pending.empty() && pool->max_idle > 0)
    pool->PutIdle(address, std::move(stream));
  stream.reset();
}

HttpStream::HttpStream(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
HttpStream::HttpStream(HttpStream&&) noexcept = default;
HttpStream& HttpStream::operator=(HttpStream&&) noexcept = default;
HttpStream::~HttpStream() = default;

int HttpStream::status() const { return impl_->decoder->status(); }
const HttpHeaders& HttpStream::headers() const { return impl_->decoder->headers(); }

Task<Result<std::optional<Bytes>>> HttpStream::Next() {
  for (;;) {
    Bytes part = impl_->decoder->TakeBody();
    if (!part.empty()) co_return std::optional<Bytes>(std::move(part));
    if (impl_->decoder->done()) {
      impl_->Finish();
      co_return std::optional<Bytes>();
    }
    auto more = co_await impl_->ReadMore();
    TT_CO_CHECK(more);
  }
}

HttpClient::HttpClient(const Executor& executor, size_t max_idle_per_host, Millis idle_keep,
                       AddressRule rule)
    : state_(std::make_shared<State>(executor, max_idle_per_host, idle_keep, std::move(rule))) {}
HttpClient::~HttpClient() = default;

Task<Result<HttpStream>> HttpClient::Open(HttpRequestOptions options) {
  Millis timeout = options.timeout;
  auto impl = co_await WithTimeout(HttpStream::Impl::Open(state_, std::move(options)), timeout);
  TT_CO_CHECK(impl);
  co_return HttpStream(*std::move(impl));
}

namespace {
Task<Result<HttpResponse>> ReadWhole(HttpStream stream) {
  HttpResponse out;
  out.status = stream.status();
  out.headers = stream.headers();
  for (;;) {
    auto part = co_await stream.Next();
    TT_CO_CHECK(part);
    if (!*part) co_return out;
    out.body.insert(out.body.end(), (*part)->begin(), (*part)->end());
  }
}

Task<Result<HttpResponse>> OpenAndRead(Task<Result<HttpStream>> open) {
  auto stream = co_await std::move(open);
  TT_CO_CHECK(stream);
  co_return co_await ReadWhole(*std::move(stream));
}
}  // namespace

Task<Result<HttpResponse>> HttpClient::Fetch(HttpRequestOptions options) {
  Millis timeout = options.timeout;
  options.idle_timeout = timeout;
  co_return co_await WithTimeout(OpenAndRead(Open(std::move(options))), timeout);
}

}  // namespace teetee::net
