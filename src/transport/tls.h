// Mutual TLS 1.3 over a byte stream, in memory: no tickets, no resumption, no early data, so that
// every connection proves itself anew. The peer's certificate is judged by the given function
// alone; no public authority is asked. Internal to transport. Threads: one io_context. One reader
// and one writer at a time.
#pragma once

#include <functional>
#include <memory>
#include <span>

#include "attest/format/report_data.h"
#include "base/bytes.h"
#include "crypto/x509.h"
#include "net/socket.h"
#include "transport/frame.h"

namespace teetee::transport {

inline constexpr std::string_view kAlpn = "teetee-channel/1";  // both sides insist on it

using CertificateCheck = std::function<Status(const crypto::Certificate& peer)>;

class TlsSession {
 public:
  // The session owns the stream. The check is called once, inside the handshake.
  static Result<std::unique_ptr<TlsSession>> Create(attest::ChannelRole role,
                                                    std::unique_ptr<net::Stream> stream,
                                                    const crypto::Certificate& certificate,
                                                    const crypto::P256Key& key,
                                                    CertificateCheck check);
  ~TlsSession();

  // Errors name check channel.tls, or are those of the certificate check. A client learns of the
  // server's refusal of its certificate only at its first read (TLS 1.3).
  net::Task<Status> Handshake(net::Millis timeout);

  // 0 at the end of the stream.
  net::Task<Result<size_t>> Read(std::span<uint8_t> into, net::Millis timeout);
  // Both parts in as few sends as possible: one for a frame of up to 256 KiB. After an error or a
  // cancellation the stream is closed: half a record may have gone out.
  net::Task<Status> Write(ByteView header, ByteView payload, net::Millis timeout);

  // REQUIRES, below: Handshake succeeded.
  const crypto::Certificate& peer_certificate() const;
  // RFC 8446 section 7.5, bound to this connection: kExporterLabel, context = role || nonce.
  ByteArray<32> Exporter(attest::ChannelRole role, const Nonce& nonce) const;

  void Close();
  bool closed() const;

 private:
  struct Impl;
  explicit TlsSession(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace teetee::transport
