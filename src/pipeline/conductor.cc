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
  std::optional<WorkFrame> closed;
};

HeadSequence::HeadSequence(Conductor& conductor, SequenceSpec spec, ComputeHandle compute, std::unique_ptr<TailSampler> sampling)
    : conductor_(conductor),
      spec_(std::move(spec)),
      id_(crypto::RandomArray<16>()),
      compute_(std::move(compute)),
      inbox_(std::make_shared<net::AsyncQueue<Event>>(conductor.executor_, 1024)),
      commitment_(spec_.commit.at(0)),
      sampling_(std::move(sampling)) {
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
    net::Spawn(conductor_.executor_, tell(remote->via, Serialize(CloseFrame{frame_head(), CloseReason::kFailure})),
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
    remote.opened = true;
  }
  co_return Ok{};
}

net::Task<Result<std::vector<float>>> HeadSequence::FeedChunk(std::vector<uint32_t> ids, std::shared_ptr<TokenFrame> sampled) {
  ComputeJob job;
  job.position = position_;
  job.ids = std::move(ids);
  job.group = group_;
  if (sampled) {  // runs on the worker, perhaps after this object is gone
    job.logits = 1;
    job.on_logits = [sampling = sampling_, sampled](size_t, std::span<const float> logits) -> Status { return sampling->Draw(logits, *sampled); };
  }
  auto rows = co_await conductor_.compute_.Forward(compute_, std::move(job));
  co_return rows;
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
  Regroup();
  auto token = std::make_shared<TokenFrame>();
  token->head = frame_head();
  token->position = position_ + ids.size();
  const uint32_t chunk = conductor_.settings_.prefill_chunk;
  const uint32_t dim = static_cast<uint32_t>(conductor_.compute_.shard().config().hidden_dim);
  for (size_t at = 0; at < ids.size(); at += chunk) {
    size_t end = std::min<size_t>(ids.size(), at + chunk);
    bool sample = end == ids.size();
    std::vector<uint32_t> part(ids.begin() + static_cast<ptrdiff_t>(at), ids.begin() + static_cast<ptrdiff_t>(end));
    std::shared_ptr<TokenFrame> sampled;
    if (single() && sample) sampled = token;
    auto rows = co_await FeedChunk(std::move(part), std::move(sampled));
    TT_CO_CHECK(rows);
    uint64_t position = position_;
    position_ += end - at;
    if (single()) continue;
    ActFrame act{frame_head(), position, static_cast<uint32_t>(end - at), dim, sample ? Sampling::kLast : Sampling::kNone,
                 static_cast<uint8_t>(group_), *std::move(rows)};
    commitment_.Update(ByteWriter().U64Le(act.position).U32Le(act.rows).bytes());
    commitment_.Update(ByteView(reinterpret_cast<const uint8_t*>(act.x.data()), act.x.size() * sizeof(float)));
    Bytes bytes = Serialize(act);
    Status sent = co_await remotes_.front()->via->link().Send(kAct, std::move(bytes));
    TT_CO_CHECK(sent);
  }
  if (!single()) co_return co_await net::WithTimeout(WaitToken(), conductor_.settings_.token_limit);
  commitment_.Update(ByteWriter().U64Le(token->position).U32Le(token->id).bytes());
  TokenFrame own = std::move(*token);
  co_return own;
}

net::Task<Result<TokenFrame>> HeadSequence::WaitToken() {
  auto event = co_await Take();
  TT_CO_CHECK(event);
  if (event->message.type != kToken || event->slot + 1 != spec_.plan.slots()) {
    co_return Error(Code::kInternal, "an unexpected frame while waiting for a token");
  }
  auto token = ParseToken(event->message.payload);
  TT_CO_CHECK(token);
  if (token->position != position_) co_return Error(Code::kInternal, "a token of another position");
  co_return *std::move(token);
}

net::Task<Status> HeadSequence::CloseAll(CloseReason reason) {
  for (auto& remote : remotes_) {
    Bytes close = Serialize(CloseFrame{frame_head(), reason});
    Status sent = co_await remote->via->link().Send(kClose, std::move(close));
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
  Status ended = co_await net::WithTimeout(CloseAll(reason), conductor_.settings_.close_limit);
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
