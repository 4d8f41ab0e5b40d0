// An HTTP/1.1 client with a keep-alive pool per host. http:// only: https:// is answered
// kUnimplemented (the seam is Stream in net/socket.h). It follows no redirect. Threads: one
// io_context. Errors: kInvalidArgument for the request's own faults, kUnavailable when the host
// cannot be reached or breaks off, kPermissionDenied where the rule allows none of its addresses, kDeadlineExceeded, kResourceExhausted for a response beyond its
// bound, kDataLoss for bad HTTP. A status of 400 or above is a response, not an error.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "base/bytes.h"
#include "net/async.h"
#include "net/http.h"
#include "net/socket.h"

namespace teetee::net {

struct HttpRequestOptions {
  std::string method = "GET";
  std::string url;
  HttpHeaders headers;
  Bytes body;
  Millis timeout{30'000};  // Fetch: the whole exchange; Open: until the response's header is here
  Millis idle_timeout{60'000};           // Open: for each Next
  size_t max_response_bytes = 8u << 20;  // of the body
};

class HttpStream;

class HttpClient {
 public:
  explicit HttpClient(const Executor& executor, size_t max_idle_per_host = 8,
                      Millis idle_keep = Millis(30'000), AddressRule rule = nullptr);
  ~HttpClient();  // streams that are open live on

  Task<Result<HttpResponse>> Fetch(HttpRequestOptions options);
  // The response's header now, its body by HttpStream::Next as it comes.
  Task<Result<HttpStream>> Open(HttpRequestOptions options);

 private:
  friend class HttpStream;
  struct State;
  std::shared_ptr<State> state_;
};

// A response on its way. Destroying it before the end closes the connection, which the server sees
// as a cancel.
class HttpStream {
 public:
  HttpStream(HttpStream&&) noexcept;
  HttpStream& operator=(HttpStream&&) noexcept;
  ~HttpStream();

  int status() const;
  const HttpHeaders& headers() const;
  // The next bytes as they come (never empty), or nothing at the end.
  Task<Result<std::optional<Bytes>>> Next();

 private:
  friend class HttpClient;
  struct Impl;
  explicit HttpStream(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace teetee::net
