// A verified way to a model: every node of the plan has shown evidence that the user's trust file accepts, for the shard that the model id
// names. Nothing is sealed to a head before a Route exists. Source: SYSTEM 3, 4.1. Threads: one io_context.
#pragma once

#include <memory>
#include <vector>

#include "attest/policy/trust_file.h"
#include "attest/verify/peer.h"
#include "chain/rpc.h"
#include "client/checks.h"
#include "client/gateway_client.h"
#include "manifest/manifest.h"
#include "protocol/plan.h"

namespace teetee::client {

struct RouteNode {
  uint32_t slot = 0;
  crypto::Address key{};
  NodeEvidence shown;
  attest::VerifiedPeer peer;
};

struct Route {
  Hash32 model{};
  std::string name;  // as the trust file names it
  chain::Model params;
  std::string manifest_text;
  manifest::Manifest manifest;
  protocol::Plan plan;
  std::vector<RouteNode> nodes;  // one per slot
  CheckList checks;
  int64_t verified_at = 0;  // unix seconds

  const attest::Claims& head() const { return nodes.front().peer.claims(); }
};

// The facts of a model under an id: parameters hash to the id, the manifest is theirs, its slots are theirs. Adds to `checks`.
Result<manifest::Manifest> CheckModel(const Hash32& id, const chain::Model& params, std::string_view manifest_text, CheckList& checks);
// A node's claims against what the plan wants of it. Adds to `checks`.
Status CheckNode(const attest::VerifiedPeer& peer, uint32_t slot, const crypto::Address& key, const Hash32& model,
                 const chain::Model& params, CheckList& checks);

class RouteFinder {
 public:
  // rpc: where the blocks of claims are looked up; may be nullptr (then only their age is checked).
  RouteFinder(GatewayClient& gateway, const attest::TrustFile& trust, chain::Rpc* rpc);

  // name: of the trust file, or a model id in it. Chooses at random among the live nodes of each slot whose evidence verifies.
  // kNotFound: the trust file has no such model. Otherwise the error names the check that failed for the last candidate of a slot.
  net::Task<Result<std::shared_ptr<const Route>>> Find(std::string name, int64_t now);

 private:
  net::Task<Result<RouteNode>> Verify(ListedNode node, const Route& route, int64_t now, CheckList& checks);
  net::Task<Status> CheckBlock(const attest::Claims& claims);
  Result<Hash32> Resolve(const std::string& name, std::string* display) const;

  GatewayClient& gateway_;
  const attest::TrustFile& trust_;
  chain::Rpc* rpc_;
};

}  // namespace teetee::client
