// The plain OpenAI API on loopback, for unmodified clients: every request goes out sealed to verified nodes only, and comes back with a checked
// receipt. Source: docs/formats/http-api.md, section Proxy. Threads: one io_context.
#pragma once

#include "client/asker.h"
#include "net/http_server.h"

namespace teetee::client {

class Proxy {
 public:
  Proxy(const net::Executor& executor, Asker& asker, Wallet& wallet, GatewayClient& gateway, const attest::TrustFile& trust, std::string bundles);

  net::Task<void> Handle(net::HttpRequest& request, net::HttpReply& reply);
  net::Task<void> FollowProofs();  // until cancelled

 private:
  std::optional<net::HttpResponse> AnswerAtOnce(const net::HttpRequest& request) const;
  net::Task<void> Complete(net::HttpRequest& request, net::HttpReply& reply);
  net::Task<void> Status(net::HttpReply& reply);
  net::Task<Json> StatusJson();
  net::Task<void> Money(net::HttpRequest& request, net::HttpReply& reply);  // proxy_money.cc
  net::Task<Result<Json>> Buy(const Json& body);
  net::Task<Result<Json>> Withdraw();
  net::Task<Result<Json>> Close(const Json& body);
  net::HttpResponse ErrorResponse(const Error& error) const;

  net::Executor executor_;
  Asker& asker_;
  Wallet& wallet_;
  GatewayClient& gateway_;
  const attest::TrustFile& trust_;
  std::string bundles_;
};

}  // namespace teetee::client
