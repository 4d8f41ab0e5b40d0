// Whole frames over a TLS session. Internal to transport. Threads: one io_context; one reader and
// one writer at a time.
#pragma once

#include <memory>

#include "transport/frame.h"
#include "transport/tls.h"

namespace teetee::transport {

class FrameStream {
 public:
  explicit FrameStream(std::unique_ptr<TlsSession> tls) : tls_(std::move(tls)) {}

  // Largest payload that is taken. Starts at MaxControlPayload().
  void set_max_payload(size_t bytes) { max_payload_ = bytes; }
  size_t max_payload() const { return max_payload_; }

  // kUnavailable when the peer ends the stream between frames; check channel.frame for one that is
  // malformed or cut. Memory grows with what has arrived, not with what was announced.
  net::Task<Result<Frame>> Read(net::Millis timeout);
  net::Task<Status> Write(uint8_t type, ByteView payload, net::Millis timeout);

  TlsSession& tls() { return *tls_; }

 private:
  net::Task<Result<size_t>> ReadInto(uint8_t* out, size_t size, net::Millis timeout);

  std::unique_ptr<TlsSession> tls_;
  size_t max_payload_ = MaxControlPayload();
};

}  // namespace teetee::transport
