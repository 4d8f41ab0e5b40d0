#include "gateway/relay.h"

#include <algorithm>

#include "base/log.h"
#include "net/egress.h"

namespace teetee::gateway {
namespace {

constexpr size_t kMaxListed = 100'000;  // numbers of one outbox
constexpr net::Millis kBalanceEvery{30'000};
constexpr chain::Wei kLowGas{chain::Uint128{10'000'000'000'000'000}};  // 0.01 ether

const char* KindName(EntryKind kind) {
  switch (kind) {
    case EntryKind::kBatch:
      return "settleBatch";
    case EntryKind::kSettle:
      return "settle";
    case EntryKind::kRelease:
      return "release";
  }
  return "entry";
}

std::string LabelOf(const QueueItem& item) {
  std::string out = KindName(item.kind);
  if (item.kind == EntryKind::kBatch) out += " " + std::to_string(item.seq);
  return out + " of line " + ToHex0x(item.line).substr(0, 10);
}

}  // namespace

Relay::Relay(const net::Executor& executor, chain::Rpc& rpc, chain::Sender& sender, Store& store,
             Directory& directory, const ChainWatch& watch, RelaySettings settings)
    : rpc_(rpc),
      sender_(sender),
      store_(store),
      directory_(directory),
      watch_(watch),
      settings_(settings),
      domain_(chain::Domain::Ledger(settings.identity.chain_id, settings.identity.ledger)),
      http_(executor, 2, net::Millis(30'000), settings.may_dial),
      polls_(executor) {}

Result<std::unique_ptr<Relay>> Relay::Open(const net::Executor& executor, chain::Rpc& rpc,
                                           chain::Sender& sender, Store& store,
                                           Directory& directory, const ChainWatch& watch,
                                           RelaySettings settings) {
  auto out =
      std::unique_ptr<Relay>(new Relay(executor, rpc, sender, store, directory, watch, settings));
  for (QueueItem& item : TT_TRY(store.Queue())) {
    const Key key{item.head, item.n};
    out->queue_[key].item = std::move(item);
  }
  return out;
}

net::Task<void> Relay::Run() {
  for (;;) {
    StartPolls();
    co_await SendRound();
    co_await ReadGasBalance();
    co_await net::Sleep(settings_.interval);
  }
}

net::Task<void> Relay::Stop() {
  polls_.Cancel();
  co_await polls_.Join();
}

size_t Relay::in_flight() const {
  return static_cast<size_t>(std::count_if(queue_.begin(), queue_.end(),
                                           [](auto& p) { return p.second.intent.has_value(); }));
}

Result<size_t> Relay::CountWaiting() const {
  size_t out = 0;
  for (const auto& [key, pending] : queue_) {
    const QueueItem& item = pending.item;
    bool waits = true;
    if (item.kind == EntryKind::kBatch) waits = TT_TRY(store_.LastSeq(item.line)) < item.seq;
    if (item.kind == EntryKind::kSettle) waits = !TT_TRY(store_.IsServed(item.id));
    out += waits ? 1 : 0;
  }
  return out;
}

// ---- outboxes in ----

void Relay::StartPolls() {
  const Time now = net::SteadyClock::now();
  for (const auto& [key, node] : directory_.nodes()) {
    if (node.slot != 0 || !directory_.HasGrace(node) || !directory_.IsReachable(key)) continue;
    HeadPoll& head = heads_[key];
    if (head.polling || now < head.next_poll) continue;
    head.polling = true;
    polls_.Spawn(Poll(node), "outbox");
  }
}

net::Task<void> Relay::Poll(NodeRecord node) {
  struct Done {
    HeadPoll& head;
    ~Done() { head.polling = false; }
  } done{heads_[node.key]};
  HeadPoll& head = done.head;
  ++counters_.polls;
  Status read = co_await ReadOutbox(node);
  const std::string error = read ? "" : read.error().message();
  if (!read) {
    ++counters_.poll_failures;
    if (read.error().code() == Code::kResourceExhausted)
      head.limit = 1;  // its batches may just be large
    head.backoff = std::clamp(head.backoff * 2, settings_.interval, settings_.max_backoff);
    head.next_poll = net::SteadyClock::now() + head.backoff;
    if (error != head.last_error)
      LogWarn("gateway", "outbox of " + crypto::AddressText(node.key) + ": " + error);
  } else {
    head.backoff = net::Millis(0);
  }
  head.last_error = error;
}

net::Task<Status> Relay::ReadOutbox(NodeRecord node) {
  auto base = net::NodeBaseUrl(node.url);
  TT_CO_CHECK(base);
  HeadPoll& head = heads_[node.key];
  if (net::SteadyClock::now() >= head.next_full || head.undos != watch_.undos()) {
    head.listing = true;
    head.after = 0;
    head.seen.clear();
    head.undos = watch_.undos();
    head.next_full = net::SteadyClock::now() + settings_.full_every;
  }
  for (size_t i = 0; i < settings_.max_pages; ++i) {
    auto page = co_await ReadPage(*base, node.key);
    TT_CO_CHECK(page);
    if (page->numbers.empty()) co_return EndListing(node.key);
    Status taken = TakePage(node.key, *std::move(page));
    TT_CO_CHECK(taken);
  }
  co_return Ok{};
}

net::Task<Result<OutboxPage>> Relay::ReadPage(std::string base, Address key) {
  const HeadPoll& head = heads_[key];
  const uint64_t after = head.after;
  net::HttpRequestOptions request;
  request.url = base + "/v1/teetee/outbox?after=" + std::to_string(after) +
                "&limit=" + std::to_string(head.limit);
  request.timeout = settings_.poll_timeout;
  request.max_response_bytes = kMaxOutboxPage;
  auto response = co_await http_.Fetch(std::move(request));
  TT_CO_CHECK(response);
  if (response->status != 200)
    co_return Error(Code::kUnavailable, "status " + std::to_string(response->status));
  co_return ReadOutboxPage(response->text(), after, key, domain_);
}

Status Relay::TakePage(const Address& key, OutboxPage page) {
  HeadPoll& head = heads_[key];
  head.after = page.numbers.back();
  if (head.listing) head.seen.insert(page.numbers.begin(), page.numbers.end());
  if (head.seen.size() > kMaxListed) return Error(Code::kResourceExhausted, "outbox: endless");
  counters_.entries_refused += page.refused;
  for (AcceptedEntry& entry : page.entries) TT_RETURN_IF_ERROR(TakeEntry(std::move(entry)));
  if (page.refused > 0)
    return Error(Code::kPermissionDenied, "outbox: an entry of another head, line or signer");
  return Ok{};
}

Status Relay::TakeEntry(AcceptedEntry entry) {
  const Key key{entry.item.head, entry.item.n};
  auto known = queue_.find(key);
  if (known != queue_.end() && known->second.item.call == entry.item.call) return Ok{};
  if (known == queue_.end()) {
    const auto of_head = std::distance(queue_.lower_bound({entry.item.head, 0}),
                                       queue_.upper_bound({entry.item.head, UINT64_MAX}));
    if (static_cast<size_t>(of_head) >= settings_.max_entries_per_head) {
      return Error(Code::kResourceExhausted, "outbox: too many entries wait for the chain");
    }
  }
  TT_RETURN_IF_ERROR(store_.PutEntry(entry.item, entry.receipts));
  ++counters_.entries;
  counters_.receipts += entry.receipts.size();
  const Hash32 line = entry.item.line;
  const bool is_batch = entry.item.kind == EntryKind::kBatch;
  Pending pending;
  pending.item = std::move(entry.item);
  queue_[key] = std::move(pending);
  if (is_batch) DropOldBatches(line);
  return Ok{};
}

// As the store does.
void Relay::DropOldBatches(const Hash32& line) {
  std::vector<std::pair<uint64_t, Key>> batches;
  for (const auto& [key, pending] : queue_) {
    if (pending.item.kind == EntryKind::kBatch && pending.item.line == line)
      batches.emplace_back(pending.item.seq, key);
  }
  std::sort(batches.begin(), batches.end());
  for (size_t i = 0; i + Store::kMaxBatchesPerLine < batches.size(); ++i)
    queue_.erase(batches[i].second);
}

Status Relay::EndListing(const Address& key) {
  HeadPoll& head = heads_[key];
  if (!head.listing) return Ok{};
  TT_RETURN_IF_ERROR(store_.DropEntriesExcept(key, head.seen));
  for (auto it = queue_.lower_bound({key, 0}); it != queue_.end() && it->first.first == key;) {
    it = head.seen.count(it->first.second) != 0 ? std::next(it) : queue_.erase(it);
  }
  head.listing = false;
  head.seen.clear();
  return Ok{};
}

// ---- transactions out ----

net::Task<void> Relay::CollectOutcomes() {
  std::vector<std::pair<Key, uint64_t>> open;
  for (const auto& [key, pending] : queue_) {
    if (pending.intent) open.emplace_back(key, *pending.intent);
  }
  for (const auto& [key, intent] : open) {
    auto outcome = co_await sender_.Wait(intent, net::Millis(0));
    if (!outcome && outcome.error().code() == Code::kDeadlineExceeded) continue;
    if (outcome && outcome->state == chain::TxState::kMined) ++counters_.mined;
    if (outcome && outcome->state == chain::TxState::kReverted) ++counters_.reverted;
    if (outcome && outcome->state == chain::TxState::kRefused) ++counters_.withheld;
    auto found = queue_.find(key);
    if (found == queue_.end() || found->second.intent != intent) continue;
    found->second.intent.reset();
    found->second.next_try = net::SteadyClock::now() + settings_.retry;
  }
}

Result<std::vector<Relay::Key>> Relay::Due() const {
  const Time now = net::SteadyClock::now();
  std::vector<Key> out;
  std::map<Hash32, Key> newest;  // batch of each line
  std::set<Hash32> busy;         // lines with a batch on its way
  for (const auto& [key, pending] : queue_) {
    const QueueItem& item = pending.item;
    if (item.kind == EntryKind::kBatch) {
      if (pending.intent) busy.insert(item.line);
      auto [best, is_first] = newest.try_emplace(item.line, key);
      if (!is_first && queue_.at(best->second).item.seq < item.seq) best->second = key;
    } else if (!pending.intent && pending.next_try <= now) {
      const bool done = item.kind == EntryKind::kSettle && TT_TRY(store_.IsServed(item.id));
      if (!done) out.push_back(key);
    }
  }
  for (const auto& [line, key] : newest) {
    const Pending& pending = queue_.at(key);
    if (busy.count(line) != 0 || pending.next_try > now) continue;
    if (pending.item.seq > TT_TRY(store_.LastSeq(line))) out.push_back(key);
  }
  return out;
}

net::Task<void> Relay::SendRound() {
  if (auto waiting = CountWaiting()) waiting_ = *waiting;
  if (!watch_.caught_up() || !watch_.reachable()) co_return;
  // What an earlier run submitted is not known here by entry: it goes first, so that nothing is
  // sent twice.
  if (!drained_ && sender_.pending() > 0) co_return;
  drained_ = true;
  co_await CollectOutcomes();
  auto due = Due();
  if (!due) {
    LogWarn("gateway", "relay: " + due.error().message());
    co_return;
  }
  size_t tries = 0, failures = 0;
  for (const Key& key : *due) {
    if (++tries > settings_.max_tries || in_flight() >= settings_.max_in_flight) co_return;
    Status sent = co_await TrySend(key);
    if (sent) failures = 0;
    if (!sent && ++failures >= 3) co_return;  // it is the chain that does not answer
  }
}

// An error is the RPC's; an entry that would revert is none.
net::Task<Status> Relay::TrySend(Key key) {
  auto found = queue_.find(key);
  if (found == queue_.end()) co_return Ok{};
  chain::CallRequest request;
  request.from = sender_.address();
  request.to = settings_.identity.ledger;
  request.data = found->second.item.call;
  const std::string label = LabelOf(found->second.item);
  const chain::BlockId at = chain::BlockId::Latest();
  auto tried = co_await rpc_.EthCall(request, at);
  // The Sender estimates too, and waits where that fails for other reasons than a revert: one bad
  // entry must not hold up all others.
  auto gas = Result<uint64_t>(uint64_t{0});
  if (tried) gas = co_await rpc_.EstimateGas(request);
  found = queue_.find(key);
  if (found == queue_.end() || found->second.item.call != request.data) co_return Ok{};
  Pending& pending = found->second;
  if (tried && gas) {
    auto intent = sender_.Submit({*request.to, chain::Wei(), std::move(request.data), label});
    TT_CO_CHECK(intent);
    pending.intent = *intent;
    pending.why.clear();
    ++counters_.sent;
    LogInfo("gateway", "sends " + label);
    co_return Ok{};
  }
  const Error& error = tried ? gas.error() : tried.error();
  pending.next_try = net::SteadyClock::now() + settings_.retry;
  if (error.message() != pending.why) LogInfo("gateway", label + " waits: " + error.message());
  pending.why = error.message();
  if (error.code() != Code::kFailedPrecondition) co_return error;
  ++counters_.withheld;
  co_return Ok{};
}

net::Task<void> Relay::ReadGasBalance() {
  if (net::SteadyClock::now() < next_balance_) co_return;
  const chain::BlockId at = chain::BlockId::Latest();
  auto balance = co_await rpc_.GetBalance(sender_.address(), at);
  if (!balance) co_return;
  next_balance_ = net::SteadyClock::now() + kBalanceEvery;
  gas_balance_ = *balance;
  const bool is_low = gas_balance_ < kLowGas;
  if (is_low && !gas_is_low_) {
    LogWarn("gateway", "the gas key has " + gas_balance_.Eth() + ": send some ether to " +
                           crypto::AddressText(sender_.address()) + ", or nothing gets on chain");
  }
  gas_is_low_ = is_low;
}

}  // namespace teetee::gateway
