#include "gateway/chain_watch.h"

#include <filesystem>

#include "base/file.h"
#include "base/log.h"
#include "chain/abi.h"

namespace teetee::gateway {
namespace {

constexpr uint64_t kCommitEvery = 100;  // blocks
constexpr size_t kTimesPerRound = 64;   // blocks

// Only what is used: tabs and earnings would be most of the Ledger's logs.
constexpr std::string_view kFollowed[] = {
    "ModelAdded(bytes32,bytes26,(bytes32,address,uint64,uint64,uint32,uint32,(bytes32,uint32)[]))",
    "NodeJoined(address,address,bytes26,uint8,bytes32,bytes32,string,uint40)",
    "NodeLeft(address)",
    "UrlSet(address,string)",
    "Batched(bytes32,uint64,bytes32,uint32,uint256)",
    "Served(bytes32,bytes32,bytes32,(bytes32,bytes32,bytes32,bytes32,uint32,uint32,uint128,bytes32)"
    ")"};

Result<chain::Follower> OpenFollower(chain::Rpc& rpc, const ChainSettings& settings) {
  chain::FollowerOptions options;
  options.addresses = {settings.identity.registry, settings.identity.ledger};
  for (std::string_view signature : kFollowed)
    options.topic0.push_back(chain::EventTopicOf(signature));
  options.start_block = settings.from_block;
  options.cursor_path = settings.cursor_path;
  return chain::Follower::Open(&rpc, options);
}

// The Ledger's events that are kept.
Status Collect(const chain::LogEntry& log, ChainChange& change) {
  auto event = TT_TRY(chain::DecodeEvent(log));
  if (!event) return Ok{};
  if (auto* batched = std::get_if<chain::Batched>(&*event)) {
    if (batched->seq > static_cast<uint64_t>(INT64_MAX))
      return Ok{};  // such a line is at its end; none of ours gets there
    change.batches.push_back({batched->line, batched->seq, batched->root, batched->count,
                              log.tx_hash, log.block_number, batched->amount});
  }
  if (auto* served = std::get_if<chain::Served>(&*event)) {
    change.served.push_back({served->receipt_hash, served->query, log.tx_hash, log.block_number,
                             served->line, served->receipt.cost});
  }
  return Ok{};
}

}  // namespace

ChainWatch::ChainWatch(chain::Rpc& rpc, Store& store, Directory& directory, ChainSettings settings,
                       chain::Follower follower)
    : rpc_(rpc),
      store_(store),
      directory_(directory),
      settings_(std::move(settings)),
      follower_(std::move(follower)) {}

// Cursor and database must tell of the same events. Where one of them is new or broken, both start
// again.
Result<std::unique_ptr<ChainWatch>> ChainWatch::Open(chain::Rpc& rpc, Store& store,
                                                     Directory& directory, ChainSettings settings) {
  std::error_code ignored;
  if (store.fresh()) std::filesystem::remove(settings.cursor_path, ignored);
  auto follower = OpenFollower(rpc, settings);
  if (!follower && follower.error().code() == Code::kDataLoss) {
    LogWarn("gateway", "the cursor is damaged; the chain is read again");
    std::filesystem::remove(settings.cursor_path, ignored);
    follower = OpenFollower(rpc, settings);
  }
  if (!follower) return std::move(follower).error();
  if (!FileExists(settings.cursor_path)) TT_RETURN_IF_ERROR(store.ForgetChain());
  auto out = std::unique_ptr<ChainWatch>(
      new ChainWatch(rpc, store, directory, std::move(settings), *std::move(follower)));
  TT_RETURN_IF_ERROR(out->Rebuild());
  for (auto& [hash, text] : TT_TRY(store.Manifests())) {
    if (auto added = directory.AddManifest(std::move(text)); !added)
      LogDebug("gateway", added.error().message());
  }
  return out;
}

Status ChainWatch::Rebuild() {
  directory_.Clear();
  for (const chain::LogEntry& log : TT_TRY(store_.RegistryLogs())) {
    if (Status applied = directory_.Apply(log); !applied)
      LogWarn("gateway", "event left out: " + applied.error().message());
  }
  return Ok{};
}

net::Task<void> ChainWatch::Run() {
  std::string last_error;
  for (;;) {
    Status stepped = co_await Step();
    reachable_ = stepped.has_value();
    const std::string error = stepped ? "" : stepped.error().message();
    if (error != last_error) {
      if (error.empty()) {
        LogInfo("gateway",
                "the chain is followed, through block " + std::to_string(through_block_));
      } else {
        LogWarn("gateway", "following the chain waits: " + error);
      }
      last_error = error;
    }
    co_await net::Sleep(settings_.poll);
  }
}

net::Task<Status> ChainWatch::CheckChain() {
  auto id = co_await rpc_.ChainId();
  TT_CO_CHECK(id);
  if (*id != settings_.identity.chain_id) {
    co_return Error(Code::kFailedPrecondition, "the RPC serves chain " + std::to_string(*id) +
                                                   ", not " +
                                                   std::to_string(settings_.identity.chain_id) +
                                                   ": check --rpc and --chain-id");
  }
  auto call = chain::ledger::Registry();
  auto registry = co_await rpc_.Read(settings_.identity.ledger, std::move(call));
  if (!registry && registry.error().code() == Code::kUnavailable)
    co_return std::move(registry).error();
  if (!registry) {
    co_return Error(Code::kFailedPrecondition, "there is no Ledger at " +
                                                   crypto::AddressText(settings_.identity.ledger) +
                                                   ": deploy the contracts, or check --ledger");
  }
  if (*registry != settings_.identity.registry) {
    co_return Error(Code::kFailedPrecondition,
                    "the Ledger is not for this Registry: check --ledger and --registry");
  }
  checked_ = true;
  co_return Ok{};
}

net::Task<Status> ChainWatch::Step() {
  if (!checked_) {
    Status checked = co_await CheckChain();
    TT_CO_CHECK(checked);
  }
  for (bool more = true; more;) {
    auto batch = co_await follower_.Poll();
    TT_CO_CHECK(batch);
    Status taken = Take(*batch);
    if (!taken) {  // what was polled is not stored: start again from the stored cursor
      auto reopened = OpenFollower(rpc_, settings_);
      if (reopened) follower_ = *std::move(reopened);
      co_return std::move(taken).error();
    }
    more = !batch->caught_up;
  }
  const chain::BlockId at = chain::BlockId::Latest();
  auto latest = co_await rpc_.GetBlock(at);
  TT_CO_CHECK(latest);
  if (*latest) {
    newest_block_ = (*latest)->number;
    directory_.NoteBlockTime((*latest)->timestamp);
  }
  caught_up_ = true;
  if (times_due_) co_await ReadBlockTimes();
  co_return Ok{};
}

// Pages show when an event was; events carry no time. What cannot be read now is read in a later round.
net::Task<void> ChainWatch::ReadBlockTimes() {
  auto blocks = store_.UntimedBlocks(kTimesPerRound);
  if (!blocks) co_return;
  for (uint64_t number : *blocks) {
    const chain::BlockId at = chain::BlockId::Number(number);
    auto block = co_await rpc_.GetBlock(at);
    if (!block || !*block) co_return;
    if (!store_.PutBlockTime(number, (*block)->timestamp)) co_return;
  }
  times_due_ = blocks->size() == kTimesPerRound;
}

Status ChainWatch::Take(const chain::FollowBatch& batch) {
  through_block_ = batch.through_block;
  if (!batch.undo_above && batch.logs.empty()) return CommitNowAndThen();
  ChainChange change;
  change.undo_above = batch.undo_above;
  for (const chain::LogEntry& log : batch.logs) {
    if (log.address == settings_.identity.registry) {
      change.registry_logs.push_back(log);
    } else if (Status collected = Collect(log, change); !collected) {
      LogWarn("gateway", "event left out: " + collected.error().message());
    }
  }
  TT_RETURN_IF_ERROR(store_.Apply(change));
  times_due_ = true;
  if (batch.undo_above) {
    ++undos_;
    LogWarn("gateway", "blocks were replaced above " + std::to_string(*batch.undo_above) +
                           "; their events are undone");
    TT_RETURN_IF_ERROR(Rebuild());
  } else {
    for (const chain::LogEntry& log : change.registry_logs) {
      if (Status applied = directory_.Apply(log); !applied)
        LogWarn("gateway", "event left out: " + applied.error().message());
    }
  }
  committed_block_ = through_block_;
  return follower_.Commit();
}

// A quiet chain needs no write to the disk for each block.
Status ChainWatch::CommitNowAndThen() {
  if (through_block_ < committed_block_ + kCommitEvery) return Ok{};
  committed_block_ = through_block_;
  return follower_.Commit();
}

}  // namespace teetee::gateway
