// An HTTP/1.1 server over TCP: keep-alive, pipelined requests one after the other, chunked
// streaming, limits of HttpLimits. Threads: runs on its io_context only; the handler is a coroutine
// there and must not block (net::OnThread). Its own refusals are plain: 400 malformed, 408 slow,
// 413 body, 429 limits (with Retry-After), 431 header, 500 when a handler ends without an answer.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "net/async.h"
#include "net/http.h"

namespace teetee::net {

class HttpReply;
class HttpConnection;

// Answers one request. Both references live until the task ends. When the peer goes away the task
// is not cancelled: it learns it from a failed Write, or from HttpReply::WaitPeerGone while it
// waits for something else.
using HttpHandler = std::function<Task<void>(HttpRequest&, HttpReply&)>;
// Headers for each answer to this request (Access-Control-Allow-Origin, ...), or nothing where the
// origin is not allowed. Preflight requests (OPTIONS with Access-Control-Request-Method) are
// answered 204 with them, or 403.
using CorsHook = std::function<std::optional<HttpHeaders>(const HttpRequest&)>;

// The answer to one request: either Send once, or Begin, Write any number of times, End. A stream
// that ends without End() is cut off, so that the client can tell. Errors: kCancelled when the peer
// is gone, kDeadlineExceeded when it does not read, kFailedPrecondition for a wrong order,
// kInvalidArgument for a header that would split the answer.
class HttpReply {
 public:
  Task<Status> Send(HttpResponse response);
  Task<Status> Begin(int status, HttpHeaders headers);
  Task<Status> Write(ByteView bytes);               // the bytes must live until it returns
  Task<Status> Sse(std::string data);               // one server-sent event; after BeginSse
  Task<Status> BeginSse(HttpHeaders headers = {});  // Begin with the headers of an event stream
  Task<Status> End();

  bool begun() const;      // an answer was begun: too late for another status
  bool peer_gone() const;  // the peer closed or reset the connection
  Task<void> WaitPeerGone();

  HttpReply(const HttpReply&) = delete;
  HttpReply& operator=(const HttpReply&) = delete;

 private:
  friend class HttpConnection;
  explicit HttpReply(HttpConnection& connection) : connection_(connection) {}
  HttpConnection& connection_;
};

class HttpServer {
 public:
  // address: "127.0.0.1:8080", "[::1]:0"; port 0 takes a free one. kUnavailable naming the address
  // when it is in use.
  static Result<std::unique_ptr<HttpServer>> Listen(IoContext& io, std::string_view address,
                                                    HttpHandler handler, HttpLimits limits = {},
                                                    CorsHook cors = nullptr);
  ~HttpServer();  // closes every connection; call Stop first where handlers use what dies next

  uint16_t port() const;
  size_t connections() const;
  size_t handlers() const;  // at work now

  // No new connection and no new request; waits for the handlers at work, cancels what is left
  // after `limit`, and returns when none runs.
  Task<void> Stop(Millis limit = Millis(5000));

 private:
  struct State;
  explicit HttpServer(std::shared_ptr<State> state);
  std::shared_ptr<State> state_;
  friend class HttpConnection;
};

}  // namespace teetee::net
