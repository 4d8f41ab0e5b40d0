// A running gateway: the chain watch, node probes, the relay to the chain and the HTTP interface
// over one store. It knows ciphertext and public facts only. Source: docs/formats/http-api.md,
// table "Gateway". Threads: one io_context.
#pragma once

#include <memory>
#include <string>

#include "gateway/chain_watch.h"
#include "gateway/explore.h"
#include "gateway/node_watch.h"
#include "gateway/pool.h"
#include "gateway/relay.h"
#include "gateway/sealed_relay.h"
#include "net/http_server.h"
#include "pages/site.h"

namespace teetee::gateway {

struct GatewaySettings {
  std::string listen = "127.0.0.1:8080";
  std::string rpc_url;
  StoreIdentity identity;
  uint64_t from_block = 0;
  std::string state;  // folder: gateway.db, history.db, cursor.json, sender.journal
  std::string web;    // folder of the pages; empty: none
  std::string public_rpc;  // the chain's RPC for browsers; empty: the user names one
  std::string node_image;  // name@sha256:… that the pages name; empty: none
  std::string auditor;     // base URL of `teetee attest serve`; empty: none
  // What tests make faster.
  net::Millis chain_poll{1000};
  NodeSettings nodes;
  RelaySettings relay;
  SealedSettings sealed;
  PoolSettings pool;  // its auditor and egress rule are set by Open
  net::HttpLimits http{.max_requests_per_address = 64, .retry_after_s = 1};
};

struct HttpCounters {
  uint64_t requests = 0, plaintext_refused = 0;
};

class Gateway {
 public:
  // Reads the state and listens. kUnavailable names what to do when the address is in use.
  static Result<std::unique_ptr<Gateway>> Open(net::IoContext& io, crypto::SigningKey gas_key,
                                               GatewaySettings settings);
  ~Gateway();

  void Start();            // its tasks run from now on
  net::Task<void> Stop();  // ends them; call before the io_context stops
  uint16_t port() const { return server_->port(); }

  const Directory& directory() const { return directory_; }
  const ChainWatch& chain() const { return *chain_; }
  const Relay& relay() const { return *relay_; }
  const SealedRelay& sealed() const { return *sealed_; }
  const Store& store() const { return *store_; }

 private:
  Gateway(net::IoContext& io, GatewaySettings settings);
  net::Task<void> Handle(net::HttpRequest& request,
                         net::HttpReply& reply);  // http_api.cc, as all below
  net::Task<bool> HandleStreams(net::HttpRequest& request, net::HttpReply& reply);
  net::HttpResponse AnswerGet(const net::HttpRequest& request) const;
  net::HttpResponse AnswerTeeTee(const net::HttpRequest& request, std::string_view rest) const;
  net::HttpResponse AnswerModel(std::string_view escaped_name, bool detail) const;
  net::HttpResponse AnswerNode(const net::HttpRequest& request, std::string_view rest) const;
  net::HttpResponse AnswerPool() const;
  net::HttpResponse AnswerReceipt(std::string_view hash) const;
  net::HttpResponse AnswerLine(std::string_view line) const;
  net::HttpResponse AnswerPage(const net::HttpRequest& request) const;
  net::HttpResponse StatusAnswer() const;
  net::HttpResponse Health() const;
  net::HttpResponse Metrics() const;

  net::IoContext& io_;
  GatewaySettings settings_;
  int lock_ = -1;  // file descriptor, on the state folder
  pages::Site site_;
  Directory directory_;
  std::unique_ptr<Store> store_;
  std::unique_ptr<History> history_;
  std::unique_ptr<Explore> explore_;
  std::unique_ptr<chain::Rpc> rpc_;
  std::unique_ptr<chain::Sender> sender_;
  std::unique_ptr<ChainWatch> chain_;
  std::unique_ptr<NodeWatch> nodes_;
  std::unique_ptr<Relay> relay_;
  std::unique_ptr<SealedRelay> sealed_;
  std::unique_ptr<Pool> pool_;
  std::unique_ptr<net::HttpServer> server_;
  net::TaskGroup tasks_;
  HttpCounters counters_;
};

}  // namespace teetee::gateway
