#include "transport/channel.h"

#include <deque>

#include "base/check.h"
#include "base/log.h"
#include "crypto/random.h"
#include "net/egress.h"
#include "transport/check.h"
#include "transport/handshake.h"

namespace teetee::transport {
namespace {

using net::Millis;
using net::SteadyClock;

// Received application frames, bounded by their bytes: a full inbox stops the reader, and so the
// peer.
class Inbox {
 public:
  Inbox(const net::Executor& executor, size_t max_bytes)
      : max_bytes_(max_bytes), readable_(executor), writable_(executor) {}

  net::Task<void> Push(Frame frame) {
    while (!closed_ && bytes_ > 0 && bytes_ + frame.payload.size() > max_bytes_) {
      writable_.Reset();
      co_await writable_.Wait();
    }
    bytes_ += Cost(frame);
    frames_.push_back(std::move(frame));
    readable_.Set();
  }

  net::Task<std::optional<Frame>> Pop() {
    while (!closed_ && frames_.empty()) {
      readable_.Reset();
      co_await readable_.Wait();
    }
    if (frames_.empty()) co_return std::nullopt;
    std::optional<Frame> frame(std::move(frames_.front()));
    frames_.pop_front();
    bytes_ -= Cost(*frame);
    writable_.Set();
    co_return frame;
  }

  void Close() {
    closed_ = true;
    readable_.Set();
    writable_.Set();
  }

 private:
  static size_t Cost(const Frame& frame) { return frame.payload.size() + sizeof(Frame); }

  size_t max_bytes_;
  size_t bytes_ = 0;
  bool closed_ = false;
  std::deque<Frame> frames_;
  net::Event readable_, writable_;
};

}  // namespace

struct Channel::Impl : std::enable_shared_from_this<Channel::Impl> {
  Impl(const net::Executor& executor, ChannelContext c, Established e, std::string address)
      : context(std::move(c)),
        options(context.options),
        frames(std::move(e.frames)),
        facts(e.facts),
        peer(std::move(e.peer)),
        remote(std::move(address)),
        tasks(executor),
        send_lock(executor),
        inbox(executor, options.max_inbox),
        answers(executor, 4),
        ended(executor) {
    frames->set_max_payload(std::max(options.max_frame, MaxControlPayload()));
    heard_at = verified_at = quoted_at = SteadyClock::now();
  }

  ChannelContext context;
  ChannelOptions options;
  std::unique_ptr<FrameStream> frames;
  ChannelFacts facts;
  attest::VerifiedPeer peer;
  std::string remote;
  net::TaskGroup tasks;
  net::AsyncMutex send_lock;
  Inbox inbox;
  net::AsyncQueue<Bytes> answers;  // ATTEST payloads that we asked for
  net::Event ended;
  std::optional<Error> reason;   // why it ended
  size_t unanswered = 0;         // nonces that we sent and that have had no evidence yet
  bool attest_failed = false;    // the last re-attestation of the peer
  bool refused_by_peer = false;  // the peer's last verdict on us
  bool quoting = false;
  SteadyClock::time_point heard_at, verified_at, quoted_at;

  void Start() {
    tasks.Spawn(ReadLoop(shared_from_this()), "channel reader");
    tasks.Spawn(KeepLoop(shared_from_this()), "channel keeper");
  }

  void End(Error why) {
    if (reason) return;
    reason = std::move(why);
    frames->tls().Close();
    inbox.Close();
    answers.Close();
    ended.Set();
    tasks.Cancel();
  }

  net::Task<Status> Send(uint8_t type, ByteView payload) {
    auto self = shared_from_this();
    if (reason) co_return *reason;
    if (send_lock.waiting() >= options.max_waiting_sends) {
      co_return Error(Code::kResourceExhausted, "channel: too many sends wait");
    }
    auto guard = co_await send_lock.Lock();
    if (reason) co_return *reason;
    auto sent = co_await frames->Write(type, payload, options.write_timeout);
    if (!sent) End(sent.error());
    co_return sent;
  }

  net::Task<Status> SendOwned(uint8_t type, Bytes payload) {
    co_return co_await Send(type, payload);
  }

  static net::Task<void> ReadLoop(std::shared_ptr<Impl> self) {
    while (!self->reason) {
      auto frame = co_await self->frames->Read(net::kNoTimeout);
      if (!frame) {
        self->End(std::move(frame).error());
        break;
      }
      self->heard_at = SteadyClock::now();
      auto taken = co_await self->Take(*std::move(frame));
      if (!taken) self->End(std::move(taken).error());
    }
  }

  net::Task<Status> Take(Frame frame) {
    if (frame.type >= kFirstApplicationType) {
      if (frame.payload.size() > options.max_frame)
        co_return attest::Refuse(check::kFrame, "larger than its bound");
      co_await inbox.Push(std::move(frame));
      co_return Ok{};
    }
    switch (frame.type) {
      case kNonce:
        co_return TakeNonce(frame.payload);
      case kAttest:
        co_return TakeAttest(std::move(frame.payload));
      case kVerdict:
        co_return TakeVerdict(frame.payload);
      case kPing:
        co_return co_await TakePing(std::move(frame.payload));
      default:
        co_return Ok{};  // a pong has done its work by arriving
    }
  }

  net::Task<Status> TakePing(Bytes payload) {
    if (payload.size() > 8) co_return attest::Refuse(check::kFrame, "malformed PING");
    co_return co_await SendOwned(kPong, std::move(payload));
  }

  Status TakeNonce(ByteView payload) {
    Nonce nonce = TT_TRY(DecodeNonce(payload));
    auto now = SteadyClock::now();
    if (quoting || now - quoted_at < options.min_attest_interval) {
      return attest::Refuse(check::kRate, "the peer asks for evidence too often");
    }
    quoting = true;
    quoted_at = now;
    tasks.Spawn(AnswerNonce(shared_from_this(), nonce), "channel evidence");
    return Ok{};
  }

  // When no quote can be made now, the peer gets no answer and asks again in a while.
  static net::Task<void> AnswerNonce(std::shared_ptr<Impl> self, Nonce nonce) {
    auto message =
        co_await MakeAttestOnPool(self->facts.ForOurs(self->frames->tls(), nonce), self->context);
    self->quoting = false;
    if (!message) {
      LogWarn("transport", "no fresh evidence: " + message.error().message());
      co_return;
    }
    (void)co_await self->SendOwned(kAttest, EncodeAttest(*message));
  }

  Status TakeAttest(Bytes payload) {
    if (unanswered == 0) return attest::Refuse(check::kOrder, "evidence that was not asked for");
    --unanswered;
    answers.TryPush(std::move(payload));
    return Ok{};
  }

  Status TakeVerdict(ByteView payload) {
    VerdictMessage verdict = TT_TRY(DecodeVerdict(payload));
    refused_by_peer = !verdict.accepted;
    if (refused_by_peer)
      LogWarn("transport", "the peer refused our fresh evidence (check " + verdict.check + ")");
    return Ok{};
  }

  static net::Task<void> KeepLoop(std::shared_ptr<Impl> self) {
    const ChannelOptions& options = self->options;
    auto next_attest = SteadyClock::now() + options.reattest_every;
    while (!self->reason) {
      co_await net::Sleep(std::min(options.ping_every, options.reattest_every / 10));
      auto now = SteadyClock::now();
      if (now - self->heard_at >= options.silent_after) {
        self->End(Error(Code::kUnavailable, "the peer is silent"));
      } else if (now - self->verified_at >= options.close_after) {
        self->End(attest::Refuse(check::kDeadline, "the peer's evidence is too old"));
      } else if (now >= next_attest) {
        bool held = co_await self->Reattest();
        next_attest =
            SteadyClock::now() + (held ? options.reattest_every : options.reattest_every / 10);
      } else if (now - self->heard_at >= options.ping_every) {
        (void)co_await self->SendOwned(kPing, Bytes(8));
      }
    }
  }

  net::Task<bool> Reattest() {
    auto peer_now = co_await FreshPeer();
    attest_failed = !peer_now;
    if (peer_now) {
      peer = *std::move(peer_now);
      verified_at = SteadyClock::now();
    } else {
      LogWarn("transport", "re-attestation: " + peer_now.error().message());
    }
    (void)co_await SendOwned(kVerdict, EncodeVerdict(VerdictOn(peer_now)));
    co_return !attest_failed;
  }

  net::Task<Result<attest::VerifiedPeer>> FreshPeer() {
    Nonce nonce = crypto::RandomArray<32>();
    ++unanswered;  // a late answer to an earlier nonce fails its check, and the next try follows
                   // soon
    auto asked = co_await SendOwned(kNonce, EncodeNonce(nonce));
    TT_CO_CHECK(asked);
    auto payload = co_await net::WithTimeout(NextAnswer(), options.attest_within);
    if (!payload) co_return attest::Refuse(check::kDeadline, "no fresh evidence in time");
    auto message = DecodeAttest(*payload);
    TT_CO_CHECK(message);
    auto fresh = co_await VerifyAttestOnPool(*std::move(message),
                                             facts.ForPeers(frames->tls(), nonce), context);
    TT_CO_CHECK(fresh);
    auto same = CheckSameNode(peer.claims(), fresh->claims());
    TT_CO_CHECK(same);
    co_return std::move(fresh);
  }

  net::Task<Result<Bytes>> NextAnswer() {
    auto payload = co_await answers.Pop();
    if (!payload) co_return Error(Code::kUnavailable, "the channel is closed");
    co_return *std::move(payload);
  }
};

Channel::Channel(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}
Channel::~Channel() { Close(); }

net::Task<Status> Channel::Send(uint8_t type, ByteView payload) {
  TT_CHECK(type >= kFirstApplicationType);
  TT_CHECK(payload.size() <= impl_->options.max_frame);
  return impl_->Send(type, payload);
}

net::Task<Result<Frame>> Channel::Receive() {
  auto impl = impl_;
  auto frame = co_await impl->inbox.Pop();
  if (frame) co_return *std::move(frame);
  co_return *impl->reason;
}

const attest::VerifiedPeer& Channel::peer() const { return impl_->peer; }

bool Channel::fresh() const {
  auto age = SteadyClock::now() - impl_->verified_at;
  bool late = age >= impl_->options.reattest_every + impl_->options.attest_within;
  return !closed() && !late && !impl_->attest_failed && !impl_->refused_by_peer;
}

bool Channel::closed() const { return impl_->reason.has_value(); }
net::Task<void> Channel::WaitClosed() { return impl_->ended.Wait(); }
void Channel::Close() { impl_->End(Error(Code::kCancelled, "the channel was closed here")); }
const std::string& Channel::remote() const { return impl_->remote; }

class ChannelMaker {
 public:
  static net::Task<Result<std::unique_ptr<Channel>>> Make(attest::ChannelRole role,
                                                          std::unique_ptr<net::TcpStream> stream,
                                                          ChannelContext context,
                                                          ExpectedPeer expected) {
    net::Executor executor = co_await net::CurrentExecutor();
    std::string remote = stream->remote();
    Millis limit = context.options.handshake_timeout;
    auto made =
        co_await net::WithTimeout(Establish(role, std::move(stream), context, expected), limit);
    if (!made && made.error().code() == Code::kDeadlineExceeded) {
      co_return attest::Refuse(check::kDeadline, "the handshake took too long");
    }
    TT_CO_CHECK(made);
    auto impl = std::make_shared<Channel::Impl>(executor, std::move(context), *std::move(made),
                                                std::move(remote));
    impl->Start();
    co_return std::unique_ptr<Channel>(new Channel(std::move(impl)));
  }
};

net::Task<Result<std::unique_ptr<Channel>>> Dial(std::string address, ChannelContext context,
                                                 ExpectedPeer expected) {
  // A client wrote this address into its plan.
  const bool simulated = context.trust->evidence_class() == attest::EvidenceClass::kSimulated;
  auto rule = net::EgressRule(simulated ? net::Egress::kInside : net::Egress::kPublic);
  auto stream = co_await net::TcpStream::Connect(address, context.options.handshake_timeout, rule);
  TT_CO_CHECK(stream);
  auto channel = co_await ChannelMaker::Make(attest::ChannelRole::kClient, *std::move(stream),
                                             std::move(context), expected);
  if (!channel) co_return std::move(channel).error().Context("channel to " + address);
  co_return channel;
}

net::Task<Result<std::unique_ptr<Channel>>> Accept(std::unique_ptr<net::TcpStream> stream,
                                                   ChannelContext context) {
  return ChannelMaker::Make(attest::ChannelRole::kServer, std::move(stream), std::move(context),
                            {});
}

}  // namespace teetee::transport
