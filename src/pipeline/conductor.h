// The head's side of a pipeline: opens sequences on every stage of a plan, feeds tokens through the own shard and onwards, takes the sampled
// tokens back, and collects the stages' proofs at the end. With one slot the head does all of it itself, by the same calls.
// Source: docs/formats/pipeline.md. Threads: one io_context.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "crypto/hash.h"
#include "crypto/random.h"
#include "engine/draft.h"
#include "pipeline/compute.h"
#include "pipeline/link.h"
#include "pipeline/open.h"
#include "pipeline/prefix_keys.h"
#include "pipeline/sample.h"

namespace teetee::pipeline {

struct SequenceSpec {
  uint64_t stream = 0;
  std::vector<uint32_t> prompt;  // at least one id
  uint32_t max_new = 0;          // tokens of the answer
  protocol::Plan plan;
  std::vector<Hash32> commit;  // per slot
  Hash32 line{};
  PayMode mode = PayMode::kFree;
  Hash32 query{};
  SamplingSpec sampling;
  uint32_t deadline_ms = 600'000;
  std::string tenant;                // who pays: its prompts may begin with cached pages of its own; empty: none are used or kept
  std::function<bool()> cancelled;   // asked between chunks of the prompt; may be empty
};

// What a later stage said at the end.
struct StageProof {
  uint32_t slot = 0;
  crypto::Address key{};
  attest::Claims claims;
  WorkFrame work;  // newest; commitment from CLOSED
};

class Conductor;
class StageLink;

// One sequence at work. Destroying it without Close tells the stages that it failed.
class HeadSequence {
 public:
  ~HeadSequence();
  HeadSequence(const HeadSequence&) = delete;

  // Feeds ids (the prompt first, then each sampled id) and returns the next token; a draft that came true may already hold it. kUnavailable
  // when a stage is gone, kCancelled when spec.cancelled says so.
  net::Task<Result<TokenFrame>> Next(std::vector<uint32_t> ids);
  // Ends it on every stage; waits for each stage's last word up to a limit. Fails if one is missing: then nobody can be charged.
  net::Task<Result<std::vector<StageProof>>> Close(CloseReason reason);

  Hash32 OwnCommitment();  // call once, after Close
  uint64_t positions() const { return position_; }
  uint64_t cached() const { return cached_; }  // positions of the prompt that no stage had to compute

 private:
  friend class Conductor;
  friend class StageLink;
  struct Remote;
  struct Event;
  HeadSequence(Conductor& conductor, SequenceSpec spec, ComputeHandle compute, std::unique_ptr<TailSampler> sampling);

  void Regroup();
  net::Task<Status> OpenRemote(uint32_t slot);
  net::Task<Status> WaitOpened();
  net::Task<Result<Event>> Take();
  Status StartBehindPrefix(std::vector<uint32_t>& ids);
  std::vector<uint32_t> MakeDraft(const std::vector<uint32_t>& ids);
  net::Task<Status> Feed(std::vector<uint32_t> ids, std::vector<uint32_t> draft);
  net::Task<Status> SendRows(uint64_t position, std::vector<float> rows, Sampling sample);
  net::Task<Status> WaitTokens(uint64_t first, size_t count);
  void Accept(const std::vector<uint32_t>& ids, const std::vector<uint32_t>& draft);
  TokenFrame Deliver();
  void CommitUpTo(uint64_t position);
  uint64_t delivered() const { return last_ ? last_->position : position_; }
  std::vector<PrefixKey> KeysToKeep() const;
  net::Task<Status> CloseAll(CloseFrame frame);
  bool single() const { return spec_.plan.slots() == 1; }
  FrameHead frame_head() const { return {id_, 0}; }

  Conductor& conductor_;
  SequenceSpec spec_;
  SequenceId id_;
  ComputeHandle compute_;
  std::shared_ptr<net::AsyncQueue<Event>> inbox_;
  std::vector<std::shared_ptr<Remote>> remotes_;  // slots 1 and up, ascending once open
  crypto::HmacSha256Stream commitment_;
  std::shared_ptr<TailSampler> sampling_;  // one slot only; the worker may hold it longer
  std::optional<PrefixKeys> keys_;
  uint64_t cached_ = 0;           // agreed by all stages
  std::vector<uint32_t> known_;   // ids of the computed positions that stay
  uint64_t position_ = 0;         // how many they are
  std::shared_ptr<std::vector<TokenFrame>> drawn_;  // of the rows in flight, in order; the worker may hold it longer
  std::deque<TokenFrame> ready_;  // of a draft that came true, not yet asked for
  std::optional<TokenFrame> last_;  // handed out
  engine::Drafter drafter_;
  struct Entry {
    uint64_t position = 0;  // of the row that it came from
    Bytes bytes;
  };
  std::deque<Entry> uncommitted_;  // the commitment takes them up when the token behind them is handed out
  uint32_t group_ = 0;  // of conductor_.groups_
  bool closed_ = false;
};

struct ConductorSettings {
  uint32_t prefill_chunk = 128;           // rows per frame
  engine::DraftSettings drafts;           // {.most = 0}: none
  net::Millis open_limit{15'000};
  net::Millis token_limit{120'000};
  net::Millis close_limit{10'000};
};

class Conductor {
 public:
  Conductor(net::Executor executor, Compute& compute, ConductorSettings settings, DialFn dial);
  ~Conductor();

  // Reserves memory here and on every stage, in this order. The sequence must not outlive this object.
  net::Task<Result<std::unique_ptr<HeadSequence>>> Open(SequenceSpec spec);

  size_t links() const { return links_.size(); }
  struct Counters {
    uint64_t drafted = 0, accepted = 0;  // guesses at tokens, and those that came true
    uint64_t cached = 0;                 // prompt positions that were not computed again
  };
  const Counters& counters() const { return counters_; }

 private:
  friend class HeadSequence;
  net::Task<Result<std::shared_ptr<StageLink>>> LinkTo(protocol::PlanNode node);

  net::Executor executor_;
  Compute& compute_;
  ConductorSettings settings_;
  DialFn dial_;
  Secret<32> prefix_secret_ = crypto::RandomSecret<32>();
  Counters counters_;
  std::vector<size_t> groups_;  // sequences in each: as many groups as the longest plan has stages
  std::map<crypto::Address, std::shared_ptr<StageLink>> links_;
  std::map<crypto::Address, std::shared_ptr<net::AsyncMutex>> dialling_;  // one dial to a node at a time
};

}  // namespace teetee::pipeline
