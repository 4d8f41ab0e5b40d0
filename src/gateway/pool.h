// What a host's page cannot do itself before its node joins: see whether others reach the node, relay to it, and hand its evidence to the
// auditor. All of it is this gateway's word ("seen by the gateway"); what matters, the page proves itself through Relay. Strangers' URLs
// are dialled by the egress rule only, few at a time, within bounds, so many a minute for each address. Source:
// docs/formats/http-api.md. Threads: one io_context.
#pragma once

#include <functional>

#include "gateway/directory.h"
#include "gateway/rate_limit.h"
#include "net/http_client.h"
#include "net/http_server.h"

namespace teetee::gateway {

// The SHA-256 of the public key (SPKI) that whoever listens at host:port proves in a TLS 1.3 handshake of an attested channel.
using TlsProbe = std::function<net::Task<Result<Hash32>>(std::string address, net::AddressRule may_dial)>;

struct PoolSettings {
  std::string auditor;  // base URL of `teetee attest serve`; the operator's own, so no egress rule
  TlsProbe tls_probe;   // none: the check is skipped
  net::AddressRule may_dial = nullptr;
  net::Millis timeout{10'000};
  net::Millis known_answer_timeout{120'000};
  Rate checks{.per_minute = 30, .burst = 20};
  Rate relays{.per_minute = 240, .burst = 120};
  Rate approvals{.per_minute = 30, .burst = 20};
  size_t max_at_once = 32;  // of all together
};

class Pool {
 public:
  Pool(const net::Executor& executor, const Directory& directory, PoolSettings settings);

  // Each answers its request, whatever happens.
  net::Task<void> Check(net::HttpRequest& request, net::HttpReply& reply);
  net::Task<void> Relay(net::HttpRequest& request, net::HttpReply& reply);
  net::Task<void> Approve(net::HttpRequest& request, net::HttpReply& reply);

 private:
  struct Wanted;
  class Run;
  Result<Wanted> ReadWanted(const net::HttpRequest& request) const;
  net::Task<net::HttpResponse> RelayOnce(net::HttpRequest& request);
  net::Task<net::HttpResponse> ApproveOnce(net::HttpRequest& request);
  net::Task<Result<net::HttpResponse>> Ask(std::string method, std::string url, Bytes body, net::Millis timeout, size_t most);

  const Directory& directory_;
  PoolSettings settings_;
  net::HttpClient nodes_, auditor_;
  RateLimit checks_, relays_, approvals_;
  size_t running_ = 0;
};

}  // namespace teetee::gateway
