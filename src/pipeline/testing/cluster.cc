#include "pipeline/testing/cluster.h"

#include "base/check.h"
#include "crypto/random.h"
#include "model/split.h"

namespace teetee::pipeline::testing {
namespace {

template <class T>
T Must(Result<T> result) {
  TT_CHECK(result.has_value());
  return *std::move(result);
}

constexpr uint64_t kChainId = 31337;
constexpr crypto::Address kLedger{0xa2};

}  // namespace

Cluster::Cluster(net::IoContext& io, const model::GgufFile& whole, ClusterSettings settings)
    : io_(io), settings_(settings) {
  auto config = Must(model::ModelConfig::From(whole));
  auto cut = Must(model::SplitPlan::Even(config, settings.slots));
  plan_.model = crypto::RandomArray<32>();
  plan_.policy = crypto::RandomArray<32>();
  for (uint32_t slot = 0; slot < settings.slots; ++slot) MakeNode(whole, slot, cut.slots()[slot]);
  conductor_ = std::make_unique<Conductor>(io_.get_executor(), compute(0), settings_.conductor, DialFrom(0));
}

void Cluster::MakeNode(const model::GgufFile& whole, uint32_t slot, const model::BlockRange& range) {
  auto node = std::make_unique<Node>();
  auto config = Must(model::ModelConfig::From(whole));
  auto shard = Must(model::Shard::Load(whole, config, range, ops::BestIsa()));
  node->claims.signing_address = node->key.address();
  node->claims.slot = slot;
  node->claims.boot_id = crypto::RandomArray<16>();
  node->claims.model = plan_.model;
  node->compute = std::make_unique<Compute>(io_.get_executor(), std::move(shard), 1, settings_.limits);
  plan_.nodes.push_back({slot, node->key.address(), "memory:" + std::to_string(slot), node->claims.boot_id});
  if (slot > 0) {
    ProofSettings proofs;
    proofs.chain_id = kChainId;
    proofs.ledger = kLedger;
    proofs.slot = static_cast<uint8_t>(slot);
    proofs.price_in = settings_.price_in;
    proofs.price_out = settings_.price_out;
    node->proofs = std::make_unique<ProofBook>(node->key, proofs);
    StageSettings stage;
    stage.model = plan_.model;
    stage.slot = slot;
    stage.slots = settings_.slots;
    stage.key = node->key.address();
    stage.idle_limit = settings_.idle_limit;
    stage.work_every = settings_.work_every;
    node->stage = std::make_unique<StageService>(io_.get_executor(), *node->compute, stage, *node->proofs, DialFrom(slot));
  }
  nodes_.push_back(std::move(node));
}

Cluster::~Cluster() {
  conductor_.reset();
  for (Wire& wire : wires_) wire.dialler->Close();
  io_.restart();
  io_.run_for(std::chrono::seconds(10));
  TT_CHECK(io_.stopped());  // a task is left that nobody ends
}

DialFn Cluster::DialFrom(uint32_t slot) {
  return [this, slot](protocol::PlanNode node) -> net::Task<Result<std::shared_ptr<Link>>> {
    co_await net::Sleep(net::Millis(1));  // as long as others may come meanwhile
    if (nodes_.at(node.slot)->dead || nodes_.at(slot)->dead) co_return Error(Code::kUnavailable, "nobody listens");
    if (nodes_.at(node.slot)->key.address() != node.key) co_return Error(Code::kUnauthenticated, "another key");
    auto link = Connect(claims(slot), node.slot);
    wires_.back().from = slot;
    co_return std::shared_ptr<Link>(std::move(link));
  };
}

std::shared_ptr<MemoryLink> Cluster::Connect(const attest::Claims& who, uint32_t to) {
  auto [dialler, listener] = MakeLinkPair(io_.get_executor(), who, claims(to));
  wires_.push_back({who.slot, to, dialler, listener});
  net::Spawn(io_.get_executor(), stage(to).Serve(listener), "serve");
  return dialler;
}

void Cluster::Kill(uint32_t slot) {
  nodes_.at(slot)->dead = true;
  for (Wire& wire : wires_) {
    if (wire.from == slot || wire.to == slot) wire.dialler->Close();
  }
}

chain::Domain Cluster::domain() const { return chain::Domain::Ledger(kChainId, kLedger); }

SequenceSpec Cluster::Spec(std::vector<uint32_t> prompt, uint32_t max_new) const {
  SequenceSpec spec;
  spec.prompt = std::move(prompt);
  spec.max_new = max_new;
  spec.plan = plan_;
  for (uint32_t slot = 0; slot < settings_.slots; ++slot) spec.commit.push_back(crypto::RandomArray<32>());
  spec.line = crypto::RandomArray<32>();
  spec.query = crypto::RandomArray<32>();
  spec.sampling.settings.temperature = 0;
  return spec;
}

size_t Cluster::open_sequences() const {
  size_t count = 0;
  for (const auto& node : nodes_) count += node->stage ? node->stage->sequences() : 0;
  return count;
}

size_t Cluster::reserved() const {
  size_t count = 0;
  for (const auto& node : nodes_) count += node->compute->sequences();
  return count;
}

}  // namespace teetee::pipeline::testing
