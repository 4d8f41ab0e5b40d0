#include "chain/sender.h"

#include <algorithm>
#include <set>

#include "base/log.h"

namespace teetee::chain {
namespace {

constexpr size_t kMaxOutcomes = 4096;
constexpr net::Millis kSlice{20};  // how late a waiter may notice; far below any block time
constexpr uint32_t kGasNumerator = 5, kGasDenominator = 4;    // estimate x 1.25
constexpr uint32_t kBumpNumerator = 9, kBumpDenominator = 8;  // x 1.125; nodes demand 10 %
// Blocks after which a nonce used by another transaction is taken as final, so that a short
// reorganisation cannot bring the old transaction back beside its successor.
constexpr uint64_t kLostAfterBlocks = 3;

}  // namespace

Result<std::unique_ptr<Sender>> Sender::Open(Rpc* rpc, crypto::SigningKey key,
                                             SenderOptions options) {
  TxJournal journal =
      TT_TRY(TxJournal::Open(options.journal_path, options.chain_id, key.address()));
  return std::unique_ptr<Sender>(
      new Sender(rpc, std::move(key), std::move(options), std::move(journal)));
}

Sender::Sender(Rpc* rpc, crypto::SigningKey key, SenderOptions options, TxJournal journal)
    : rpc_(rpc), key_(std::move(key)), options_(std::move(options)), journal_(std::move(journal)) {}

Result<uint64_t> Sender::Submit(TxIntent intent) {
  const uint64_t id = journal_.next_id();
  TT_RETURN_IF_ERROR(journal_.Submitted(id, intent));
  wake_ = true;
  return id;
}

net::Task<Result<TxOutcome>> Sender::Wait(uint64_t id, net::Millis limit) {
  const auto deadline = net::SteadyClock::now() + std::min(limit, net::Millis(86'400'000));
  while (true) {
    if (auto found = outcomes_.find(id); found != outcomes_.end()) co_return found->second;
    if (journal_.open_intents().count(id) == 0) {
      co_return Error(Code::kNotFound, "transaction: no such intent");
    }
    if (net::SteadyClock::now() >= deadline) {
      co_return Error(Code::kDeadlineExceeded, "transaction: still pending");
    }
    co_await net::Sleep(kSlice);
  }
}

net::Task<Result<TxOutcome>> Sender::SubmitAndWait(TxIntent intent, net::Millis limit) {
  auto id = Submit(std::move(intent));
  TT_CO_CHECK(id);
  auto outcome = co_await Wait(*id, limit);
  co_return outcome;
}

net::Task<void> Sender::Run() {
  std::string last_error;
  while (true) {
    Status done = co_await Tick();
    const std::string error = done ? "" : done.error().message();
    if (error != last_error) {
      if (error.empty()) {
        LogInfo("chain", "sending goes on");
      } else {
        LogWarn("chain", "sending waits: " + error);
      }
      last_error = error;
    }
    const auto next = net::SteadyClock::now() + options_.poll;
    while (!wake_ && net::SteadyClock::now() < next)
      co_await net::Sleep(std::min(kSlice, options_.poll));
    wake_ = false;
  }
}

net::Task<Status> Sender::Tick() {
  if (journal_.open_intents().empty()) co_return Ok{};
  const BlockId at = BlockId::Latest();
  auto latest = co_await rpc_->GetBlock(at);
  TT_CO_CHECK(latest);
  if (!*latest) co_return Error(Code::kUnavailable, "chain: has no latest block");
  // Before the receipts: a nonce that is used while no receipt of ours exists was then used by
  // another transaction.
  auto mined_nonce = co_await rpc_->GetNonce(address(), at);
  TT_CO_CHECK(mined_nonce);
  std::vector<uint64_t> ids;
  for (const auto& [id, open] : journal_.open_intents()) ids.push_back(id);
  bool is_first =
      true;  // nothing of ours before it is open, so what it meets now is what it will meet
  for (uint64_t id : ids) {
    Status advanced = co_await Advance(id, **latest, *mined_nonce, is_first);
    TT_CO_CHECK(advanced);
    if (journal_.open_intents().count(id) != 0) is_first = false;
  }
  Status filled = co_await FillGap(**latest, *mined_nonce);
  co_return filled;
}

net::Task<Status> Sender::Advance(uint64_t id, Block latest, uint64_t mined_nonce, bool is_first) {
  if (journal_.open_intents().at(id).attempts.empty()) {
    Status started = co_await Start(id, latest, is_first);
    co_return started;
  }
  auto mined = co_await CheckMined(id, latest);
  TT_CO_CHECK(mined);
  if (*mined) co_return Ok{};
  Progress& progress = progress_[id];
  const uint64_t nonce = journal_.open_intents().at(id).attempts.back().nonce;
  if (mined_nonce > nonce) {
    if (progress.lost_since == 0) progress.lost_since = latest.number;
    if (latest.number < progress.lost_since + kLostAfterBlocks) co_return Ok{};
    progress.lost_since = 0;
    Status restarted = co_await Start(id, latest, is_first);
    co_return restarted;
  }
  progress.lost_since = 0;
  if (!progress.sent) {
    Status sent = co_await Resend(id, latest.number);
    co_return sent;
  }
  if (latest.number < progress.sent_block + options_.bump_after_blocks) co_return Ok{};
  Status bumped = co_await Bump(id, latest);
  co_return bumped;
}

// True: it needs no sending now (it is done, or mined and waiting for confirmations).
net::Task<Result<bool>> Sender::CheckMined(uint64_t id, Block latest) {
  std::vector<Hash32> hashes;
  for (const auto& attempt : journal_.open_intents().at(id).attempts) {
    hashes.push_back(attempt.tx.hash);
  }
  for (const Hash32& hash : hashes) {
    auto receipt = co_await rpc_->GetReceipt(hash);
    TT_CO_CHECK(receipt);
    if (!*receipt) continue;
    TxReceipt found = **std::move(receipt);
    if (latest.number + 1 < found.block_number + options_.confirmations) co_return true;
    TxOutcome outcome;
    outcome.state = found.succeeded ? TxState::kMined : TxState::kReverted;
    if (!found.succeeded) outcome.why = "the transaction was mined and reverted";
    outcome.receipt = std::move(found);
    Status finished = Finish(id, std::move(outcome));
    TT_CO_CHECK(finished);
    co_return true;
  }
  co_return false;
}

net::Task<Status> Sender::Start(uint64_t id, Block latest, bool is_first) {
  const CallRequest request = RequestOf(journal_.open_intents().at(id).intent);
  const BlockId at = BlockId::Latest();
  auto tried = co_await rpc_->EthCall(request, at);
  auto gas = Result<uint64_t>(uint64_t{0});
  if (tried) gas = co_await rpc_->EstimateGas(request);
  const Error* error = !tried ? &tried.error() : !gas ? &gas.error() : nullptr;
  if (error != nullptr && error->code() == Code::kFailedPrecondition) {
    if (!is_first) co_return Ok{};  // an earlier one may be what it needs
    Status finished = Finish(id, {TxState::kRefused, std::nullopt, error->message()});
    co_return finished;
  }
  if (error != nullptr) co_return *error;
  auto fees = co_await CurrentFees(latest);
  TT_CO_CHECK(fees);
  auto nonce = co_await NextNonce();
  TT_CO_CHECK(nonce);
  const uint64_t limit =
      static_cast<uint64_t>(Wei(*gas).ScaledUp(kGasNumerator, kGasDenominator).value());
  Status sent = co_await SignAndSend(id, *nonce, *fees, limit, latest.number);
  co_return sent;
}

// The lowest that neither the node nor an open attempt has: so a gap, which would hold up all
// behind it, is filled first.
net::Task<Result<uint64_t>> Sender::NextNonce() {
  const BlockId at = BlockId::Pending();
  auto nonce = co_await rpc_->GetNonce(address(), at);
  TT_CO_CHECK(nonce);
  std::set<uint64_t> taken;
  for (const auto& [id, open] : journal_.open_intents()) {
    if (!open.attempts.empty()) taken.insert(open.attempts.back().nonce);
  }
  uint64_t next = *nonce;
  while (taken.count(next) != 0) ++next;
  co_return next;
}

// A chain that lost its newest blocks may miss a nonce below those of our open attempts, which then
// wait for ever: a transfer of nothing to ourselves fills it.
net::Task<Status> Sender::FillGap(Block latest, uint64_t mined_nonce) {
  uint64_t lowest = ~uint64_t{0};
  for (const auto& [id, open] : journal_.open_intents()) {
    if (open.attempts.empty()) co_return Ok{};  // it will take the nonce
    lowest = std::min(lowest, open.attempts.back().nonce);
  }
  if (journal_.open_intents().empty() || mined_nonce >= lowest) {
    gap_since_ = 0;
    co_return Ok{};
  }
  const BlockId at = BlockId::Pending();
  auto pending_nonce = co_await rpc_->GetNonce(address(), at);
  TT_CO_CHECK(pending_nonce);
  if (*pending_nonce >= lowest || gap_since_ == 0) {
    gap_since_ = *pending_nonce >= lowest ? 0 : latest.number;
    co_return Ok{};
  }
  if (latest.number < gap_since_ + kLostAfterBlocks) co_return Ok{};
  gap_since_ = 0;
  auto id = Submit({address(), Wei(), {}, "fill a missing nonce"});
  TT_CO_CHECK(id);
  co_return Ok{};
}

net::Task<Result<Sender::Fees>> Sender::CurrentFees(Block latest) {
  auto tip = co_await rpc_->MaxPriorityFee();
  TT_CO_CHECK(tip);
  auto twice = latest.base_fee.Times(2);
  TT_CO_CHECK(twice);
  auto sum = twice->Plus(*tip);
  TT_CO_CHECK(sum);
  Fees fees;
  fees.max_fee = std::min(*sum, options_.max_fee_cap);
  fees.priority = std::min(*tip, fees.max_fee);
  co_return fees;
}

net::Task<Status> Sender::SignAndSend(uint64_t id, uint64_t nonce, Fees fees, uint64_t gas,
                                      uint64_t block) {
  const TxIntent& intent = journal_.open_intents().at(id).intent;
  const Tx tx{options_.chain_id, nonce,        fees.priority, fees.max_fee, gas,
              intent.to,         intent.value, intent.data};
  const SignedTx signed_tx = SignTx(tx, key_);
  Status written = journal_.Signed(id, signed_tx);  // before it leaves
  TT_CO_CHECK(written);
  progress_[id].sent = false;
  Status sent = co_await Resend(id, block);
  co_return sent;
}

net::Task<Status> Sender::Resend(uint64_t id, uint64_t block) {
  const OpenIntent& open = journal_.open_intents().at(id);
  const Bytes raw = open.attempts.back().tx.raw;
  progress_[id].sent_block = block;
  auto result = co_await rpc_->SendRawTransaction(raw);
  TT_CO_CHECK(result);
  // Too low: mined meanwhile, or used by another; the next round's receipts tell. Underpriced: the
  // next bump mends it.
  progress_[id].sent = *result == SendResult::kAccepted || *result == SendResult::kAlreadyKnown ||
                       *result == SendResult::kUnderpriced;
  co_return Ok{};
}

net::Task<Status> Sender::Bump(uint64_t id, Block latest) {
  const OpenIntent::Attempt last = journal_.open_intents().at(id).attempts.back();
  auto current = co_await CurrentFees(latest);
  TT_CO_CHECK(current);
  Fees fees;
  fees.max_fee =
      std::max(current->max_fee, last.max_fee.ScaledUp(kBumpNumerator, kBumpDenominator));
  fees.priority =
      std::max(current->priority, last.max_priority_fee.ScaledUp(kBumpNumerator, kBumpDenominator));
  if (fees.max_fee > options_.max_fee_cap || fees.priority > fees.max_fee) {
    Status resent =
        co_await Resend(id, latest.number);  // dearer it does not get; it may have been forgotten
    co_return resent;
  }
  Status sent = co_await SignAndSend(id, last.nonce, fees, last.gas, latest.number);
  co_return sent;
}

Status Sender::Finish(uint64_t id, TxOutcome outcome) {
  const std::string label = journal_.open_intents().at(id).intent.label;
  if (!outcome.why.empty()) LogWarn("chain", label + ": " + outcome.why);
  TT_RETURN_IF_ERROR(journal_.Done(id));
  progress_.erase(id);
  outcomes_[id] = std::move(outcome);
  if (outcomes_.size() > kMaxOutcomes) outcomes_.erase(outcomes_.begin());
  return Ok{};
}

CallRequest Sender::RequestOf(const TxIntent& intent) const {
  CallRequest request;
  request.from = address();
  request.to = intent.to;
  request.value = intent.value;
  request.data = intent.data;
  return request;
}

}  // namespace teetee::chain
