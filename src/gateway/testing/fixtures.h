// For tests: events as the contracts write them, signed outbox entries, and a node that says what a
// test wants.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "chain/eip712.h"
#include "gateway/directory.h"
#include "net/http_server.h"
#include "protocol/outbox.h"
#include "protocol/sealed.h"

namespace teetee::gateway::testing {

// A model of `slots` slots whose manifest has this text.
chain::Model MakeModel(std::string_view manifest, size_t slots, const Address& verifier);
chain::LogEntry ModelAddedLog(const chain::Model& model, uint64_t block);
chain::LogEntry NodeJoinedLog(const chain::Model& model, uint8_t slot, const Address& key,
                              std::string_view url, uint64_t until, uint64_t block);
chain::LogEntry NodeLeftLog(const Address& key, uint64_t block);
chain::LogEntry UrlSetLog(const Address& key, std::string_view url, uint64_t block);

chain::Receipt MakeReceipt(const Hash32& line, uint8_t mark);
// A batch of these receipts, signed by the head.
protocol::OutboxEntry MakeBatch(uint64_t n, uint64_t seq, const Hash32& model,
                                const crypto::SigningKey& head, const chain::Domain& domain,
                                std::vector<chain::Receipt> leaves);
std::string OutboxText(const std::vector<protocol::OutboxEntry>& entries);

// A sealed request that has a good header and ciphertext of nobody.
Bytes SealedWire(const Address& head, const Hash32& model, size_t ciphertext_bytes = 64);

// Answers GET paths from a map, the outbox from entries, and POST by a handler.
class FakeNode {
 public:
  FakeNode(net::IoContext& io, const Address& key);
  std::string url() const { return "http://127.0.0.1:" + std::to_string(server_->port()); }
  void ServeManifest(std::string text) { pages["/v1/teetee/manifest"] = std::move(text); }

  std::map<std::string, std::string> pages;  // by path
  std::vector<protocol::OutboxEntry> outbox;
  std::string raw_outbox;  // if not empty, instead
  net::HttpHandler post;
  size_t outbox_polls = 0;
  net::Task<void> Stop() { return server_->Stop(net::Millis(0)); }

 private:
  net::Task<void> Handle(net::HttpRequest& request, net::HttpReply& reply);
  std::unique_ptr<net::HttpServer> server_;
};

}  // namespace teetee::gateway::testing
