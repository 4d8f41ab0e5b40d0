#include "head/ledger.h"

#include <algorithm>

#include "base/check.h"
#include "crypto/merkle.h"
#include "protocol/fields.h"
#include "protocol/receipt.h"

namespace teetee::head {

using chain::Wei;
using protocol::OutboxEntry;

namespace {

Wei Add(Wei a, Wei b) {
  auto sum = a.Plus(b);
  TT_CHECK(sum.has_value());  // both are bounded by what exists of ether
  return *sum;
}

Wei Subtract(Wei a, Wei b) {
  auto difference = a.Minus(b);
  TT_CHECK(difference.has_value());
  return *difference;
}

Error NotCovered(const char* what, Wei need, Wei have) {
  return Error(Code::kPaymentRequired, std::string(what) + ": this request may cost up to " + need.Eth() +
                                           " in all, covered are " + have.Eth());
}

}  // namespace

HeadLedger::HeadLedger(const crypto::SigningKey& key, LineFacts facts, Journal journal)
    : key_(key),
      facts_(facts),
      domain_(chain::Domain::Ledger(facts.chain_id, facts.ledger)),
      journal_(std::move(journal)) {}

Result<std::unique_ptr<HeadLedger>> HeadLedger::Open(const crypto::SigningKey& key, LineFacts facts,
                                                     const std::string& journal_path) {
  Journal journal = TT_TRY(Journal::Open(journal_path));
  std::unique_ptr<HeadLedger> ledger(new HeadLedger(key, facts, std::move(journal)));
  for (const Json& record : ledger->journal_.records()) {
    Status replayed = ledger->Replay(record);
    if (!replayed) return std::move(replayed).error().Context(journal_path);
  }
  ledger->journal_.Forget();
  TT_RETURN_IF_ERROR(ledger->journal_.Rewrite(ledger->Snapshot()));
  ledger->dirty_ = !ledger->pending_.empty() || !ledger->tabs_.empty();
  return ledger;
}

// ---------------------------------------------------------------- serving

Result<std::unique_ptr<Reservation>> HeadLedger::Reserve(const protocol::TabPayment& payment, const chain::Tab& tab,
                                                         Wei most, Wei* need) {
  if (crypto::IsZero(tab.signer)) return Error(Code::kPaymentRequired, "tab: there is none for this user on this line");
  if (payment.epoch != tab.epoch) return Error(Code::kPaymentRequired, "tab: the voucher is of another epoch");
  if (tab.close_at != 0) return Error(Code::kFailedPrecondition, "tab: it is closing; fund it again to go on");
  chain::Voucher voucher{payment.user, facts_.line, payment.epoch, payment.total};
  Status signed_by = chain::VerifyTyped(domain_, voucher, tab.signer, payment.signature);
  if (!signed_by) return Error(Code::kUnauthenticated, "voucher: not signed by the tab's session key");

  TabKey key{payment.user, payment.epoch};
  TabState& state = tabs_[key];
  if (state.released) return Error(Code::kFailedPrecondition, "tab: it was released; open a new one");
  state.used = std::max(state.used, tab.spent);
  state.spent = std::max(state.spent, tab.spent);
  if (payment.total > state.total) {
    state.total = payment.total;
    state.voucher = payment.signature;
  }
  Wei wanted = Add(Add(state.used, state.in_flight), most);
  *need = wanted;
  if (wanted > state.total) return NotCovered("voucher", wanted, state.total);
  if (wanted > tab.funded) return NotCovered("tab", wanted, tab.funded);
  state.in_flight = Add(state.in_flight, most);
  return std::unique_ptr<Reservation>(new Reservation(*this, key, most));
}

Reservation::~Reservation() {
  HeadLedger::TabState& state = ledger_.tabs_[tab_];
  state.in_flight = Subtract(state.in_flight, amount_);
}

Status HeadLedger::Book(const Served& served, Reservation* reservation) {
  Json record = Json::MakeObject({{"t", "served"},
                                  {"receipt", protocol::ReceiptJson(served.receipt)},
                                  {"signature", protocol::SignatureText(served.signature)}});
  std::optional<TabState> charged;
  if (reservation) {
    charged = tabs_[reservation->tab_];
    charged->used = Add(charged->used, served.receipt.cost);
    TT_CHECK(served.receipt.cost <= reservation->amount_);
    record.Set("charge", protocol::ChargeJson({reservation->tab_.user, reservation->tab_.epoch, charged->used,
                                               charged->total, charged->voucher}));
  }
  Json work = Json::MakeArray();
  for (const chain::Work& w : served.work) work.Push(protocol::WorkJson(w));
  record.Set("work", std::move(work));
  if (served.query) {
    OutboxEntry entry{next_n_, protocol::SettleEntry{*served.query, served.receipt, served.parts, served.signature}};
    record.Set("entry", entry.ToJson());
  }
  TT_RETURN_IF_ERROR(journal_.Append(record));
  if (charged) tabs_[reservation->tab_].used = charged->used;
  for (const chain::Work& w : served.work) NoteWork(w);
  if (served.query) {
    entries_.push_back({next_n_++, protocol::SettleEntry{*served.query, served.receipt, served.parts, served.signature}});
  } else {
    pending_.push_back(served.receipt);
    dirty_ = true;
  }
  return Ok{};
}

void HeadLedger::NoteWork(const chain::Work& work) {
  chain::Work& newest = work_[{work.slot, work.key}];
  if (work.total >= newest.total) newest = work;
}

Result<protocol::ReleaseEntry> HeadLedger::SignRelease(const crypto::Address& user, const chain::Tab& tab) {
  TabState& state = tabs_[{user, tab.epoch}];
  state.used = std::max(state.used, tab.spent);
  if (!state.in_flight.is_zero()) return Error(Code::kFailedPrecondition, "tab: an answer is still in flight");
  if (state.used != tab.spent) {
    return Error(Code::kFailedPrecondition, "tab: not all that was used is settled yet; try again in a few seconds");
  }
  protocol::ReleaseEntry entry{user, facts_.model, key_.address(), tab.epoch, state.used, {}};
  entry.signature = chain::SignTyped(domain_, chain::Release{user, facts_.line, tab.epoch, state.used}, key_);
  OutboxEntry out{next_n_, entry};
  TT_RETURN_IF_ERROR(journal_.Append(EntryRecord(out)));
  entries_.push_back(std::move(out));
  ++next_n_;
  state.released = true;
  return entry;
}

// ---------------------------------------------------------------- towards the chain

bool HeadLedger::NeedsBatch() const { return dirty_; }
void HeadLedger::ChargeAgain() { dirty_ = true; }

std::vector<chain::Charge> HeadLedger::Charges() const {
  std::vector<chain::Charge> out;
  for (const auto& [key, state] : tabs_) {
    if (state.used > state.spent && out.size() < protocol::kMaxCharges) {
      out.push_back({key.user, key.epoch, state.used, state.total, state.voucher});
    }
  }
  return out;
}

Result<uint64_t> HeadLedger::MakeBatch(uint64_t chain_last_seq) {
  protocol::BatchEntry entry;
  entry.model = facts_.model;
  entry.head = key_.address();
  size_t count = std::min(pending_.size(), protocol::kMaxBatchLeaves);
  entry.leaves.assign(pending_.begin(), pending_.begin() + static_cast<ptrdiff_t>(count));
  std::vector<Hash32> hashes;
  for (const chain::Receipt& leaf : entry.leaves) hashes.push_back(chain::StructHash(leaf));
  last_seq_ = std::max(last_seq_, chain_last_seq) + 1;
  entry.batch.seq = last_seq_;
  entry.batch.count = static_cast<uint32_t>(count);
  entry.batch.root = crypto::MerkleTree(std::move(hashes)).root();
  entry.batch.charges = Charges();
  for (const auto& [slot_key, work] : work_) entry.batch.work.push_back(work);
  entry.signature = chain::SignTyped(domain_, chain::MessageOf(facts_.line, entry.batch), key_);
  OutboxEntry out{next_n_, std::move(entry)};
  TT_RETURN_IF_ERROR(journal_.Append(EntryRecord(out)));
  entries_.push_back(std::move(out));
  dirty_ = count < pending_.size();
  return next_n_++;
}

std::vector<HeadLedger::Outstanding> HeadLedger::OutstandingBatches() const {
  std::vector<Outstanding> out;
  for (const OutboxEntry& entry : entries_) {
    if (auto* batch = std::get_if<protocol::BatchEntry>(&entry.what)) {
      out.push_back({entry.n, batch->batch.seq, batch->batch.root});
    }
  }
  return out;
}

std::vector<std::pair<uint64_t, Hash32>> HeadLedger::OutstandingQueries() const {
  std::vector<std::pair<uint64_t, Hash32>> out;
  for (const OutboxEntry& entry : entries_) {
    if (auto* settle = std::get_if<protocol::SettleEntry>(&entry.what)) out.emplace_back(entry.n, settle->receipt.query);
  }
  return out;
}

std::vector<std::pair<uint64_t, protocol::ReleaseEntry>> HeadLedger::OutstandingReleases() const {
  std::vector<std::pair<uint64_t, protocol::ReleaseEntry>> out;
  for (const OutboxEntry& entry : entries_) {
    if (auto* release = std::get_if<protocol::ReleaseEntry>(&entry.what)) out.emplace_back(entry.n, *release);
  }
  return out;
}

Status HeadLedger::Finalize(uint64_t n, bool mined) {
  TT_RETURN_IF_ERROR(journal_.Append(Json::MakeObject({{"t", "final"}, {"n", n}, {"mined", mined}})));
  Drop(n, mined);
  return Ok{};
}

void HeadLedger::Drop(uint64_t n, bool mined) {
  auto found = std::find_if(entries_.begin(), entries_.end(), [&](auto& e) { return e.n == n; });
  if (found == entries_.end()) return;
  if (auto* batch = std::get_if<protocol::BatchEntry>(&found->what)) {
    auto in_batch = [&](const chain::Receipt& receipt) {
      return std::find(batch->leaves.begin(), batch->leaves.end(), receipt) != batch->leaves.end();
    };
    if (mined) {
      pending_.erase(std::remove_if(pending_.begin(), pending_.end(), in_batch), pending_.end());
    } else {
      dirty_ = true;
    }
  }
  entries_.erase(found);
}

std::vector<HeadLedger::OpenTab> HeadLedger::UnsettledTabs() const {
  std::vector<OpenTab> out;
  for (const auto& [key, state] : tabs_) {
    if (state.used > state.spent) out.push_back({key.user, key.epoch, state.used});
  }
  return out;
}

void HeadLedger::NoteSpent(const crypto::Address& user, uint32_t epoch, Wei spent) {
  tabs_[{user, epoch}].spent = spent;
}

std::vector<const OutboxEntry*> HeadLedger::Entries(uint64_t after, size_t most) const {
  std::vector<const OutboxEntry*> out;
  for (const OutboxEntry& entry : entries_) {
    if (entry.n > after && out.size() < most) out.push_back(&entry);
  }
  return out;
}

std::optional<Wei> HeadLedger::Used(const crypto::Address& user, uint32_t epoch) const {
  auto found = tabs_.find({user, epoch});
  if (found == tabs_.end()) return std::nullopt;
  return found->second.used;
}

// ---------------------------------------------------------------- journal

Json HeadLedger::EntryRecord(const OutboxEntry& entry) const {
  return Json::MakeObject({{"t", "entry"}, {"entry", entry.ToJson()}});
}

Status HeadLedger::Replay(const Json& record) {
  std::string kind = TT_TRY(record.GetString("t"));
  if (kind == "served") return ReplayServed(record);
  if (kind == "entry") return ReplayEntry(record);
  if (kind == "final") {
    Drop(TT_TRY(record.GetUint64("n")), TT_TRY(record.GetBool("mined")));
    return Ok{};
  }
  if (kind == "seq") {
    last_seq_ = std::max(last_seq_, TT_TRY(record.GetUint64("last")));
    next_n_ = std::max(next_n_, TT_TRY(record.GetUint64("next")));
    return Ok{};
  }
  if (kind == "work") {
    NoteWork(TT_TRY(protocol::WorkFromJson(*TT_TRY(record.GetObject("work")))));
    return Ok{};
  }
  if (kind == "tab") {
    chain::Charge charge = TT_TRY(protocol::ChargeFromJson(*TT_TRY(record.GetObject("charge"))));
    TabState& state = tabs_[{charge.user, charge.epoch}];
    state.used = charge.used;
    state.total = charge.total;
    state.voucher = charge.signature;
    state.released = TT_TRY(record.GetBool("released"));
    return Ok{};
  }
  if (kind == "pending") {
    pending_.push_back(TT_TRY(protocol::ReceiptFromJson(*TT_TRY(record.GetObject("receipt")))));
    return Ok{};
  }
  return Error(Code::kDataLoss, "a record of unknown kind");
}

Status HeadLedger::ReplayServed(const Json& record) {
  chain::Receipt receipt = TT_TRY(protocol::ReceiptFromJson(*TT_TRY(record.GetObject("receipt"))));
  if (const Json* charge_json = record.Find("charge")) {
    chain::Charge charge = TT_TRY(protocol::ChargeFromJson(*charge_json));
    TabState& state = tabs_[{charge.user, charge.epoch}];
    state.used = std::max(state.used, charge.used);
    if (charge.total >= state.total) {
      state.total = charge.total;
      state.voucher = charge.signature;
    }
  }
  for (const Json& work : TT_TRY(record.GetArray("work"))->as_array()) {
    NoteWork(TT_TRY(protocol::WorkFromJson(work)));
  }
  if (record.Find("entry")) return ReplayEntry(record);
  pending_.push_back(receipt);
  return Ok{};
}

Status HeadLedger::ReplayEntry(const Json& record) {
  OutboxEntry entry = TT_TRY(OutboxEntry::FromJson(*TT_TRY(record.GetObject("entry"))));
  next_n_ = std::max(next_n_, entry.n + 1);
  if (auto* batch = std::get_if<protocol::BatchEntry>(&entry.what)) {
    last_seq_ = std::max(last_seq_, batch->batch.seq);
  }
  if (auto* release = std::get_if<protocol::ReleaseEntry>(&entry.what)) {
    tabs_[{release->user, release->epoch}].released = true;
  }
  entries_.push_back(std::move(entry));
  return Ok{};
}

std::vector<Json> HeadLedger::Snapshot() const {
  std::vector<Json> out;
  out.push_back(Json::MakeObject({{"t", "seq"}, {"last", last_seq_}, {"next", next_n_}}));
  for (const auto& [key, s] : tabs_) {
    Json charge = protocol::ChargeJson({key.user, key.epoch, s.used, s.total, s.voucher});
    out.push_back(Json::MakeObject({{"t", "tab"}, {"charge", std::move(charge)}, {"released", s.released}}));
  }
  for (const auto& [slot_key, work] : work_) {
    out.push_back(Json::MakeObject({{"t", "work"}, {"work", protocol::WorkJson(work)}}));
  }
  for (const chain::Receipt& receipt : pending_) {
    out.push_back(Json::MakeObject({{"t", "pending"}, {"receipt", protocol::ReceiptJson(receipt)}}));
  }
  for (const OutboxEntry& entry : entries_) out.push_back(EntryRecord(entry));
  return out;
}

}  // namespace teetee::head
