// For tests: a whole pipeline in one process. Every slot has its own shard, worker, key and proofs, and they talk over links in memory,
// through the real StageService and Conductor. Threads: one io_context, and each slot's worker.
#pragma once

#include <memory>
#include <vector>

#include "model/gguf.h"
#include "pipeline/conductor.h"
#include "pipeline/stage.h"
#include "pipeline/testing/memory_link.h"

namespace teetee::pipeline::testing {

struct ClusterSettings {
  uint32_t slots = 2;
  ConductorSettings conductor;
  ComputeLimits limits;                       // of every slot
  net::Millis idle_limit{120'000};
  uint32_t work_every = 32;
  uint64_t price_in = 2, price_out = 3;
};

// Who dialled whom.
struct Wire {
  uint32_t from = 0, to = 0;
  std::shared_ptr<MemoryLink> dialler, listener;
};

class Cluster {
 public:
  Cluster(net::IoContext& io, const model::GgufFile& whole, ClusterSettings settings);
  ~Cluster();  // closes every link and runs the io_context until nothing waits

  Conductor& conductor() { return *conductor_; }
  Compute& compute(uint32_t slot) { return *nodes_.at(slot)->compute; }
  StageService& stage(uint32_t slot) { return *nodes_.at(slot)->stage; }  // slots 1 and up
  const attest::Claims& claims(uint32_t slot) const { return nodes_.at(slot)->claims; }
  const crypto::SigningKey& key(uint32_t slot) const { return nodes_.at(slot)->key; }
  const protocol::Plan& plan() const { return plan_; }
  const std::vector<Wire>& wires() const { return wires_; }
  chain::Domain domain() const;

  // A sequence of this plan, free and greedy, with random commitment keys.
  SequenceSpec Spec(std::vector<uint32_t> prompt, uint32_t max_new) const;
  // Connects a peer with these claims to a stage, as if it had dialled.
  std::shared_ptr<MemoryLink> Connect(const attest::Claims& who, uint32_t to);
  void Kill(uint32_t slot);  // every link that it has ends; it takes no new ones
  size_t open_sequences() const;  // on all later stages
  size_t reserved() const;        // on every worker

 private:
  struct Node {
    crypto::SigningKey key = crypto::SigningKey::Generate();
    attest::Claims claims;
    std::unique_ptr<Compute> compute;
    std::unique_ptr<ProofBook> proofs;
    std::unique_ptr<StageService> stage;
    bool dead = false;
  };
  void MakeNode(const model::GgufFile& whole, uint32_t slot, const model::BlockRange& range);
  DialFn DialFrom(uint32_t slot);

  net::IoContext& io_;
  ClusterSettings settings_;
  protocol::Plan plan_;
  std::vector<std::unique_ptr<Node>> nodes_;
  std::vector<Wire> wires_;
  std::unique_ptr<Conductor> conductor_;
};

}  // namespace teetee::pipeline::testing
