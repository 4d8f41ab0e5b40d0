// HTTP/1.1 messages as values (RFC 9110, RFC 9112), shared by server and client. Thread-compatible.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/json.h"
#include "net/async.h"

namespace teetee::net {

// Header fields in the order sent; names compare without case.
class HttpHeaders {
 public:
  using Field = std::pair<std::string, std::string>;
  HttpHeaders() = default;
  HttpHeaders(std::initializer_list<Field> fields) : fields_(fields) {}

  // The first field of that name, or nothing. The view lives until the fields change.
  std::optional<std::string_view> Find(std::string_view name) const;
  bool Has(std::string_view name) const { return Find(name).has_value(); }
  size_t Count(std::string_view name) const;
  HttpHeaders& Add(std::string name, std::string value);
  HttpHeaders& Set(std::string name, std::string value);  // replaces all of that name
  const std::vector<Field>& fields() const { return fields_; }

  // kInvalidArgument when a name is no token or a value holds a control character (response
  // splitting).
  Status Validate() const;

 private:
  std::vector<Field> fields_;
};

bool EqualsIgnoreCase(std::string_view a, std::string_view b);

struct HttpRequest {
  std::string method;  // "GET"; case-sensitive
  std::string target;  // as received, origin form
  std::string path;    // of target, not decoded, begins with '/'
  std::string query;   // of target, without '?', not decoded
  HttpHeaders headers;
  Bytes body;          // complete, chunked coding removed
  std::string remote;  // numeric address of the peer, without port

  std::string_view text() const { return AsText(body); }
};

struct HttpResponse {
  int status = 200;
  HttpHeaders headers;
  Bytes body;

  std::string_view text() const { return AsText(body); }
  static HttpResponse Text(int status, std::string_view body,
                           std::string_view content_type = "text/plain; charset=utf-8");
  static HttpResponse OfJson(int status, const Json& body);
};

std::string_view ReasonPhrase(int status);

// Bounds of a server. Every one is enforced before memory is spent.
struct HttpLimits {
  size_t max_body = 1u << 20;     // bytes; more is 413
  size_t max_header = 16u << 10;  // bytes, request line included; more is 431
  size_t max_connections = 4096;  // more are answered 429 and closed
  size_t max_requests_per_address =
      256;                       // handlers at work at once for one remote address; more is 429
  int retry_after_s = 1;         // told with each 429
  Millis idle_timeout{60'000};   // between requests of one connection
  Millis read_timeout{15'000};   // from a request's first byte to its last
  Millis write_timeout{30'000};  // for one write to be taken by the peer's window
};

}  // namespace teetee::net
