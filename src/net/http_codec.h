// Push decoders and encoders of HTTP/1.1 messages (the one place that knows Beast). Bytes go in as
// they come; no sockets. Thread-compatible.
#pragma once

#include <memory>

#include "net/http.h"

namespace teetee::net {

// Decodes one request.
class HttpRequestDecoder {
 public:
  HttpRequestDecoder(size_t max_header, size_t max_body);
  ~HttpRequestDecoder();

  // Takes bytes from the front and says how many; 0 means that more must follow what was not taken.
  // After an error, http_status() is what to answer.
  Result<size_t> Put(ByteView bytes);
  bool header_done() const;
  bool done() const;
  bool wants_continue() const;  // header done, "Expect: 100-continue"
  bool keep_alive() const;      // what version and Connection field say
  bool http_1_0() const;
  int http_status() const;  // 400, 413, 431, 501
  HttpRequest& request();   // REQUIRES: header_done(); the body is complete when done()

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// Decodes one response.
class HttpResponseDecoder {
 public:
  HttpResponseDecoder(bool head_request, size_t max_header, size_t max_body);
  ~HttpResponseDecoder();

  Result<size_t> Put(ByteView bytes);
  Status
  PutEnd();  // the stream ended: completes a body that ends with the connection, else kUnavailable
  bool started() const;  // some byte was taken
  bool header_done() const;
  bool done() const;
  bool keep_alive() const;
  int status() const;
  HttpHeaders& headers();
  Bytes TakeBody();  // what has come since the last call

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// Header blocks, each ending with the empty line. REQUIRES: headers validated.
std::string EncodeResponseHead(int status, const HttpHeaders& headers);
std::string EncodeRequestHead(std::string_view method, std::string_view target,
                              const HttpHeaders& headers);
Bytes EncodeChunk(ByteView bytes);  // REQUIRES: not empty (an empty chunk ends a body)
inline constexpr std::string_view kLastChunk = "0\r\n\r\n";

}  // namespace teetee::net
