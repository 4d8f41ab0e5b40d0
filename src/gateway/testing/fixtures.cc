#include "gateway/testing/fixtures.h"

#include "base/check.h"
#include "chain/abi.h"
#include "crypto/hash.h"
#include "crypto/merkle.h"
#include "net/url.h"

namespace teetee::gateway::testing {
namespace {

chain::LogEntry LogOf(std::string_view signature, std::vector<Hash32> indexed, Bytes data,
                      uint64_t block) {
  static uint64_t index = 0;
  chain::LogEntry log;
  log.topics = {chain::EventTopicOf(signature)};
  log.topics.insert(log.topics.end(), indexed.begin(), indexed.end());
  log.data = std::move(data);
  log.block_number = block;
  log.block_hash.fill(static_cast<uint8_t>(block));
  log.log_index = index++;
  return log;
}

Hash32 FamilyWord(const chain::Model& model) {
  Hash32 out{};
  const chain::Family family = chain::FamilyOf(model);
  std::memcpy(out.data(), family.data(), family.size());
  return out;
}

void Text(ByteWriter& out, std::string_view text) {
  out.Raw(chain::WordOf(chain::Uint128{text.size()})).Raw(text).Zeros((32 - text.size() % 32) % 32);
}

}  // namespace

chain::Model MakeModel(std::string_view manifest, size_t slots, const Address& verifier) {
  chain::Model m;
  m.manifest = crypto::Sha256(AsBytes(manifest));
  m.verifier = verifier;
  m.price_in = 10;
  m.price_out = 20;
  m.timeout = 60;
  m.lease = 86'400;
  for (size_t i = 0; i < slots; ++i) {
    chain::Slot slot;
    slot.weights.fill(static_cast<uint8_t>(i + 1));
    slot.share = 1;
    m.slots.push_back(slot);
  }
  return m;
}

chain::LogEntry ModelAddedLog(const chain::Model& model, uint64_t block) {
  return LogOf(
      "ModelAdded(bytes32,bytes26,(bytes32,address,uint64,uint64,uint32,uint32,(bytes32,uint32)[])"
      ")",
      {chain::ModelId(model), FamilyWord(model)}, chain::EncodeModel(model), block);
}

chain::LogEntry NodeJoinedLog(const chain::Model& model, uint8_t slot, const Address& key,
                              std::string_view url, uint64_t until, uint64_t block) {
  ByteWriter data;
  data.Raw(chain::WordOf(chain::Uint128{slot})).Raw(chain::ModelId(model)).Raw(Hash32{7});
  data.Raw(chain::WordOf(chain::Uint128{160})).Raw(chain::WordOf(chain::Uint128{until}));
  Text(data, url);
  return LogOf("NodeJoined(address,address,bytes26,uint8,bytes32,bytes32,string,uint40)",
               {chain::WordOf(key), chain::WordOf(Address{0x48}), FamilyWord(model)}, data.Take(),
               block);
}

chain::LogEntry NodeLeftLog(const Address& key, uint64_t block) {
  return LogOf("NodeLeft(address)", {chain::WordOf(key)}, {}, block);
}

chain::LogEntry UrlSetLog(const Address& key, std::string_view url, uint64_t block) {
  ByteWriter data;
  data.Raw(chain::WordOf(chain::Uint128{32}));
  Text(data, url);
  return LogOf("UrlSet(address,string)", {chain::WordOf(key)}, data.Take(), block);
}

chain::Receipt MakeReceipt(const Hash32& line, uint8_t mark) {
  chain::Receipt r;
  r.query.fill(mark);
  r.line = line;
  r.input.fill(0x11);
  r.output.fill(0x22);
  r.tokens_in = 3;
  r.tokens_out = 4;
  r.cost = chain::Wei(110);
  return r;
}

protocol::OutboxEntry MakeBatch(uint64_t n, uint64_t seq, const Hash32& model,
                                const crypto::SigningKey& head, const chain::Domain& domain,
                                std::vector<chain::Receipt> leaves) {
  protocol::BatchEntry e;
  e.model = model;
  e.head = head.address();
  e.batch.seq = seq;
  e.batch.count = static_cast<uint32_t>(leaves.size());
  std::vector<Hash32> hashes;
  for (const chain::Receipt& leaf : leaves) hashes.push_back(chain::StructHash(leaf));
  e.batch.root = crypto::MerkleTree(std::move(hashes)).root();
  e.signature = chain::SignTyped(
      domain, chain::MessageOf(chain::LineOf(model, head.address()), e.batch), head);
  e.leaves = std::move(leaves);
  return {n, std::move(e)};
}

std::string OutboxText(const std::vector<protocol::OutboxEntry>& entries) {
  Json list = Json::MakeArray();
  for (const auto& entry : entries) list.Push(entry.ToJson());
  return Json::MakeObject({{"entries", std::move(list)}, {"next", 0}}).Dump();
}

Bytes SealedWire(const Address& head, const Hash32& model, size_t ciphertext_bytes) {
  protocol::SealedHeader header;
  header.head = head;
  header.model = model;
  header.expires = 1;
  header.path = "/v1/chat/completions";
  const std::string text = header.Canonical();
  ByteWriter out;
  out.Raw("TTQ1").U32Le(static_cast<uint32_t>(text.size())).Raw(text).Zeros(32);
  out.U32Le(static_cast<uint32_t>(ciphertext_bytes)).Zeros(ciphertext_bytes);
  return out.Take();
}

FakeNode::FakeNode(net::IoContext& io, const Address& key) {
  pages["/healthz"] =
      Json::MakeObject({{"status", "ok"}, {"key", ToHex0x(key)}, {"class", "simulated"}}).Dump();
  pages["/v1/teetee/evidence"] =
      Json::MakeObject({{"key", ToHex0x(key)}, {"evidence", "AAAA"}}).Dump();
  auto handler = [this](net::HttpRequest& request, net::HttpReply& reply) {
    return Handle(request, reply);
  };
  auto server = net::HttpServer::Listen(io, "127.0.0.1:0", handler);
  TT_CHECK(server.has_value());
  server_ = *std::move(server);
}

net::Task<void> FakeNode::Handle(net::HttpRequest& request, net::HttpReply& reply) {
  if (request.method == "POST" && post) {
    co_await post(request, reply);
    co_return;
  }
  net::HttpResponse response = net::HttpResponse::Text(404, "{}", "application/json");
  if (request.path == "/v1/teetee/outbox") {
    ++outbox_polls;
    const uint64_t after = std::stoull(net::QueryParameter(request.query, "after").value_or("0"));
    std::vector<protocol::OutboxEntry> rest;
    for (const auto& entry : outbox) {
      if (entry.n > after) rest.push_back(entry);
    }
    response = net::HttpResponse::Text(200, raw_outbox.empty() ? OutboxText(rest) : raw_outbox,
                                       "application/json");
  } else if (auto page = pages.find(request.path); page != pages.end()) {
    response = net::HttpResponse::Text(200, page->second, "application/json");
  }
  (void)co_await reply.Send(std::move(response));
}

}  // namespace teetee::gateway::testing
