// Puts what heads have signed on chain: polls the outbox of each head that answers, stores what it
// finds, and sends it with the gas key. An entry is tried with eth_call before it is sent; what
// would revert is kept and tried again later, since blocks may be replaced. It is forgotten when
// its head, which asks the chain itself, no longer lists it. Of a line only the newest batch is
// sent, one at a time: it holds all that older ones had. Hostile heads cost no more than a bounded
// answer now and then. Threads: one io_context.
#pragma once

#include <map>
#include <set>

#include "chain/sender.h"
#include "gateway/chain_watch.h"
#include "gateway/outbox.h"
#include "net/http_client.h"

namespace teetee::gateway {

struct RelaySettings {
  StoreIdentity identity;
  net::Millis interval{1000};  // of polling and of sending
  net::Millis poll_timeout{5000};
  net::Millis full_every{30'000};   // the whole outbox again, which also tells what is gone
  net::Millis retry{10'000};        // an entry that would revert, or was sent
  net::Millis max_backoff{60'000};  // for a head whose answers are no good
  size_t max_tries = 32;            // eth_calls of one round
  size_t max_in_flight = 16;        // transactions
  size_t max_entries_per_head = 1024;
  size_t max_pages = 64;  // of one poll
  net::AddressRule may_dial = nullptr;  // heads; none: any address
};

struct RelayCounters {
  uint64_t polls = 0, poll_failures = 0;
  uint64_t entries = 0, entries_refused = 0, receipts = 0;
  uint64_t sent = 0, mined = 0, reverted = 0, withheld = 0;  // withheld: would have reverted
};

class Relay {
 public:
  // Everything referred to outlives it.
  static Result<std::unique_ptr<Relay>> Open(const net::Executor& executor, chain::Rpc& rpc,
                                             chain::Sender& sender, Store& store,
                                             Directory& directory, const ChainWatch& watch,
                                             RelaySettings settings);

  net::Task<void> Run();   // until cancelled; the Sender runs elsewhere
  net::Task<void> Stop();  // cancels polls and waits for them
  void StartPolls();       // one round
  net::Task<void> SendRound();

  const RelayCounters& counters() const { return counters_; }
  size_t queue() const {
    return waiting_;
  }                          // entries that the chain did not have when the last round began
  size_t in_flight() const;  // of these, sent
  chain::Wei gas_balance() const { return gas_balance_; }
  const Address& gas_address() const { return sender_.address(); }

 private:
  using Time = net::SteadyClock::time_point;
  using Key = std::pair<Address, uint64_t>;  // head, n
  struct Pending {
    QueueItem item;
    Time next_try{};
    std::string why;                 // it is not sent
    std::optional<uint64_t> intent;  // at the Sender
  };
  struct HeadPoll {
    bool polling = false;
    bool listing = true;  // reading the whole outbox
    uint64_t after = 0;
    std::set<uint64_t> seen;  // while listing
    Time next_full{}, next_poll{};
    uint64_t undos = 0;
    size_t limit = 4;  // entries of a page
    net::Millis backoff{0};
    std::string last_error;
  };

  Relay(const net::Executor& executor, chain::Rpc& rpc, chain::Sender& sender, Store& store,
        Directory& directory, const ChainWatch& watch, RelaySettings settings);
  net::Task<void> Poll(NodeRecord node);
  net::Task<Status> ReadOutbox(NodeRecord node);
  net::Task<Result<OutboxPage>> ReadPage(std::string base, Address head);
  Status TakePage(const Address& head, OutboxPage page);
  Status TakeEntry(AcceptedEntry entry);
  Status EndListing(const Address& head);
  void DropOldBatches(const Hash32& line);
  net::Task<void> CollectOutcomes();
  Result<std::vector<Key>> Due() const;
  Result<size_t> CountWaiting() const;
  net::Task<Status> TrySend(Key key);
  net::Task<void> ReadGasBalance();

  chain::Rpc& rpc_;
  chain::Sender& sender_;
  Store& store_;
  Directory& directory_;
  const ChainWatch& watch_;
  RelaySettings settings_;
  chain::Domain domain_;
  net::HttpClient http_;
  net::TaskGroup polls_;
  std::map<Key, Pending> queue_;
  std::map<Address, HeadPoll> heads_;
  RelayCounters counters_;
  size_t waiting_ = 0;
  bool drained_ = false;  // what the Sender's journal held from an earlier run is done
  chain::Wei gas_balance_;
  Time next_balance_{};
  bool gas_is_low_ = false;
};

}  // namespace teetee::gateway
