// The head's books: what users of its line have used, which vouchers cover it, what stages have proved, which receipts wait for the chain, and
// the outbox of signed entries. Pure bookkeeping over a journal; the chain is asked elsewhere (settler.h). Amounts are wei.
// Invariant: for each tab, used + everything in flight <= min(voucher total, funded); `used` never falls.
// Source: docs/formats/http-api.md (outbox), typed-data.md. Threads: one io_context.
#pragma once

#include <deque>
#include <map>
#include <optional>

#include "chain/eip712.h"
#include "head/journal.h"
#include "protocol/outbox.h"
#include "protocol/payment.h"

namespace teetee::head {

struct LineFacts {
  uint64_t chain_id = 0;
  crypto::Address ledger{};
  Hash32 model{};
  Hash32 line{};
  uint64_t price_in = 0, price_out = 0;  // wei per token
};

// Money set aside for one request while it is served. Gives itself back when it is destroyed unused.
class Reservation;

// What was served, as it goes into the books.
struct Served {
  chain::Receipt receipt;
  chain::CompactSignature signature;        // the head's
  std::vector<chain::Work> work;            // tab mode
  std::vector<chain::Part> parts;           // strict mode
  std::optional<chain::Query> query;        // strict mode
};

class HeadLedger {
 public:
  static Result<std::unique_ptr<HeadLedger>> Open(const crypto::SigningKey& key, LineFacts facts, const std::string& journal_path);

  const LineFacts& facts() const { return facts_; }
  const chain::Domain& domain() const { return domain_; }

  // Checks a voucher against the tab as the chain has it and sets `most` aside. kPaymentRequired says what is missing; `*need`
  // is the voucher total that would do. kFailedPrecondition: the tab is closing or released.
  Result<std::unique_ptr<Reservation>> Reserve(const protocol::TabPayment& payment, const chain::Tab& tab, chain::Wei most,
                                               chain::Wei* need);

  // Books a served request: journalled before it returns. In tab mode the reservation's tab is charged receipt.cost.
  Status Book(const Served& served, Reservation* reservation);

  // Signs a release for a tab with nothing in flight and everything charged (tab.spent == used); the epoch is served no more.
  Result<protocol::ReleaseEntry> SignRelease(const crypto::Address& user, const chain::Tab& tab);

  // ---- towards the chain
  bool NeedsBatch() const;                       // receipts or charges that no outstanding batch holds
  Result<uint64_t> MakeBatch(uint64_t chain_last_seq);  // signs, journals, returns its n
  struct Outstanding {
    uint64_t n, seq;
    Hash32 root;
  };
  std::vector<Outstanding> OutstandingBatches() const;
  std::vector<std::pair<uint64_t, Hash32>> OutstandingQueries() const;  // (n, query id) of settle entries
  std::vector<std::pair<uint64_t, protocol::ReleaseEntry>> OutstandingReleases() const;
  Status Finalize(uint64_t n, bool mined);       // the chain has it for good, or never will
  struct OpenTab {
    crypto::Address user;
    uint32_t epoch;
    chain::Wei used;
  };
  std::vector<OpenTab> UnsettledTabs() const;    // used > spent as last noted
  void NoteSpent(const crypto::Address& user, uint32_t epoch, chain::Wei spent);
  void ChargeAgain();  // what the chain skipped goes into the next batch

  std::vector<const protocol::OutboxEntry*> Entries(uint64_t after, size_t most) const;
  size_t pending_receipts() const { return pending_.size(); }
  std::optional<chain::Wei> Used(const crypto::Address& user, uint32_t epoch) const;

 private:
  friend class Reservation;
  struct TabKey {
    crypto::Address user;
    uint32_t epoch;
    auto operator<=>(const TabKey&) const = default;
  };
  struct TabState {
    chain::Wei used, in_flight, spent;
    chain::Wei total;  // highest voucher
    chain::CompactSignature voucher;
    bool released = false;
  };
  HeadLedger(const crypto::SigningKey& key, LineFacts facts, Journal journal);
  Status Replay(const Json& record);
  Status ReplayServed(const Json& record);
  Status ReplayEntry(const Json& record);
  void Drop(uint64_t n, bool mined);
  void NoteWork(const chain::Work& work);
  std::vector<Json> Snapshot() const;
  Json EntryRecord(const protocol::OutboxEntry& entry) const;
  std::vector<chain::Charge> Charges() const;

  const crypto::SigningKey& key_;
  LineFacts facts_;
  chain::Domain domain_;
  Journal journal_;
  std::map<TabKey, TabState> tabs_;
  std::map<std::pair<uint8_t, crypto::Address>, chain::Work> work_;
  std::deque<chain::Receipt> pending_;  // not yet in a batch that is final
  std::deque<protocol::OutboxEntry> entries_;
  uint64_t next_n_ = 1;
  uint64_t last_seq_ = 0;
  bool dirty_ = false;  // something that no outstanding batch holds
};

class Reservation {
 public:
  ~Reservation();
  Reservation(const Reservation&) = delete;

 private:
  friend class HeadLedger;
  Reservation(HeadLedger& ledger, HeadLedger::TabKey tab, chain::Wei amount) : ledger_(ledger), tab_(tab), amount_(amount) {}
  HeadLedger& ledger_;
  HeadLedger::TabKey tab_;
  chain::Wei amount_;
};

}  // namespace teetee::head
