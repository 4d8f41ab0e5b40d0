// A whole pipeline on this machine, as it runs between machines: each stage has its own shard, compute threads and event loop, and they talk over
// real attested channels on loopback, with simulated evidence under a root made for this object. For benches and tests: it serves nobody.
// One stage is the same without channels. Not in measured images (TEETEE_SIMULATED=OFF).
#pragma once

#ifdef TEETEE_SIMULATED

#include <memory>
#include <vector>

#include "model/gguf.h"
#include "pipeline/conductor.h"

namespace teetee::pipeline {

struct LocalClusterOptions {
  uint32_t stages = 2;
  std::vector<model::BlockRange> cut;  // one range per stage; empty: engine::CutByBytes
  size_t threads = 1;                  // compute threads of each stage
  ops::Isa isa = ops::BestIsa();
  ComputeLimits limits;                // of each stage
  ConductorSettings conductor{.drafts = {.most = 0}};  // no drafts: each token is a step
};

// Sequences that start together.
struct ClusterLoad {
  std::vector<std::vector<uint32_t>> prompts;  // one sequence each
  uint32_t new_tokens = 1;                     // of each answer; end-of-text tokens do not end it
  SamplingSpec sampling;                       // stream = index of the sequence
};

// Both clocks run on the head's event loop. Decoding starts for all when the last has its first token, so that neither phase holds work of
// the other: prefill rates are of the sum of prompt tokens, decode rates of sequences * (new_tokens - 1).
struct ClusterRun {
  std::vector<std::vector<uint32_t>> ids;  // answers
  double prefill_seconds = 0;
  double decode_seconds = 0;
  std::vector<double> busy_seconds;   // of each stage's worker, while decoding
  std::vector<uint64_t> batches;      // that each stage's worker computed meanwhile: passes over its weights
};

// Thread-compatible. Blocks its caller; the stages have their own threads.
class LocalCluster {
 public:
  // Loads the shards and opens a port for each later stage. Errors of files and sockets pass on; kInvalidArgument: a bad cut.
  static Result<std::unique_ptr<LocalCluster>> Start(const model::GgufFile& whole, LocalClusterOptions options);
  ~LocalCluster();

  // Runs the load to its end. Errors are those of the first sequence that failed.
  Result<ClusterRun> Run(ClusterLoad load);

  uint32_t stages() const;
  const std::vector<model::BlockRange>& cut() const;
  size_t weight_bytes(uint32_t stage) const;  // packed, of the shard

 private:
  struct State;
  explicit LocalCluster(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace teetee::pipeline

#endif  // TEETEE_SIMULATED
