// Keeps the head's books and the chain together: makes batches when there is something to settle, notices what was mined, repeats what was
// not. It only reads the chain; relays send (docs/formats/http-api.md). Threads: one io_context.
#pragma once

#include <map>

#include "chain/rpc.h"
#include "head/ledger.h"
#include "net/async.h"

namespace teetee::head {

struct SettlerSettings {
  net::Millis interval{1000};
  net::Millis resend_after{5000};     // an unmined batch is replaced when there is more to say
  net::Millis final_after{12'000};    // seen on chain for so long: a short fork can no longer undo it
  net::Millis recharge_after{15'000}; // what the chain skipped is tried again
};

class Settler {
 public:
  Settler(HeadLedger& ledger, chain::Rpc& rpc, crypto::Address ledger_contract, SettlerSettings settings = {});

  net::Task<void> Run();  // until cancelled
  net::Task<Status> Step();
  bool chain_reachable() const { return reachable_; }

 private:
  using Time = net::SteadyClock::time_point;
  net::Task<Result<uint64_t>> ReadBatches();
  net::Task<Status> ReadTabs();
  net::Task<Status> ReadQueries();
  net::Task<Status> ReadReleases();
  Status MakeBatchIfDue(uint64_t last_seq);
  // True when entry n has been seen as done for final_after without a break.
  bool Settled(uint64_t n, bool done);

  HeadLedger& ledger_;
  chain::Rpc& rpc_;
  crypto::Address contract_;
  SettlerSettings settings_;
  std::map<uint64_t, Time> done_since_;
  Time last_batch_{};
  bool reachable_ = true;
};

}  // namespace teetee::head
