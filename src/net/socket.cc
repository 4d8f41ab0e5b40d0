#include "net/socket.h"

#include <sys/socket.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/write.hpp>
#include <string>
#include <vector>

#include "net/url.h"

namespace teetee::net {
namespace {

using Tcp = asio::ip::tcp;
using Socket = asio::basic_stream_socket<Tcp, Executor>;
using Acceptor = asio::basic_socket_acceptor<Tcp, Executor>;
using ErrorCode = boost::system::error_code;
constexpr auto kAwait = asio::as_tuple(asio::use_awaitable);

// Numeric hosts and localhost without the name service: a static glibc has none, and localhost must
// stay this machine.
std::vector<Tcp::endpoint> NumericEndpoints(const HostPort& address) {
  if (address.host == "localhost") {
    return {{asio::ip::address_v4::loopback(), address.port},
            {asio::ip::address_v6::loopback(), address.port}};
  }
  ErrorCode error;
  auto ip = asio::ip::make_address(address.host, error);
  if (error) return {};
  return {{ip, address.port}};
}

void Tune(Socket& socket) {
  ErrorCode ignored;
  socket.set_option(Tcp::no_delay(true), ignored);
  socket.set_option(asio::socket_base::keep_alive(true), ignored);
}

std::string RemoteText(const Socket& socket) {
  ErrorCode error;
  auto endpoint = socket.remote_endpoint(error);
  return error ? std::string("unknown") : endpoint.address().to_string();
}

// Closes a socket when an operation takes too long. One per direction; an operation that ends in
// time disarms it.
struct Deadline {
  explicit Deadline(const Executor& executor) : timer(executor) {}
  asio::steady_timer timer;
  uint64_t generation = 0;  // tells a late expiry of an earlier operation from this one's
  bool expired = false;
};

}  // namespace

struct TcpStream::State : std::enable_shared_from_this<TcpStream::State> {
  explicit State(Socket s)
      : socket(std::move(s)), read(socket.get_executor()), write(socket.get_executor()) {
    Tune(socket);
    remote = RemoteText(socket);
  }
  Socket socket;
  Deadline read, write;
  std::string remote;

  void Close() {
    ErrorCode ignored;
    socket.close(ignored);
  }

  void Arm(Deadline& deadline, Millis timeout) {
    uint64_t generation = ++deadline.generation;
    if (timeout == kNoTimeout) return;
    deadline.timer.expires_after(timeout);
    // The deadline is a member: the shared pointer keeps it alive until the handler ran.
    deadline.timer.async_wait([self = shared_from_this(), &deadline, generation](ErrorCode error) {
      if (error || deadline.generation != generation) return;
      deadline.expired = true;
      self->Close();
    });
  }

  void Disarm(Deadline& deadline) {
    ++deadline.generation;
    deadline.timer.cancel();
  }

  Error Failure(const Deadline& deadline, const char* what) const {
    if (deadline.expired)
      return Error(Code::kDeadlineExceeded, std::string(what) + ": the peer is too slow");
    return Error(Code::kCancelled, std::string(what) + ": the connection is closed");
  }
};

TcpStream::TcpStream(std::shared_ptr<State> state) : state_(std::move(state)) {}
TcpStream::~TcpStream() { state_->Close(); }

namespace {

Task<Result<std::vector<Tcp::endpoint>>> Resolve(HostPort address, std::string name) {
  std::vector<Tcp::endpoint> out = NumericEndpoints(address);
  if (!out.empty()) co_return out;
  Executor executor = co_await CurrentExecutor();
  asio::ip::basic_resolver<Tcp, Executor> resolver(executor);
  auto [error, found] = co_await resolver.async_resolve(address.host, std::to_string(address.port),
                                                        Tcp::resolver::numeric_service, kAwait);
  for (const auto& entry : found) out.push_back(entry.endpoint());
  if (error || out.empty()) co_return Error(Code::kUnavailable, "cannot resolve " + name);
  co_return out;
}

Task<Result<Socket>> ConnectAny(std::vector<Tcp::endpoint> endpoints, std::string name) {
  Executor executor = co_await CurrentExecutor();
  ErrorCode last;
  for (const Tcp::endpoint& endpoint : endpoints) {
    Socket socket(executor);
    auto [error] = co_await socket.async_connect(endpoint, kAwait);
    if (!error) co_return Result<Socket>(std::move(socket));
    last = error;
  }
  co_return Error(Code::kUnavailable, "cannot connect to " + name + ": " + last.message());
}

Result<std::vector<Tcp::endpoint>> Allowed(std::vector<Tcp::endpoint> all, const AddressRule& rule) {
  if (!rule) return all;
  std::vector<Tcp::endpoint> out;
  std::optional<Error> refusal;
  for (const Tcp::endpoint& endpoint : all) {
    Status allowed = rule(endpoint.address().to_string());
    if (allowed) {
      out.push_back(endpoint);
    } else if (!refusal) {
      refusal = std::move(allowed).error();
    }
  }
  if (out.empty() && refusal) return *std::move(refusal);
  return out;
}

Task<Result<Socket>> ResolveAndConnect(HostPort address, std::string name, AddressRule rule) {
  auto endpoints = co_await Resolve(std::move(address), name);
  TT_CO_CHECK(endpoints);
  auto allowed = Allowed(*std::move(endpoints), rule);
  TT_CO_CHECK(allowed);
  co_return co_await ConnectAny(*std::move(allowed), name);
}

}  // namespace

Task<Result<std::unique_ptr<TcpStream>>> TcpStream::Connect(std::string address, Millis timeout,
                                                            AddressRule rule) {
  auto parsed = ParseHostPort(address);
  TT_CO_CHECK(parsed);
  auto socket = co_await WithTimeout(ResolveAndConnect(*std::move(parsed), address, std::move(rule)), timeout);
  if (!socket) co_return std::move(socket).error().Context("connect to " + address);
  auto state = std::make_shared<State>(*std::move(socket));
  co_return std::unique_ptr<TcpStream>(new TcpStream(std::move(state)));
}

Task<Result<size_t>> TcpStream::ReadSome(std::span<uint8_t> into, Millis timeout) {
  std::shared_ptr<State> state = state_;
  state->Arm(state->read, timeout);
  auto [error, count] =
      co_await state->socket.async_read_some(asio::buffer(into.data(), into.size()), kAwait);
  state->Disarm(state->read);
  if (error == asio::error::eof) co_return size_t{0};
  if (error) co_return state->Failure(state->read, "read");
  co_return count;
}

Task<Status> TcpStream::WriteAll(ByteView bytes, Millis timeout) {
  std::shared_ptr<State> state = state_;
  if (bytes.empty()) co_return Ok{};
  state->Arm(state->write, timeout);
  auto [error, count] =
      co_await asio::async_write(state->socket, asio::buffer(bytes.data(), bytes.size()), kAwait);
  state->Disarm(state->write);
  if (!error) co_return Ok{};
  state->Close();  // what was sent so far is half a message
  co_return state->Failure(state->write, "write");
}

void TcpStream::ShutdownSend() {
  ErrorCode ignored;
  state_->socket.shutdown(Socket::shutdown_send, ignored);
}

void TcpStream::Close() { state_->Close(); }
bool TcpStream::closed() const { return !state_->socket.is_open(); }
const std::string& TcpStream::remote() const { return state_->remote; }

bool TcpStream::IdleAndOpen() const {
  if (closed()) return false;
  char byte;
  ssize_t n = ::recv(state_->socket.native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  return n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
}

struct TcpListener::State {
  explicit State(IoContext& io) : acceptor(io) {}
  Acceptor acceptor;
};

TcpListener::TcpListener(std::unique_ptr<State> state) : state_(std::move(state)) {}
TcpListener::~TcpListener() = default;

Result<std::unique_ptr<TcpListener>> TcpListener::Listen(IoContext& io, std::string_view address) {
  HostPort parsed = TT_TRY(ParseHostPort(address));
  std::vector<Tcp::endpoint> endpoints = NumericEndpoints(parsed);
  std::string name(address);
  if (endpoints.empty()) return Error(Code::kInvalidArgument, name + " is not a numeric address");
  auto state = std::make_unique<State>(io);
  ErrorCode error;
  state->acceptor.open(endpoints[0].protocol(), error);
  if (!error) state->acceptor.set_option(asio::socket_base::reuse_address(true), error);
  if (!error) state->acceptor.bind(endpoints[0], error);
  if (!error) state->acceptor.listen(4096, error);
  if (error) return Error(Code::kUnavailable, "cannot listen on " + name + ": " + error.message());
  return std::unique_ptr<TcpListener>(new TcpListener(std::move(state)));
}

uint16_t TcpListener::port() const {
  ErrorCode error;
  auto endpoint = state_->acceptor.local_endpoint(error);
  return error ? uint16_t{0} : endpoint.port();
}

Task<Result<std::unique_ptr<TcpStream>>> TcpListener::Accept() {
  auto [error, socket] = co_await state_->acceptor.async_accept(kAwait);
  if (error == asio::error::operation_aborted || error == asio::error::bad_descriptor) {
    co_return Error(Code::kCancelled, "the listener is closed");
  }
  if (error) co_return Error(Code::kUnavailable, "accept: " + error.message());
  auto state = std::make_shared<TcpStream::State>(std::move(socket));
  co_return std::unique_ptr<TcpStream>(new TcpStream(std::move(state)));
}

void TcpListener::Close() {
  ErrorCode ignored;
  state_->acceptor.close(ignored);
}

}  // namespace teetee::net
