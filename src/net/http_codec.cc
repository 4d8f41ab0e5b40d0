#include "net/http_codec.h"

// Foreign bytes must not end the process, and Beast asserts some of its expectations of them. Its
// assertions throw here (boost/assert.hpp), and the peer is refused: docs/design/0001, "Beast".
#define BOOST_ENABLE_ASSERT_HANDLER

#include <algorithm>
#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/version.hpp>

#include "base/check.h"
#include "base/log.h"
#include "net/url.h"

namespace boost {
namespace {
struct AssertionFailed {};
}  // namespace
void assertion_failed(const char* expression, const char*, const char* file,
                                   long line) {
  teetee::LogError("net", std::string("an HTTP peer is refused: assertion ") + expression + " of " +
                              file + ":" + std::to_string(line));
  throw AssertionFailed();
}
void assertion_failed_msg(const char* expression, const char*, const char* function,
                                       const char* file, long line) {
  assertion_failed(expression, function, file, line);
}
}  // namespace boost

namespace teetee::net {
namespace {

namespace http = boost::beast::http;
using boost::beast::error_code;
using boost::beast::string_view;

std::string_view View(string_view text) { return {text.data(), text.size()}; }

// Beast's push parser with everything that both directions share: field collection, body
// collection, and the bound on the whole header (Beast's own bound starts anew with each field).
template <bool kIsRequest>
class Parser : public http::basic_parser<kIsRequest> {
 public:
  Parser(size_t max_header, size_t max_body) : max_header_(max_header) {
    this->eager(true);
    this->header_limit(static_cast<uint32_t>(max_header));
    this->body_limit(max_body);
  }

  Result<size_t> Feed(ByteView bytes) {
    if (this->is_done() || bytes.empty()) return size_t{0};
    bool in_header = !this->is_header_done();
    // Beast asserts that 5 bytes are there when it comes back to a last chunk, but "0\r\n" as the
    // first chunk and one byte more are 4. No message ends with fewer than 5.
    bool at_chunk = !in_header && this->chunked() && chunk_left_ == 0;
    if (at_chunk && bytes[0] == '0' && bytes.size() < 5) return size_t{0};
    error_code error;
    size_t taken = 0;
    try {
      taken = this->put(boost::asio::const_buffer(bytes.data(), bytes.size()), error);
    } catch (const boost::AssertionFailed&) {
      error = http::error::bad_value;  // the parser is never used again after an error
    }
    if (error && error != http::error::need_more) return Refuse(error);
    if (in_header) header_bytes_ += taken;
    // After the header a single read may also bring body bytes: those are bounded by max_body.
    bool header_too_long = !this->is_header_done() && header_bytes_ > max_header_;
    if (header_too_long || fields.fields().size() > kMaxFields)
      return Refuse(http::error::header_limit);
    if (taken == 0 && !this->is_done() && bytes.size() >= max_header_) {
      return Refuse(http::error::header_limit);  // an endless field, chunk extension or trailer
    }
    return taken;
  }

  Error Refuse(error_code error) {
    http_status = 400;
    if (error == http::error::body_limit || error == http::error::buffer_overflow) {
      http_status = 413;
      return Error(Code::kResourceExhausted, "HTTP body is larger than the limit");
    }
    if (error == http::error::header_limit) {
      http_status = 431;
      return Error(Code::kResourceExhausted, "HTTP header is larger than the limit");
    }
    return Error(Code::kInvalidArgument, "malformed HTTP: " + error.message());
  }

  int http_status = 400;
  int version = 11;
  int status = 0;
  std::string method, target;
  HttpHeaders fields;
  Bytes body;

 protected:
  static constexpr size_t kMaxFields = 128;

  void on_request_impl(http::verb, string_view method_text, string_view target_text, int v,
                       error_code& error) override {
    method = View(method_text);
    target = View(target_text);
    version = v;
    error = {};
  }
  void on_response_impl(int code, string_view, int v, error_code& error) override {
    status = code;
    version = v;
    error = {};
  }
  void on_field_impl(http::field, string_view name, string_view value, error_code& error) override {
    if (!header_complete_) fields.Add(std::string(View(name)), std::string(View(value)));
    error = {};  // trailers are read over
  }
  void on_header_impl(error_code& error) override {
    header_complete_ = true;
    error = {};
  }
  void on_body_init_impl(boost::optional<uint64_t> const&, error_code& error) override {
    error = {};
  }
  size_t on_body_impl(string_view part, error_code& error) override {
    body.insert(body.end(), part.begin(), part.end());
    error = {};
    return part.size();
  }
  void on_chunk_header_impl(uint64_t size, string_view, error_code& error) override {
    chunk_left_ = size;
    error = {};
  }
  size_t on_chunk_body_impl(uint64_t, string_view part, error_code& error) override {
    size_t taken = on_body_impl(part, error);
    chunk_left_ -= taken;
    return taken;
  }
  void on_finish_impl(error_code& error) override { error = {}; }

 private:
  size_t max_header_;
  size_t header_bytes_ = 0;
  uint64_t chunk_left_ = 0;  // bytes of the current chunk that have not come yet
  bool header_complete_ = false;
};

Error Malformed(const char* what) {
  return Error(Code::kInvalidArgument, std::string("malformed HTTP: ") + what);
}

// "/path?query", or an absolute URL as proxies send it, or "*".
Status SplitTarget(HttpRequest& request) {
  if (request.target.starts_with("http://") || request.target.starts_with("https://")) {
    request.target = TT_TRY(ParseUrl(request.target)).target;
  }
  bool asterisk = request.target == "*" && request.method == "OPTIONS";
  if (!request.target.starts_with('/') && !asterisk) return Malformed("the target is not a path");
  size_t mark = request.target.find('?');
  request.path = request.target.substr(0, mark);
  if (mark != std::string::npos) request.query = request.target.substr(mark + 1);
  return Ok{};
}

// What Beast lets through and RFC 9112 does not: a body whose length is unclear is how requests are
// smuggled.
Status CheckRequest(const HttpRequest& request, int version) {
  if (version != 10 && version != 11) return Malformed("version");
  size_t hosts = request.headers.Count("Host");
  if (hosts > 1 || (hosts == 0 && version == 11)) return Malformed("not exactly one Host field");
  auto coding = request.headers.Find("Transfer-Encoding");
  if (coding && (version == 10 || !EqualsIgnoreCase(*coding, "chunked"))) {
    return Malformed("a transfer coding other than chunked");
  }
  return Ok{};
}

}  // namespace

struct HttpRequestDecoder::Impl {
  Impl(size_t max_header, size_t max_body) : parser(max_header, max_body) {}
  Parser<true> parser;
  HttpRequest request;
  bool checked = false;
  bool failed = false;

  Result<size_t> Put(ByteView bytes) {
    size_t taken = TT_TRY(parser.Feed(bytes));
    if (parser.is_header_done() && !checked) {
      request.method = std::move(parser.method);
      request.target = std::move(parser.target);
      request.headers = std::move(parser.fields);
      TT_RETURN_IF_ERROR(SplitTarget(request));
      TT_RETURN_IF_ERROR(CheckRequest(request, parser.version));
      checked = true;
    }
    if (parser.is_done()) request.body = std::move(parser.body);
    return taken;
  }
};

HttpRequestDecoder::HttpRequestDecoder(size_t max_header, size_t max_body)
    : impl_(std::make_unique<Impl>(max_header, max_body)) {}
HttpRequestDecoder::~HttpRequestDecoder() = default;

Result<size_t> HttpRequestDecoder::Put(ByteView bytes) {
  if (impl_->failed) return Malformed("more after an error");
  if (done()) return size_t{0};
  auto taken = impl_->Put(bytes);
  impl_->failed = !taken;
  return taken;
}

bool HttpRequestDecoder::header_done() const { return impl_->checked; }
bool HttpRequestDecoder::done() const { return impl_->checked && impl_->parser.is_done(); }
bool HttpRequestDecoder::keep_alive() const { return impl_->parser.keep_alive(); }
bool HttpRequestDecoder::http_1_0() const { return impl_->parser.version == 10; }
int HttpRequestDecoder::http_status() const { return impl_->parser.http_status; }

bool HttpRequestDecoder::wants_continue() const {
  auto expect = impl_->request.headers.Find("Expect");
  return header_done() && !http_1_0() && expect && EqualsIgnoreCase(*expect, "100-continue");
}

HttpRequest& HttpRequestDecoder::request() {
  TT_CHECK(header_done());
  return impl_->request;
}

struct HttpResponseDecoder::Impl {
  Impl(bool head_request, size_t max_header, size_t max_body) : parser(max_header, max_body) {
    parser.skip(head_request);
  }
  Parser<false> parser;
  bool failed = false;
};

HttpResponseDecoder::HttpResponseDecoder(bool head_request, size_t max_header, size_t max_body)
    : impl_(std::make_unique<Impl>(head_request, max_header, max_body)) {}
HttpResponseDecoder::~HttpResponseDecoder() = default;

Result<size_t> HttpResponseDecoder::Put(ByteView bytes) {
  if (impl_->failed) return Error(Code::kDataLoss, "malformed HTTP response");
  auto taken = impl_->parser.Feed(bytes);
  impl_->failed = !taken;
  if (!taken && taken.error().code() == Code::kInvalidArgument) {
    return Error(Code::kDataLoss, taken.error().message());
  }
  return taken;
}

Status HttpResponseDecoder::PutEnd() {
  Error cut(Code::kUnavailable, "the connection ended before the response did");
  if (!started() || impl_->failed) return cut;
  if (impl_->parser.is_done()) return Ok{};
  error_code error;
  try {
    impl_->parser.put_eof(error);
  } catch (const boost::AssertionFailed&) {
    return cut;
  }
  if (error) return cut;
  return Ok{};
}

bool HttpResponseDecoder::started() const { return impl_->parser.got_some(); }
bool HttpResponseDecoder::header_done() const { return impl_->parser.is_header_done(); }
bool HttpResponseDecoder::done() const { return impl_->parser.is_done(); }
bool HttpResponseDecoder::keep_alive() const {
  return impl_->parser.is_header_done() && impl_->parser.keep_alive() && !impl_->parser.need_eof();
}
int HttpResponseDecoder::status() const { return impl_->parser.status; }
HttpHeaders& HttpResponseDecoder::headers() { return impl_->parser.fields; }
Bytes HttpResponseDecoder::TakeBody() { return std::exchange(impl_->parser.body, {}); }

namespace {
std::string EncodeFields(std::string head, const HttpHeaders& headers) {
  for (const auto& [name, value] : headers.fields()) head += name + ": " + value + "\r\n";
  return head += "\r\n";
}
}  // namespace

std::string EncodeResponseHead(int status, const HttpHeaders& headers) {
  std::string head = "HTTP/1.1 " + std::to_string(status) + " ";
  head += ReasonPhrase(status);
  return EncodeFields(head + "\r\n", headers);
}

std::string EncodeRequestHead(std::string_view method, std::string_view target,
                              const HttpHeaders& headers) {
  std::string head(method);
  head += ' ';
  head += target;
  return EncodeFields(head + " HTTP/1.1\r\n", headers);
}

Bytes EncodeChunk(ByteView bytes) {
  TT_CHECK(!bytes.empty());
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string size;
  for (size_t n = bytes.size(); n > 0; n >>= 4) size.insert(size.begin(), kDigits[n & 15]);
  ByteWriter out;
  out.Raw(size).Raw("\r\n").Raw(bytes).Raw("\r\n");
  return out.Take();
}

}  // namespace teetee::net
