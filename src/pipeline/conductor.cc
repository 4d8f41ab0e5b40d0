#include "pipeline/conductor.h"

#include <algorithm>

#include "crypto/random.h"
#include "pipeline/coalescing_link.h"
#include "pipeline/sample.h"

namespace teetee::pipeline {

// A frame and the slot that it came from; type kGone when that stage's link has ended.
struct HeadSequence::Event {
  uint32_t slot = 0;
  Link::Message message;
};

namespace {
constexpr uint8_t kGone = 0;
constexpr size_t kMaxGroups = 64;
}

// A connection to one stage, shared by the sequences that use it: a reader hands each frame to its sequence.
class StageLink : public std::enable_shared_from_this<StageLink> {
 public:
  using Inbox = net::AsyncQueue<HeadSequence::Event>;
  struct Reader {
    uint32_t slot;
    std::shared_ptr<Inbox> inbox;
  };

  explicit StageLink(std::shared_ptr<Link> link) : link_(std::move(link)) {}

  Link& link() { return *link_; }
  bool usable() const { return alive_ && link_->fresh(); }
  void Attach(const SequenceId& id, Reader reader) { readers_[id] = std::move(reader); }
  void Detach(const SequenceId& id) { readers_.erase(id); }

  static net::Task<void> Read(std::shared_ptr<StageLink> self) {
    for (;;) {
      auto message = co_await self->link_->Receive();
      if (!message) break;
      self->Dispatch(*std::move(message));
    }
    self->alive_ = false;
    for (auto& [id, reader] : self->readers_) Give(reader, {kGone, {}});
  }

 private:
  // A sequence reads faster than stages may rightly send; one that is overrun ends.
  static void Give(Reader& reader, Link::Message message) {
    if (!reader.inbox->TryPush({reader.slot, std::move(message)})) reader.inbox->Close();
  }

  void Dispatch(Link::Message message) {
    ByteReader bytes(message.payload);
    auto head = ReadHead(bytes);
    if (!head) {
      link_->Close();
      return;
    }
    auto found = readers_.find(head->sequence);
    if (found != readers_.end() && head->generation == 0) Give(found->second, std::move(message));
  }

  std::shared_ptr<Link> link_;
  std::map<SequenceId, Reader> readers_;
  bool alive_ = true;
};

struct HeadSequence::Remote {
  uint32_t slot = 0;
  crypto::Address key{};
  std::shared_ptr<StageLink> via;
  attest::Claims claims;
  bool opened = false;
  uint64_t cached = 0;
  std::optional<WorkFrame> closed;
};

HeadSequence::HeadSequence(Conductor& conductor, SequenceSpec spec, ComputeHandle compute, std::unique_ptr<TailSampler> sampling)
    : conductor_(conductor),
      spec_(std::move(spec)),
      id_(crypto::RandomArray<16>()),
      compute_(std::move(compute)),
      inbox_(std::make_shared<net::AsyncQueue<Event>>(conductor.executor_, 1024)),
      commitment_(spec_.commit.at(0)),
      sampling_(std::move(sampling)),
      drafter_(conductor.settings_.drafts) {
  if (!spec_.tenant.empty()) keys_.emplace(conductor_.prefix_secret_, spec_.tenant, spec_.plan.model, spec_.plan.Hash());
  commitment_.Update(ByteWriter().U64Le(spec_.stream).bytes());
  auto& groups = conductor_.groups_;
  groups.resize(std::max<size_t>(groups.size(), std::min<size_t>(spec_.plan.slots(), kMaxGroups)), 0);
  group_ = static_cast<uint32_t>(std::min_element(groups.begin(), groups.end()) - groups.begin());
  groups[group_] += 1;
}

HeadSequence::~HeadSequence() {
  conductor_.groups_[group_] -= 1;
  conductor_.compute_.Cancel(compute_);
  for (auto& remote : remotes_) {
    remote->via->Detach(id_);
    if (closed_) continue;
    auto tell = [](std::shared_ptr<StageLink> via, Bytes frame) -> net::Task<void> {
      (void)co_await via->link().Send(kClose, std::move(frame));
    };
    net::Spawn(conductor_.executor_, tell(remote->via, Serialize(CloseFrame{frame_head(), CloseReason::kFailure, 0, {}})),
               "close failed sequence");
  }
}

net::Task<Status> HeadSequence::OpenRemote(uint32_t slot) {
  const protocol::PlanNode& node = spec_.plan.First(slot);
  auto via = co_await conductor_.LinkTo(node);
  TT_CO_CHECK(via);
  if ((*via)->link().peer().boot_id != node.boot) {
    co_return Error(Code::kFailedPrecondition, "check plan.boot: the node of slot " + std::to_string(slot) +
                                                   " was restarted after the client verified it; verify it again");
  }
  auto remote = std::make_shared<Remote>();
  remote->slot = slot;
  remote->key = node.key;
  remote->via = *via;
  remote->claims = (*via)->link().peer();
  remote->via->Attach(id_, {slot, inbox_});
  remotes_.push_back(remote);

  OpenFrame open;
  open.head = frame_head();
  open.stream = spec_.stream;
  open.prompt_tokens = static_cast<uint32_t>(spec_.prompt.size());
  open.max_positions = open.prompt_tokens + spec_.max_new;
  open.deadline_ms = spec_.deadline_ms;
  open.plan = spec_.plan;
  open.commit = spec_.commit.at(slot);
  open.line = spec_.line;
  open.mode = spec_.mode;
  open.query = spec_.query;
  if (keys_) open.prefix = keys_->Of(spec_.prompt);
  if (slot + 1 == spec_.plan.slots()) {
    open.sampler = spec_.sampling;
    if (spec_.sampling.settings.repetition_penalty != 1.0f) open.prompt_ids = spec_.prompt;
  }
  Bytes bytes = Serialize(open);
  co_return co_await remote->via->link().Send(kOpen, std::move(bytes));
}

// The next frame that the caller has to look at. Errors of any stage and broken links end the sequence; proofs on the way are only
// checked for form, since each later one contains them.
net::Task<Result<HeadSequence::Event>> HeadSequence::Take() {
  for (;;) {
    auto event = co_await inbox_->Pop();
    if (!event) co_return Error(Code::kUnavailable, "the pipeline sent more than it may");
    const std::string where = "slot " + std::to_string(event->slot);
    if (event->message.type == kGone) co_return Error(Code::kUnavailable, where + " is gone");
    if (event->message.type == kError) {
      auto error = ParseError(event->message.payload);
      TT_CO_CHECK(error);
      co_return Error(error->code, where + ": " + error->text);
    }
    if (event->message.type == kWork) {
      auto work = ParseWork(event->message.payload, false);
      TT_CO_CHECK(work);
      continue;
    }
    co_return *std::move(event);
  }
}

net::Task<Status> HeadSequence::WaitOpened() {
  for (size_t ready = 0; ready < remotes_.size(); ++ready) {
    auto event = co_await Take();
    TT_CO_CHECK(event);
    Remote& remote = *remotes_.at(event->slot - 1);
    if (event->message.type != kOpenOk || remote.opened) {
      co_return Error(Code::kInternal, "slot " + std::to_string(event->slot) + " answered OPEN with another frame, or twice");
    }
    auto ok = ParseOpenOk(event->message.payload);
    TT_CO_CHECK(ok);
    remote.opened = true;
    remote.cached = ok->cached;
  }
  if (!keys_) co_return Ok{};
  // What every stage has, and at least one id is left to be computed: its logits are needed.
  const auto keys = keys_->Of(spec_.prompt);
  cached_ = std::min<uint64_t>(conductor_.compute_.FindPrefix(compute_, keys), spec_.prompt.size() - 1);
  for (const auto& remote : remotes_) cached_ = std::min(cached_, remote->cached);
  cached_ -= cached_ % model::kPagePositions;
  co_return Ok{};
}

// Groups are kept of one size, so that every stage always has one to compute while the others travel.
void HeadSequence::Regroup() {
  auto& groups = conductor_.groups_;
  const auto smallest = std::min_element(groups.begin(), groups.end());
  if (*smallest + 1 >= groups[group_]) return;
  groups[group_] -= 1;
  *smallest += 1;
  group_ = static_cast<uint32_t>(smallest - groups.begin());
}

net::Task<Result<TokenFrame>> HeadSequence::Next(std::vector<uint32_t> ids) {
  const bool foreseen = !ready_.empty() && ids.size() == 1 && ids[0] == last_->id;
  if (foreseen) co_return Deliver();
  if (!ready_.empty()) {  // the caller goes on with another id than was drawn
    ready_.clear();
    position_ = last_->position;
    known_.resize(position_);
    std::erase_if(uncommitted_, [&](const Entry& entry) { return entry.position >= position_; });
  }
  Regroup();
  Status started = StartBehindPrefix(ids);
  TT_CO_CHECK(started);
  std::vector<uint32_t> draft = MakeDraft(ids);
  Status fed = co_await Feed(ids, draft);
  TT_CO_CHECK(fed);
  if (!single()) {
    Status came = co_await net::WithTimeout(WaitTokens(position_ + ids.size(), 1 + draft.size()), conductor_.settings_.token_limit);
    TT_CO_CHECK(came);
  }
  Accept(ids, draft);
  co_return Deliver();
}

// The first time: takes up the cached pages and leaves their ids out.
Status HeadSequence::StartBehindPrefix(std::vector<uint32_t>& ids) {
  if (position_ > 0 || cached_ == 0) return Ok{};
  const bool same = ids.size() > cached_ && std::equal(ids.begin(), ids.begin() + static_cast<ptrdiff_t>(cached_), spec_.prompt.begin());
  if (!same) {
    cached_ = 0;
    return Ok{};
  }
  TT_RETURN_IF_ERROR(conductor_.compute_.Reuse(compute_, cached_));
  known_.assign(ids.begin(), ids.begin() + static_cast<ptrdiff_t>(cached_));
  drafter_.Add(known_);
  ids.erase(ids.begin(), ids.begin() + static_cast<ptrdiff_t>(cached_));
  position_ = cached_;
  conductor_.counters_.cached += cached_;
  return Ok{};
}

// No longer than the answer may become.
std::vector<uint32_t> HeadSequence::MakeDraft(const std::vector<uint32_t>& ids) {
  drafter_.Add(ids);
  const uint64_t end = spec_.prompt.size() + spec_.max_new;
  if (ids.size() != 1 || position_ < spec_.prompt.size() || position_ + 2 >= end) return {};
  return drafter_.Draft(end - position_ - 2, engine::DraftRowCost(conductor_.groups_[group_]));
}

net::Task<Status> HeadSequence::Feed(std::vector<uint32_t> ids, std::vector<uint32_t> draft) {
  const uint32_t chunk = conductor_.settings_.prefill_chunk;
  drawn_ = std::make_shared<std::vector<TokenFrame>>();
  for (size_t at = 0; at < ids.size(); at += chunk) {
    if (spec_.cancelled && spec_.cancelled()) co_return Error(Code::kCancelled, "cancelled");
    const size_t end = std::min<size_t>(ids.size(), at + chunk);
    const bool last = end == ids.size();
    const uint64_t position = position_ + at;
    ComputeJob job;
    job.position = position;
    job.ids.assign(ids.begin() + static_cast<ptrdiff_t>(at), ids.begin() + static_cast<ptrdiff_t>(end));
    if (last) job.ids.insert(job.ids.end(), draft.begin(), draft.end());
    job.group = group_;
    if (single() && last) {
      job.logits = 1 + draft.size();
      job.on_logits = [sampling = sampling_, drawn = drawn_, head = frame_head(), position](size_t row, std::span<const float> logits) -> Status {
        drawn->push_back(TokenFrame{head, position + row + 1, 0, 0, {}});
        return sampling->Draw(logits, drawn->back());
      };
    }
    auto rows = co_await conductor_.compute_.Forward(compute_, std::move(job));
    TT_CO_CHECK(rows);
    if (single()) continue;
    Sampling sample = draft.empty() ? Sampling::kLast : Sampling::kEach;
    if (!last) sample = Sampling::kNone;
    std::vector<float> out = *std::move(rows);
    Status sent = co_await SendRows(position, std::move(out), sample);
    TT_CO_CHECK(sent);
  }
  co_return Ok{};
}

net::Task<Status> HeadSequence::SendRows(uint64_t position, std::vector<float> rows, Sampling sample) {
  const uint32_t dim = static_cast<uint32_t>(conductor_.compute_.shard().config().hidden_dim);
  const uint32_t count = static_cast<uint32_t>(rows.size() / dim);
  for (uint32_t i = 0; i < count; ++i) {
    ByteWriter entry;
    entry.U64Le(position + i).Raw(ByteView(reinterpret_cast<const uint8_t*>(rows.data() + size_t{i} * dim), dim * sizeof(float)));
    if (sample == Sampling::kNone) {  // a prompt's: it stays
      commitment_.Update(entry.bytes());
    } else {
      uncommitted_.push_back({position + i, entry.Take()});
    }
  }
  ActFrame act{frame_head(), position, count, dim, sample, static_cast<uint8_t>(group_), std::move(rows)};
  Bytes bytes = Serialize(act);
  co_return co_await remotes_.front()->via->link().Send(kAct, std::move(bytes));
}

// `first`: position of the first.
net::Task<Status> HeadSequence::WaitTokens(uint64_t first, size_t count) {
  while (drawn_->size() < count) {
    auto event = co_await Take();
    TT_CO_CHECK(event);
    if (event->message.type != kToken || event->slot + 1 != spec_.plan.slots()) {
      co_return Error(Code::kInternal, "an unexpected frame while waiting for a token");
    }
    auto token = ParseToken(event->message.payload);
    TT_CO_CHECK(token);
    if (token->position != first + drawn_->size()) co_return Error(Code::kInternal, "a token of another position");
    drawn_->push_back(*std::move(token));
  }
  co_return Ok{};
}

// A guess counts if it is what was drawn at its position: then the row behind it was computed from the right id.
void HeadSequence::Accept(const std::vector<uint32_t>& ids, const std::vector<uint32_t>& draft) {
  size_t accepted = 0;
  while (accepted < draft.size() && draft[accepted] == (*drawn_)[accepted].id) ++accepted;
  known_.insert(known_.end(), ids.begin(), ids.end());
  known_.insert(known_.end(), draft.begin(), draft.begin() + static_cast<ptrdiff_t>(accepted));
  const bool prompt_done = position_ < spec_.prompt.size() && known_.size() >= spec_.prompt.size();
  position_ = known_.size();
  for (size_t i = 0; i <= accepted; ++i) ready_.push_back((*drawn_)[i]);
  std::erase_if(uncommitted_, [&](const Entry& entry) { return entry.position >= position_; });
  drafter_.Add(std::span(draft).first(accepted));
  drafter_.Judge(draft.size(), accepted);
  conductor_.counters_.drafted += draft.size();
  conductor_.counters_.accepted += accepted;
  if (prompt_done && keys_) conductor_.compute_.KeepPrefix(compute_, keys_->Of(spec_.prompt));
}

TokenFrame HeadSequence::Deliver() {
  last_ = std::move(ready_.front());
  ready_.pop_front();
  if (single()) commitment_.Update(ByteWriter().U64Le(last_->position).U32Le(last_->id).bytes());
  CommitUpTo(last_->position);
  return *last_;
}

void HeadSequence::CommitUpTo(uint64_t position) {
  while (!uncommitted_.empty() && uncommitted_.front().position < position) {
    commitment_.Update(uncommitted_.front().bytes);
    uncommitted_.pop_front();
  }
}

// The pages of prompt and answer, as far as their ids are sure.
std::vector<PrefixKey> HeadSequence::KeysToKeep() const {
  if (!keys_) return {};
  return keys_->Of(std::span(known_).first(std::min<size_t>(known_.size(), delivered())));
}

net::Task<Status> HeadSequence::CloseAll(CloseFrame frame) {
  Bytes close = Serialize(frame);
  for (auto& remote : remotes_) {
    Bytes copy = close;
    Status sent = co_await remote->via->link().Send(kClose, std::move(copy));
    TT_CO_CHECK(sent);
  }
  for (size_t closed = 0; closed < remotes_.size();) {
    auto event = co_await Take();
    TT_CO_CHECK(event);
    if (event->message.type == kToken) continue;  // sampled before the tail heard of the end
    Remote& remote = *remotes_.at(event->slot - 1);
    if (event->message.type != kClosed || remote.closed) co_return Error(Code::kInternal, "an unexpected frame at the end");
    auto work = ParseWork(event->message.payload, true);
    TT_CO_CHECK(work);
    remote.closed = *std::move(work);
    ++closed;
  }
  co_return Ok{};
}

net::Task<Result<std::vector<StageProof>>> HeadSequence::Close(CloseReason reason) {
  CloseFrame frame{frame_head(), reason, delivered(), {}};
  if (reason == CloseReason::kEnd) {
    frame.keep = KeysToKeep();
    conductor_.compute_.KeepPrefix(compute_, frame.keep);
  }
  Status ended = co_await net::WithTimeout(CloseAll(std::move(frame)), conductor_.settings_.close_limit);
  TT_CO_CHECK(ended);  // else the destructor tells every stage that it failed
  closed_ = true;
  std::vector<StageProof> proofs;
  for (auto& remote : remotes_) proofs.push_back({remote->slot, remote->key, remote->claims, *remote->closed});
  co_return proofs;
}

Hash32 HeadSequence::OwnCommitment() { return commitment_.Finish(); }

Conductor::Conductor(net::Executor executor, Compute& compute, ConductorSettings settings, DialFn dial)
    : executor_(std::move(executor)), compute_(compute), settings_(settings), dial_(std::move(dial)) {}

Conductor::~Conductor() {
  for (auto& [key, link] : links_) link->link().Close();
}

net::Task<Result<std::shared_ptr<StageLink>>> Conductor::LinkTo(protocol::PlanNode node) {
  auto& mutex = dialling_[node.key];
  if (!mutex) mutex = std::make_shared<net::AsyncMutex>(executor_);
  auto guard = co_await mutex->Lock();  // a second asker finds the first one's link
  auto found = links_.find(node.key);
  if (found != links_.end() && found->second->usable()) co_return found->second;
  auto dialled = co_await dial_(node);
  if (!dialled) co_return std::move(dialled).error().Context("slot " + std::to_string(node.slot));
  auto link = std::make_shared<StageLink>(Coalesce(executor_, *std::move(dialled)));
  links_[node.key] = link;
  net::Spawn(executor_, StageLink::Read(link), "stage link");
  co_return link;
}

net::Task<Result<std::unique_ptr<HeadSequence>>> Conductor::Open(SequenceSpec spec) {
  const uint32_t slots = spec.plan.slots();
  std::unique_ptr<TailSampler> sampling;
  if (slots == 1) {
    auto made = TailSampler::Make(spec.sampling, spec.stream, spec.prompt, static_cast<uint32_t>(spec.prompt.size()),
                                  compute_.shard().config().vocab_size);
    TT_CO_CHECK(made);
    sampling = *std::move(made);
  }
  auto handle = compute_.Open(spec.prompt.size() + spec.max_new);
  TT_CO_CHECK(handle);
  std::unique_ptr<HeadSequence> sequence(new HeadSequence(*this, std::move(spec), *std::move(handle), std::move(sampling)));
  for (uint32_t slot = slots; slot-- > 1;) {  // the tail first: each stage then finds the next one awake
    Status opened = co_await net::WithTimeout(sequence->OpenRemote(slot), settings_.open_limit);
    TT_CO_CHECK(opened);
  }
  std::reverse(sequence->remotes_.begin(), sequence->remotes_.end());
  Status ready = co_await net::WithTimeout(sequence->WaitOpened(), settings_.open_limit);
  TT_CO_CHECK(ready);
  co_return sequence;
}

}  // namespace teetee::pipeline
