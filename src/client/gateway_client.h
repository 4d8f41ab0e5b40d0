// Asks a gateway (docs/formats/http-api.md). Nothing that it says is believed: callers verify. Threads: one io_context.
#pragma once

#include <string>

#include "chain/types.h"
#include "net/http_client.h"
#include "protocol/sealed.h"

namespace teetee::client {

struct ListedNode {
  uint32_t slot = 0;
  crypto::Address key{}, host{};
  std::string url;
  bool live = false;
};

struct ListedModel {
  chain::Model params;
  std::string manifest;  // text
};

struct NodeEvidence {
  std::string channel;  // "host:port", a hint
  std::string kind;
  Bytes evidence;
  Json collateral;
};

struct SettledReceipt {
  bool mined = false;
  uint64_t seq = 0;
  Hash32 root{};
  std::vector<Hash32> proof;
  std::string tx;
};

class GatewayClient {
 public:
  GatewayClient(const net::Executor& executor, std::string url);
  const std::string& url() const { return url_; }

  net::Task<Result<ListedModel>> Model(Hash32 id);
  net::Task<Result<std::vector<ListedNode>>> Nodes(Hash32 model);
  net::Task<Result<NodeEvidence>> Evidence(crypto::Address key);
  net::Task<Result<SettledReceipt>> Receipt(Hash32 receipt_hash);
  // The answer's stream. An error from before the head opened the request comes as kUnavailable etc. with the gateway's text, marked as
  // coming from an unauthenticated party.
  net::Task<Result<net::HttpStream>> Sealed(Bytes wire);
  net::Task<Status> Control(crypto::Address head, protocol::Control control);

 private:
  net::Task<Result<Json>> Get(std::string path, size_t max_bytes);
  net::HttpClient http_;
  std::string url_;
};

}  // namespace teetee::client
