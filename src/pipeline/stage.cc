#include "pipeline/stage.h"

#include <algorithm>

#include "base/log.h"
#include "pipeline/coalescing_link.h"
#include "pipeline/prefix_keys.h"
#include "pipeline/sample.h"

namespace teetee::pipeline {

struct StageService::Sequence {
  struct Rows {
    uint64_t position = 0;
    std::vector<float> x;  // (rows, dim)
  };
  struct Entry {
    uint64_t position = 0;  // of the row that it came from
    Bytes bytes;
  };
  Sequence(const net::Executor& executor, OpenFrame opened, ComputeHandle handle, size_t hidden_dim)
      : open(std::move(opened)),
        dim(hidden_dim),
        compute(std::move(handle)),
        inbox(executor, 64),
        commitment(open.commit),
        deadline(net::SteadyClock::now() + net::Millis(open.deadline_ms)) {
    commitment.Update(ByteWriter().U64Le(open.stream).bytes());
  }
  OpenFrame open;
  size_t dim;
  std::shared_ptr<Link> control;  // to the head
  std::shared_ptr<Link> next;     // to the next stage; none at the tail
  ComputeHandle compute;
  net::AsyncQueue<ActFrame> inbox;
  crypto::HmacSha256Stream commitment;
  net::SteadyClock::time_point deadline;
  std::unique_ptr<TailSampler> sampling;          // tail
  std::vector<Rows> kept;                         // sent on
  size_t kept_reserved = 0;
  std::vector<PrefixKey> prefix;  // of the prompt's pages, as this stage stores them; none once they are kept
  bool started = false;     // a frame ACT came
  uint64_t positions = 0;   // computed, drafts included
  uint64_t settled = 0;     // of them, those that stay whatever the head draws
  std::vector<Entry> draft;  // what the commitment takes up when the draft comes true
  TokenCount proved;
  bool ended = false;

  void Commit(ByteView entry) { commitment.Update(entry); }
  // The head goes on at `position`, or ended there: what was computed beyond never was.
  void SettleAt(uint64_t position) {
    for (const Entry& entry : draft) {
      if (entry.position < position) Commit(entry.bytes);
    }
    draft.clear();
    while (!kept.empty() && kept.back().position >= position) kept.pop_back();
    if (!kept.empty() && dim > 0) {
      const size_t rows = std::min<uint64_t>(kept.back().x.size() / dim, position - kept.back().position);
      kept.back().x.resize(rows * dim);
    }
    positions = settled = position;
  }
};

namespace {

Bytes TokenEntry(const TokenFrame& token) { return ByteWriter().U64Le(token.position).U32Le(token.id).Take(); }

Bytes RowEntry(uint64_t position, std::span<const float> row) {
  return ByteWriter().U64Le(position).Raw(ByteView(reinterpret_cast<const uint8_t*>(row.data()), row.size_bytes())).Take();
}

std::vector<PrefixKey> KeysOf(const crypto::Address& head, const std::vector<PrefixKey>& keys) {
  std::vector<PrefixKey> out;
  for (const PrefixKey& key : keys) out.push_back(KeyOfHead(head, key));
  return out;
}

}  // namespace

StageService::StageService(net::Executor executor, Compute& compute, StageSettings settings, ProofBook& proofs,
                           DialFn dial, PrepareLineFn prepare_line)
    : executor_(std::move(executor)),
      compute_(compute),
      settings_(settings),
      proofs_(proofs),
      dial_(std::move(dial)),
      prepare_line_(std::move(prepare_line)) {}

StageService::~StageService() {
  for (auto& [id, sequence] : sequences_) sequence->inbox.Close();
}

void StageService::Close() {
  for (auto& [key, link] : next_links_) link->Close();
}

StageService::SequencePtr StageService::Find(const FrameHead& head) const {
  auto found = sequences_.find(head.sequence);
  if (found == sequences_.end() || found->second->open.head.generation != head.generation) return nullptr;
  return found->second;
}

void StageService::Remove(const SequencePtr& sequence) {
  if (sequence->ended) return;
  sequence->ended = true;
  compute_.Cancel(sequence->compute);
  sequence->inbox.Close();
  kept_bytes_ -= sequence->kept_reserved;
  sequence->kept.clear();
  sequences_.erase(sequence->open.head.sequence);
}

net::Task<void> StageService::Serve(std::shared_ptr<Link> raw) {
  std::shared_ptr<Link> link = Coalesce(executor_, std::move(raw));
  for (;;) {
    auto message = co_await link->Receive();
    if (!message) break;
    co_await Handle(link, *std::move(message));
  }
  std::vector<SequencePtr> orphans;
  for (auto& [id, sequence] : sequences_) {
    if (sequence->control == link) orphans.push_back(sequence);
  }
  for (auto& sequence : orphans) {
    counters_.cancelled += 1;
    Remove(sequence);
  }
}

net::Task<void> StageService::Handle(std::shared_ptr<Link> link, Link::Message message) {
  switch (message.type) {
    case kOpen:  // may dial: the link goes on meanwhile
      net::Spawn(executor_, OnOpen(std::move(link), std::move(message.payload)), "open");
      break;
    case kAct: co_await OnAct(std::move(link), std::move(message.payload)); break;
    case kClose: co_await OnClose(std::move(link), std::move(message.payload)); break;
    default:
      LogWarn("stage", "a frame of type " + std::to_string(message.type) + " that no stage takes");
      link->Close();
  }
}

Status StageService::CheckPlan(const Link& link, const OpenFrame& open) const {
  if (open.plan.model != settings_.model) return Error(Code::kInvalidArgument, "plan: another model");
  if (open.plan.slots() != settings_.slots) return Error(Code::kInvalidArgument, "plan: another number of slots");
  if (!open.plan.Permits(settings_.slot, settings_.key)) {
    return Error(Code::kPermissionDenied, "plan: this node is not in it");
  }
  if (link.peer().slot != 0 || open.plan.head().key != link.peer().signing_address) {
    return Error(Code::kPermissionDenied, "plan: only its head may open a sequence");
  }
  if (!link.fresh()) return Error(Code::kUnauthenticated, "the head's evidence is too old");
  if (open.max_positions < open.prompt_tokens || open.prompt_tokens == 0) {
    return Error(Code::kInvalidArgument, "positions: fewer than the prompt has");
  }
  if (is_tail() != open.sampler.has_value()) {
    return Error(Code::kInvalidArgument, "sampler: for the last stage, and for it alone");
  }
  return Ok{};
}

net::Task<Result<StageService::SequencePtr>> StageService::Admit(std::shared_ptr<Link> link, OpenFrame open) {
  Status plan = CheckPlan(*link, open);
  TT_CO_CHECK(plan);
  if (open.mode != PayMode::kFree) {
    if (prepare_line_) {
      Status prepared = co_await prepare_line_(open.line);
      TT_CO_CHECK(prepared);
    }
    Status credit = proofs_.CheckCredit(open.line);
    TT_CO_CHECK(credit);
  }
  if (sequences_.contains(open.head.sequence)) {  // asked after the last wait: two may come at once
    co_return Error(Code::kFailedPrecondition, "a sequence of this id is open");
  }
  size_t kept = is_tail() ? 0 : size_t{open.max_positions} * compute_.shard().config().hidden_dim * sizeof(float);
  if (kept_bytes_ + kept > settings_.max_kept_bytes) {
    co_return Error(Code::kResourceExhausted, "no memory left to keep another sequence's rows");
  }
  std::unique_ptr<TailSampler> sampling;
  if (open.sampler) {
    auto made = TailSampler::Make(*open.sampler, open.stream, open.prompt_ids, open.prompt_tokens,
                                  compute_.shard().config().vocab_size);
    TT_CO_CHECK(made);
    sampling = *std::move(made);
  }
  auto handle = compute_.Open(open.max_positions);
  TT_CO_CHECK(handle);
  auto sequence = std::make_shared<Sequence>(executor_, std::move(open), *std::move(handle),
                                             compute_.shard().config().hidden_dim);
  sequence->prefix = KeysOf(link->peer().signing_address, sequence->open.prefix);
  sequence->control = link;
  sequence->sampling = std::move(sampling);
  sequence->kept_reserved = kept;
  kept_bytes_ += kept;
  sequences_[sequence->open.head.sequence] = sequence;
  if (!is_tail()) {
    auto next = co_await NextLink(sequence->open.plan.First(settings_.slot + 1));
    if (!next) {
      Remove(sequence);
      co_return std::move(next).error().Context("dial slot " + std::to_string(settings_.slot + 1));
    }
    sequence->next = *std::move(next);
  }
  co_return sequence;
}

net::Task<void> StageService::OnOpen(std::shared_ptr<Link> link, Bytes payload) {
  auto open = ParseOpen(payload, settings_.max_positions);
  if (!open) {
    LogWarn("stage", "OPEN: " + open.error().message());
    link->Close();
    co_return;
  }
  FrameHead head = open->head;
  auto admitted = co_await Admit(link, *std::move(open));
  if (!admitted) {
    counters_.refused += 1;
    ErrorFrame refusal{head, admitted.error().code(), admitted.error().message()};
    Bytes bytes = Serialize(refusal);
    (void)co_await link->Send(kError, std::move(bytes));
    co_return;
  }
  counters_.opened += 1;
  SequencePtr sequence = *std::move(admitted);
  OpenOkFrame ok{head, compute_.FindPrefix(sequence->compute, sequence->prefix)};
  net::Spawn(executor_, RunSequence(sequence), "sequence");
  Bytes bytes = Serialize(ok);
  (void)co_await link->Send(kOpenOk, std::move(bytes));
}

net::Task<void> StageService::OnAct(std::shared_ptr<Link> link, Bytes payload) {
  const uint32_t dim = static_cast<uint32_t>(compute_.shard().config().hidden_dim);
  auto frame = ParseAct(payload, dim, static_cast<uint32_t>(kMaxActBytes / (dim * sizeof(float))));
  if (!frame) {
    LogWarn("stage", frame.error().message());
    link->Close();
    co_return;
  }
  SequencePtr sequence = Find(frame->head);
  if (!sequence) co_return;  // closed a moment ago
  if (link->peer().slot + 1 != settings_.slot ||
      !sequence->open.plan.Permits(settings_.slot - 1, link->peer().signing_address)) {
    LogWarn("stage", "ACT from a node that the plan does not allow");
    link->Close();
    co_return;
  }
  (void)co_await sequence->inbox.Push(*std::move(frame));
}

net::Task<void> StageService::RunSequence(SequencePtr sequence) {
  for (;;) {
    auto left = std::chrono::duration_cast<net::Millis>(sequence->deadline - net::SteadyClock::now());
    auto wait = [](SequencePtr s) -> net::Task<Result<std::optional<ActFrame>>> { co_return co_await s->inbox.Pop(); };
    auto frame = co_await net::WithTimeout(wait(sequence), std::min(left, settings_.idle_limit));
    if (sequence->ended) co_return;
    if (!frame) {
      co_await Fail(sequence, Error(Code::kDeadlineExceeded, "the sequence stood still for too long"));
      co_return;
    }
    if (!*frame) co_return;
    Status stepped = co_await Step(sequence, **std::move(frame));
    if (sequence->ended) co_return;
    if (!stepped) {
      co_await Fail(sequence, std::move(stepped).error());
      co_return;
    }
  }
}

// Where the frame begins: at the next position, at one of a draft that did not come true beyond, or, first of all, behind a cached prefix.
Status StageService::Place(Sequence& sequence, const ActFrame& frame) {
  if (!sequence.started && frame.position > 0) {
    TT_RETURN_IF_ERROR(compute_.Reuse(sequence.compute, frame.position));
    sequence.positions = sequence.settled = frame.position;
  }
  sequence.started = true;
  if (frame.position < sequence.settled || frame.position > sequence.positions) {
    return Error(Code::kFailedPrecondition, "ACT: not the next position");
  }
  if (frame.position + frame.rows > sequence.open.max_positions) {
    return Error(Code::kResourceExhausted, "ACT: more positions than were opened");
  }
  sequence.SettleAt(frame.position);
  return Ok{};
}

void StageService::Advance(Sequence& sequence, const ActFrame& frame) {
  const uint64_t prompt = sequence.open.prompt_tokens;
  sequence.positions += frame.rows;
  sequence.settled = frame.sample == Sampling::kEach ? frame.position + 1 : sequence.positions;
  counters_.tokens_in += std::min<uint64_t>(sequence.positions, prompt) - std::min<uint64_t>(frame.position, prompt);
  if (sequence.settled < prompt || sequence.prefix.empty()) return;
  compute_.KeepPrefix(sequence.compute, sequence.prefix);
  sequence.prefix.clear();
}

net::Task<Status> StageService::Step(SequencePtr sequence, ActFrame frame) {
  Status placed = Place(*sequence, frame);
  TT_CO_CHECK(placed);
  // The worker writes them, perhaps after this task was cancelled: hence shared.
  auto tokens = std::make_shared<std::vector<TokenFrame>>();
  ComputeJob job;
  job.position = frame.position;
  job.x = std::move(frame.x);
  job.group = frame.group;
  if (is_tail() && frame.sample != Sampling::kNone) {
    job.logits = frame.sample == Sampling::kEach ? frame.rows : 1;
    job.on_logits = [sequence, tokens, first = frame.position, head = frame.head](size_t row, std::span<const float> logits) -> Status {
      tokens->push_back(TokenFrame{head, first + row + 1, 0, 0, {}});
      return sequence->sampling->Draw(logits, tokens->back());
    };
  }
  auto rows = co_await compute_.Forward(sequence->compute, std::move(job));
  TT_CO_CHECK(rows);
  if (sequence->ended) co_return Ok{};
  Advance(*sequence, frame);
  if (!is_tail()) {
    Status sent = co_await SendOn(sequence, frame, *std::move(rows));
    TT_CO_CHECK(sent);
  } else if (!tokens->empty()) {
    Status sent = co_await SendTokens(sequence, *tokens);
    TT_CO_CHECK(sent);
  }
  co_return co_await ProveIfDue(sequence);
}

net::Task<Status> StageService::SendOn(SequencePtr sequence, const ActFrame& in, std::vector<float> rows) {
  ActFrame out{in.head, in.position, in.rows, in.dim, in.sample, in.group, std::move(rows)};
  for (uint32_t i = 0; i < out.rows; ++i) {
    Bytes entry = RowEntry(out.position + i, std::span(out.x).subspan(size_t{i} * out.dim, out.dim));
    if (out.position + i < sequence->settled) {
      sequence->Commit(entry);
    } else {
      sequence->draft.push_back({out.position + i, std::move(entry)});
    }
  }
  Bytes bytes = Serialize(out);
  sequence->kept.push_back({out.position, std::move(out.x)});
  co_return co_await sequence->next->Send(kAct, std::move(bytes));
}

net::Task<Status> StageService::SendTokens(SequencePtr sequence, std::vector<TokenFrame> tokens) {
  std::vector<Link::Message> messages;
  for (const TokenFrame& token : tokens) {
    if (token.position <= sequence->settled) {
      sequence->Commit(TokenEntry(token));
    } else {
      sequence->draft.push_back({token.position - 1, TokenEntry(token)});
    }
    messages.push_back({kToken, Serialize(token)});
  }
  co_return co_await sequence->control->SendAll(std::move(messages));
}

net::Task<Status> StageService::ProveIfDue(SequencePtr sequence) {
  TokenCount now = CountTokens(sequence->settled, sequence->open.prompt_tokens);
  if (now.out < sequence->proved.out + settings_.work_every) co_return Ok{};
  auto frame = proofs_.Prove(sequence->open, sequence->settled, sequence->proved);
  TT_CO_CHECK(frame);
  sequence->proved = now;
  Bytes bytes = Serialize(*frame, false);
  co_return co_await sequence->control->Send(kWork, std::move(bytes));
}

net::Task<void> StageService::OnClose(std::shared_ptr<Link> link, Bytes payload) {
  auto close = ParseClose(payload);
  SequencePtr sequence = close ? Find(close->head) : nullptr;
  if (!sequence || sequence->control != link) co_return;
  WorkFrame last;
  last.head = close->head;
  if (close->reason == CloseReason::kFailure) {
    counters_.failed += 1;
    if (sequence->open.mode == PayMode::kTab) proofs_.WriteOff(sequence->open.line, sequence->proved);
  } else {
    if (close->reason == CloseReason::kCancel) counters_.cancelled += 1;
    sequence->SettleAt(std::clamp(close->positions, sequence->settled, sequence->positions));
    counters_.tokens_out += CountTokens(sequence->positions, sequence->open.prompt_tokens).out;
    if (close->reason == CloseReason::kEnd && close->keep.size() <= sequence->positions / model::kPagePositions) {
      compute_.KeepPrefix(sequence->compute, KeysOf(link->peer().signing_address, close->keep));
    }
    auto proof = proofs_.Prove(sequence->open, sequence->positions, sequence->proved);
    if (!proof) {
      co_await Fail(sequence, std::move(proof).error());
      co_return;
    }
    last = *std::move(proof);
  }
  last.commitment = sequence->commitment.Finish();
  Remove(sequence);
  Bytes bytes = Serialize(last, true);
  (void)co_await link->Send(kClosed, std::move(bytes));
}

net::Task<void> StageService::Fail(SequencePtr sequence, Error error) {
  if (sequence->ended) co_return;
  counters_.failed += 1;
  if (sequence->open.mode == PayMode::kTab) proofs_.WriteOff(sequence->open.line, sequence->proved);
  ErrorFrame frame{sequence->open.head, error.code(), error.message()};
  auto control = sequence->control;
  Remove(sequence);
  Bytes bytes = Serialize(frame);
  (void)co_await control->Send(kError, std::move(bytes));
}

net::Task<Result<std::shared_ptr<Link>>> StageService::NextLink(protocol::PlanNode node) {
  auto& mutex = dialling_[node.key];
  if (!mutex) mutex = std::make_shared<net::AsyncMutex>(executor_);
  auto guard = co_await mutex->Lock();  // a second asker finds the first one's link
  auto found = next_links_.find(node.key);
  if (found != next_links_.end() && found->second->fresh()) co_return found->second;
  auto dialled = co_await dial_(node);
  TT_CO_CHECK(dialled);
  std::shared_ptr<Link> link = Coalesce(executor_, *std::move(dialled));
  next_links_[node.key] = link;
  net::Spawn(executor_, WatchNext(link, node.key), "next link");
  co_return link;
}

// The next stage sends nothing here: reading only tells that the link has ended.
net::Task<void> StageService::WatchNext(std::shared_ptr<Link> link, crypto::Address key) {
  for (;;) {
    auto message = co_await link->Receive();
    if (!message) break;
  }
  if (auto found = next_links_.find(key); found != next_links_.end() && found->second == link) {
    next_links_.erase(found);
  }
  std::vector<SequencePtr> broken;
  for (auto& [id, sequence] : sequences_) {
    if (sequence->next == link) broken.push_back(sequence);
  }
  for (auto& sequence : broken) {
    co_await Fail(sequence, Error(Code::kUnavailable, "the next stage is gone"));
  }
}

}  // namespace teetee::pipeline
