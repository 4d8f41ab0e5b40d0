// Byte streams and TCP, the seam under HTTP and the attested channel. Threads: one io_context.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "net/async.h"

namespace teetee::net {

// A two-way byte stream. One read and one write may be pending at a time, side by side. The stream
// must outlive them. Errors: kCancelled when the peer is gone or Close was called,
// kDeadlineExceeded when the timeout passed; after any error of WriteAll and after a timeout the
// stream is closed.
class Stream {
 public:
  virtual ~Stream() = default;
  // At least one byte, or 0 at the end of the stream.
  virtual Task<Result<size_t>> ReadSome(std::span<uint8_t> into, Millis timeout) = 0;
  virtual Task<Status> WriteAll(ByteView bytes, Millis timeout) = 0;
  virtual void ShutdownSend() = 0;  // ends our direction; the peer reads the end
  virtual void Close() = 0;         // pending operations end with kCancelled
  virtual bool closed() const = 0;
};

// Which addresses may be dialled: an error says why not. `numeric`: as inet_pton reads it. It is asked about the very address that
// is then connected to, after any name was resolved, so that no name service changes the answer in between.
using AddressRule = std::function<Status(std::string_view numeric)>;

// Nagle off, keep-alive on.
class TcpStream final : public Stream {
 public:
  // address: "host:port". Numeric hosts and "localhost" need no name service. kUnavailable names
  // the address; where a rule allows none of a name's addresses, the error is the rule's.
  static Task<Result<std::unique_ptr<TcpStream>>> Connect(std::string address, Millis timeout,
                                                          AddressRule rule = nullptr);
  ~TcpStream() override;

  Task<Result<size_t>> ReadSome(std::span<uint8_t> into, Millis timeout) override;
  Task<Status> WriteAll(ByteView bytes, Millis timeout) override;
  void ShutdownSend() override;
  void Close() override;
  bool closed() const override;
  // Without waiting: the peer has neither closed nor sent anything. What an idle connection of a
  // pool must be.
  bool IdleAndOpen() const;
  const std::string& remote() const;  // numeric, without port

 private:
  friend class TcpListener;
  struct State;
  explicit TcpStream(std::shared_ptr<State> state);
  std::shared_ptr<State> state_;
};

class TcpListener {
 public:
  // kUnavailable names the address when it is in use; kInvalidArgument when it is no numeric
  // address (or localhost) and port.
  static Result<std::unique_ptr<TcpListener>> Listen(IoContext& io, std::string_view address);
  ~TcpListener();

  uint16_t port() const;
  // Waits for the next peer. kCancelled after Close. Other errors (no file descriptors left) may
  // pass: wait and go on.
  Task<Result<std::unique_ptr<TcpStream>>> Accept();
  void Close();

 private:
  struct State;
  explicit TcpListener(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace teetee::net
