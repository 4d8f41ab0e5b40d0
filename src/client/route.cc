#include "client/route.h"

#include <algorithm>
#include <random>

#include "base/check.h"
#include "chain/model_id.h"
#include "crypto/random.h"

namespace teetee::client {
namespace {

std::string Slot(uint32_t slot) { return "slot " + std::to_string(slot); }

void Shuffle(std::vector<ListedNode>& nodes) {
  for (size_t i = nodes.size(); i > 1; --i) {
    uint64_t r = 0;
    crypto::RandomBytes(reinterpret_cast<uint8_t*>(&r), sizeof r);
    std::swap(nodes[i - 1], nodes[r % i]);
  }
}

}  // namespace

Result<manifest::Manifest> CheckModel(const Hash32& id, const chain::Model& params, std::string_view text, CheckList& checks) {
  bool same = checks.Add("model.id", chain::ModelId(params) == id, "the model's parameters hash to the id that was asked for");
  bool manifest_hash = checks.Add("model.manifest", manifest::ManifestHash(AsBytes(text)) == params.manifest,
                                  "the manifest is the one that the model id names");
  if (!same || !manifest_hash) return checks.ToStatus().error();
  auto manifest = manifest::Manifest::Parse(AsBytes(text));
  if (!manifest) return std::move(manifest).error().Context("check model.manifest");
  bool slots = manifest->slots.size() == params.slots.size();
  for (size_t i = 0; slots && i < params.slots.size(); ++i) {
    slots = manifest->slots[i].weights_root == params.slots[i].weights && manifest->slots[i].share == params.slots[i].share;
  }
  if (!checks.Add("model.weights", slots, "every slot's weights root and share is the manifest's")) return checks.ToStatus().error();
  return *std::move(manifest);
}

Status CheckNode(const attest::VerifiedPeer& peer, uint32_t slot, const crypto::Address& key, const Hash32& model,
                 const chain::Model& params, CheckList& checks) {
  const attest::Claims& c = peer.claims();
  const std::string at = Slot(slot) + ": ";
  checks.Add("node.evidence", true,
             at + "quote verified up to its root, TCB status " + std::string(attest::TcbStatusName(peer.quote().status())) +
                 ", release '" + peer.release() + "', class " + std::string(attest::EvidenceClassName(peer.evidence_class())));
  checks.Add("node.key", c.signing_address == key, at + "the evidence names the plan's key");
  checks.Add("node.model", c.model == model && c.slot == slot, at + "the evidence names this model and slot");
  checks.Add("node.weights", slot < params.slots.size() && c.weights_root == params.slots[slot].weights,
             at + "the shard's weights root is the model's");
  return checks.ToStatus();
}

RouteFinder::RouteFinder(GatewayClient& gateway, const attest::TrustFile& trust, chain::Rpc* rpc)
    : gateway_(gateway), trust_(trust), rpc_(rpc) {}

Result<Hash32> RouteFinder::Resolve(const std::string& name, std::string* display) const {
  for (const auto& [known, id] : trust_.models()) {
    if (known == name || ToHex0x(id) == name) {
      *display = known;
      return id;
    }
  }
  return Error(Code::kNotFound, "the trust file names no model '" + name.substr(0, 100) + "'");
}

net::Task<Status> RouteFinder::CheckBlock(const attest::Claims& claims) {
  if (!rpc_) co_return Ok{};
  auto block = co_await rpc_->GetBlock(chain::BlockId::Number(claims.block_number));
  TT_CO_CHECK(block);
  if (!*block || (*block)->hash != claims.block_hash || (*block)->timestamp != claims.block_time) {
    co_return Error(Code::kUnauthenticated, "check claims.block: the block of the claims is not on this chain");
  }
  co_return Ok{};
}

net::Task<Result<RouteNode>> RouteFinder::Verify(ListedNode node, const Route& route, int64_t now, CheckList& checks) {
  auto shown = co_await gateway_.Evidence(node.key);
  TT_CO_CHECK(shown);
  std::string collateral = shown->collateral.Dump();
  auto peer = attest::VerifyEvidence(shown->evidence, AsBytes(collateral), attest::ExpectedReportData::ThroughGateway(), trust_, now);
  TT_CO_CHECK(peer);
  Status age = attest::CheckClaimsAge(peer->claims(), now);
  TT_CO_CHECK(age);
  Status block = co_await CheckBlock(peer->claims());
  TT_CO_CHECK(block);
  Status wanted = CheckNode(*peer, node.slot, node.key, route.model, route.params, checks);
  TT_CO_CHECK(wanted);
  co_return RouteNode{node.slot, node.key, *std::move(shown), *std::move(peer)};
}

net::Task<Result<std::shared_ptr<const Route>>> RouteFinder::Find(std::string name, int64_t now) {
  auto route = std::make_shared<Route>();
  auto id = Resolve(name, &route->name);
  TT_CO_CHECK(id);
  route->model = *id;
  route->verified_at = now;
  auto listed = co_await gateway_.Model(*id);
  TT_CO_CHECK(listed);
  route->params = std::move(listed->params);
  route->manifest_text = std::move(listed->manifest);
  auto manifest = CheckModel(*id, route->params, route->manifest_text, route->checks);
  TT_CO_CHECK(manifest);
  route->manifest = *std::move(manifest);
  auto nodes = co_await gateway_.Nodes(*id);
  TT_CO_CHECK(nodes);
  std::erase_if(*nodes, [](const ListedNode& n) { return !n.live; });
  Shuffle(*nodes);
  for (uint32_t slot = 0; slot < route->params.slots.size(); ++slot) {
    std::optional<Error> last;
    bool found = false;
    for (const ListedNode& node : *nodes) {
      if (node.slot != slot || found) continue;
      CheckList checks;
      auto verified = co_await Verify(node, *route, now, checks);
      if (!verified) {
        last = std::move(verified).error();
        continue;
      }
      route->checks.Append(checks);
      route->nodes.push_back(*std::move(verified));
      found = true;
    }
    if (found) continue;
    if (last) co_return std::move(*last).Context("no node of " + Slot(slot) + " can be trusted");
    co_return Error(Code::kUnavailable, "no node serves " + Slot(slot) + " of '" + route->name + "' now");
  }
  route->plan.model = *id;
  route->plan.policy = trust_.PolicyHash();
  for (const RouteNode& node : route->nodes) route->plan.nodes.push_back({node.slot, node.key, node.shown.channel, node.peer.claims().boot_id});
  std::shared_ptr<const Route> out = std::move(route);
  co_return out;
}

}  // namespace teetee::client
