// One stage of a pipeline (slots 1 and up): takes sequences from heads, rows from the stage before, computes, sends rows on or samples,
// and proves its work. Source: docs/formats/pipeline.md. Threads: one io_context.
#pragma once

#include <map>
#include <memory>

#include "crypto/hash.h"
#include "pipeline/compute.h"
#include "pipeline/link.h"
#include "pipeline/open.h"
#include "pipeline/proofs.h"

namespace teetee::pipeline {

struct StageSettings {
  Hash32 model{};
  uint32_t slot = 1;
  uint32_t slots = 2;
  crypto::Address key{};
  uint32_t max_positions = 8192;                // of one sequence
  size_t max_kept_bytes = size_t{1} << 30;      // rows kept for replicas of the next stage, all sequences
  net::Millis idle_limit{120'000};              // without a frame a sequence ends
  uint32_t work_every = 32;                     // answer tokens between two proofs
};

// Told before work on a line is admitted: brings proofs up to date with the chain. Fails while the chain cannot be asked.
using PrepareLineFn = std::function<net::Task<Status>(Hash32 line)>;

struct StageCounters {
  uint64_t opened = 0, refused = 0, failed = 0, cancelled = 0;
  uint64_t tokens_in = 0;   // prompt positions computed
  uint64_t tokens_out = 0;  // of answers that ended well
};

class StageService {
 public:
  StageService(net::Executor executor, Compute& compute, StageSettings settings, ProofBook& proofs, DialFn dial,
               PrepareLineFn prepare_line = nullptr);
  ~StageService();

  // Serves one verified peer until its link ends; then every sequence that hung on it ends.
  net::Task<void> Serve(std::shared_ptr<Link> link);
  void Close();  // the links that it dialled

  size_t sequences() const { return sequences_.size(); }
  const StageCounters& counters() const { return counters_; }

 private:
  struct Sequence;
  using SequencePtr = std::shared_ptr<Sequence>;

  net::Task<void> Handle(std::shared_ptr<Link> link, Link::Message message);
  net::Task<void> OnOpen(std::shared_ptr<Link> link, Bytes payload);
  net::Task<Result<SequencePtr>> Admit(std::shared_ptr<Link> link, OpenFrame open);
  Status CheckPlan(const Link& link, const OpenFrame& open) const;
  net::Task<void> OnAct(std::shared_ptr<Link> link, Bytes payload);
  net::Task<void> OnClose(std::shared_ptr<Link> link, Bytes payload);
  net::Task<void> RunSequence(SequencePtr sequence);
  net::Task<Status> Step(SequencePtr sequence, ActFrame frame);
  net::Task<Status> SendOn(SequencePtr sequence, const ActFrame& in, std::vector<float> rows);
  net::Task<Status> SendTokens(SequencePtr sequence, std::vector<TokenFrame> tokens);
  Status Place(Sequence& sequence, const ActFrame& frame);
  void Advance(Sequence& sequence, const ActFrame& frame);
  net::Task<Status> ProveIfDue(SequencePtr sequence);
  net::Task<Result<std::shared_ptr<Link>>> NextLink(protocol::PlanNode node);
  net::Task<void> WatchNext(std::shared_ptr<Link> link, crypto::Address key);
  net::Task<void> Fail(SequencePtr sequence, Error error);
  SequencePtr Find(const FrameHead& head) const;
  void Remove(const SequencePtr& sequence);
  bool is_tail() const { return settings_.slot + 1 == settings_.slots; }

  net::Executor executor_;
  Compute& compute_;
  StageSettings settings_;
  ProofBook& proofs_;
  DialFn dial_;
  PrepareLineFn prepare_line_;
  std::map<SequenceId, SequencePtr> sequences_;
  std::map<crypto::Address, std::shared_ptr<Link>> next_links_;
  std::map<crypto::Address, std::shared_ptr<net::AsyncMutex>> dialling_;  // one dial to a node at a time
  size_t kept_bytes_ = 0;  // reserved
  StageCounters counters_;
};

}  // namespace teetee::pipeline
