// Keeps the store and the directory in step with the chain: follows the Registry's and the Ledger's
// events from the stored cursor, undoes what was replaced, and notes how far behind it is. Threads:
// one io_context.
#pragma once

#include <memory>
#include <string>

#include "chain/follower.h"
#include "gateway/directory.h"
#include "gateway/store.h"

namespace teetee::gateway {

struct ChainSettings {
  StoreIdentity identity;
  uint64_t from_block = 0;  // where the contracts were deployed
  std::string cursor_path;
  net::Millis poll{1000};
};

class ChainWatch {
 public:
  // Replays the stored events. All references outlive it.
  static Result<std::unique_ptr<ChainWatch>> Open(chain::Rpc& rpc, Store& store,
                                                  Directory& directory, ChainSettings settings);

  net::Task<void> Run();     // until cancelled
  net::Task<Status> Step();  // one round: all ranges up to the newest block

  bool reachable() const { return reachable_; }
  bool caught_up() const { return caught_up_; }      // once at least
  uint64_t block() const { return through_block_; }  // all events up to and with it are in
  uint64_t lag() const {
    return newest_block_ > through_block_ ? newest_block_ - through_block_ : 0;
  }                                          // blocks
  uint64_t undos() const { return undos_; }  // how often blocks were replaced

 private:
  ChainWatch(chain::Rpc& rpc, Store& store, Directory& directory, ChainSettings settings,
             chain::Follower follower);
  Status Rebuild();  // the directory, from the store
  net::Task<Status> CheckChain();
  Status Take(const chain::FollowBatch& batch);
  Status CommitNowAndThen();
  net::Task<void> ReadBlockTimes();

  chain::Rpc& rpc_;
  Store& store_;
  Directory& directory_;
  ChainSettings settings_;
  chain::Follower follower_;
  bool checked_ = false;
  bool times_due_ = true;  // blocks whose time is not known
  bool reachable_ = false;
  bool caught_up_ = false;
  uint64_t through_block_ = 0, newest_block_ = 0, committed_block_ = 0, undos_ = 0;
};

}  // namespace teetee::gateway
