#include "transport/probe.h"

#include <ctime>

#include "transport/tls.h"

namespace teetee::transport {
namespace {

constexpr int64_t kDay = 86'400;  // seconds

// What the server refuses right after the handshake: it holds no evidence.
Result<crypto::Certificate> NobodysCertificate(const crypto::P256Key& key) {
  const auto now = static_cast<int64_t>(std::time(nullptr));
  crypto::CertificateSpec spec;
  spec.common_name = "probe";
  spec.validity = {now - kDay, now + kDay};
  return crypto::BuildSelfSigned(spec, key);
}

net::Task<Result<Hash32>> Probe(std::string address, net::Millis timeout, net::AddressRule may_dial) {
  auto stream = co_await net::TcpStream::Connect(address, timeout, std::move(may_dial));
  TT_CO_CHECK(stream);
  const crypto::P256Key key = crypto::P256Key::Generate();
  auto certificate = NobodysCertificate(key);
  TT_CO_CHECK(certificate);
  auto accept_any = [](const crypto::Certificate&) -> Status { return Ok{}; };
  auto tls = TlsSession::Create(attest::ChannelRole::kClient, *std::move(stream), *certificate, key, accept_any);
  TT_CO_CHECK(tls);
  auto done = co_await (*tls)->Handshake(timeout);
  TT_CO_CHECK(done);
  const Hash32 seen = (*tls)->peer_certificate().spki_hash();
  (*tls)->Close();
  co_return seen;
}

}  // namespace

net::Task<Result<Hash32>> ProbeChannel(std::string address, net::Millis timeout, net::AddressRule may_dial) {
  auto seen = co_await net::WithTimeout(Probe(address, timeout, std::move(may_dial)), timeout);
  if (!seen) co_return std::move(seen).error().Context("channel at " + address);
  co_return *seen;
}

}  // namespace teetee::transport
