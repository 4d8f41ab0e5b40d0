#include "head/settler.h"

#include "base/log.h"
#include "chain/contracts.h"

namespace teetee::head {

namespace ledger_calls = chain::ledger;

Settler::Settler(HeadLedger& ledger, chain::Rpc& rpc, crypto::Address ledger_contract, SettlerSettings settings)
    : ledger_(ledger), rpc_(rpc), contract_(ledger_contract), settings_(settings) {}

net::Task<void> Settler::Run() {
  for (;;) {
    Status stepped = co_await Step();
    if (stepped.has_value() != reachable_) {
      reachable_ = stepped.has_value();
      if (reachable_) LogInfo("settler", "the chain answers again");
      if (!stepped) LogWarn("settler", "chain: " + stepped.error().message());
    }
    co_await net::Sleep(settings_.interval);
  }
}

net::Task<Status> Settler::Step() {
  auto last_seq = co_await ReadBatches();
  TT_CO_CHECK(last_seq);
  Status tabs = co_await ReadTabs();
  TT_CO_CHECK(tabs);
  Status queries = co_await ReadQueries();
  TT_CO_CHECK(queries);
  Status releases = co_await ReadReleases();
  TT_CO_CHECK(releases);
  co_return MakeBatchIfDue(*last_seq);
}

bool Settler::Settled(uint64_t n, bool done) {
  if (!done) {
    done_since_.erase(n);
    return false;
  }
  auto [entry, fresh] = done_since_.try_emplace(n, net::SteadyClock::now());
  if (net::SteadyClock::now() - entry->second < settings_.final_after) return false;
  done_since_.erase(n);
  return true;
}

net::Task<Result<uint64_t>> Settler::ReadBatches() {
  auto last = co_await rpc_.Read(contract_, ledger_calls::LastSeq(ledger_.facts().line));
  TT_CO_CHECK(last);
  for (const auto& batch : ledger_.OutstandingBatches()) {
    auto root = co_await rpc_.Read(contract_, ledger_calls::BatchRoot(ledger_.facts().line, batch.seq));
    TT_CO_CHECK(root);
    bool passed = *last >= batch.seq;
    bool mined = passed && *root == batch.root;
    if (passed && Settled(batch.n, true)) {
      Status final = ledger_.Finalize(batch.n, mined);
      TT_CO_CHECK(final);
    } else if (!passed) {
      Settled(batch.n, false);
    }
  }
  co_return *last;
}

net::Task<Status> Settler::ReadTabs() {
  for (const auto& open : ledger_.UnsettledTabs()) {
    auto tab = co_await rpc_.Read(contract_, ledger_calls::TabOf(open.user, ledger_.facts().line));
    TT_CO_CHECK(tab);
    // A finished epoch pays no more: whatever was not charged in time is lost to the head.
    ledger_.NoteSpent(open.user, open.epoch, tab->epoch == open.epoch ? tab->spent : open.used);
  }
  co_return Ok{};
}

net::Task<Status> Settler::ReadQueries() {
  for (const auto& [n, query] : ledger_.OutstandingQueries()) {
    auto record = co_await rpc_.Read(contract_, ledger_calls::RecordOf(query));
    TT_CO_CHECK(record);
    bool done = *record != chain::ledger::kRecordNone && *record != chain::ledger::RecordOpen();
    if (Settled(n, done)) {
      Status final = ledger_.Finalize(n, true);
      TT_CO_CHECK(final);
    }
  }
  co_return Ok{};
}

net::Task<Status> Settler::ReadReleases() {
  for (const auto& [n, release] : ledger_.OutstandingReleases()) {
    auto tab = co_await rpc_.Read(contract_, ledger_calls::TabOf(release.user, ledger_.facts().line));
    TT_CO_CHECK(tab);
    if (Settled(n, tab->epoch > release.epoch)) {
      Status final = ledger_.Finalize(n, true);
      TT_CO_CHECK(final);
    }
  }
  co_return Ok{};
}

Status Settler::MakeBatchIfDue(uint64_t last_seq) {
  auto now = net::SteadyClock::now();
  bool waiting = false;  // for a batch on its way
  for (const auto& batch : ledger_.OutstandingBatches()) waiting |= batch.seq > last_seq;
  if (waiting && now - last_batch_ < settings_.resend_after) return Ok{};
  if (!ledger_.UnsettledTabs().empty() && now - last_batch_ > settings_.recharge_after) ledger_.ChargeAgain();
  if (!ledger_.NeedsBatch()) return Ok{};
  last_batch_ = now;
  auto n = ledger_.MakeBatch(last_seq);
  if (!n) return std::move(n).error();
  return Ok{};
}

}  // namespace teetee::head
