// Follows the contracts' events by polling ranges of blocks from a stored cursor, and steps back
// when blocks are replaced. Delivery is at least once: a handler keys on LogKey, stores what it
// learnt, and then commits. One task at a time.
#pragma once

#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "chain/rpc.h"
#include "net/async.h"

namespace teetee::chain {

struct FollowerOptions {
  std::vector<Address> addresses;
  std::vector<Hash32> topic0;  // empty: all events of the addresses
  uint64_t start_block = 0;    // where the contracts were deployed
  uint64_t confirmations = 1;  // 1: the newest block counts
  uint64_t max_range = 2'000;  // blocks asked for at once; halved when a node refuses
  std::string cursor_path;     // empty: nothing is stored
};

struct FollowBatch {
  // Events of blocks above this number are void and must be undone, before `logs` are taken in:
  // blocks were replaced.
  std::optional<uint64_t> undo_above;
  std::vector<LogEntry> logs;  // in order of (block, index), none twice
  uint64_t through_block = 0;  // all logs up to and with it have been delivered
  bool caught_up = false;      // nothing more to fetch now
};

class Follower {
 public:
  // Reads the cursor file if there is one: kDataLoss if it is damaged.
  static Result<Follower> Open(Rpc* rpc, FollowerOptions options);

  // The next range. An error changes nothing; call again. Without Commit() the same range comes
  // again after a restart.
  net::Task<Result<FollowBatch>> Poll();
  // Stores the cursor: everything that Poll() returned is dealt with. Blocks on the disk for a
  // moment.
  Status Commit();

 private:
  struct Point {
    uint64_t number;
    Hash32 hash;
  };
  Follower(Rpc* rpc, FollowerOptions options)
      : rpc_(rpc), options_(std::move(options)), range_(options_.max_range) {}
  Status Load(ByteView content);
  uint64_t next_block() const {
    return points_.empty() ? options_.start_block : points_.back().number + 1;
  }
  net::Task<Result<std::optional<uint64_t>>> StepBack();
  net::Task<Result<FollowBatch>> Fetch(uint64_t head);

  Rpc* rpc_;  // outlives this
  FollowerOptions options_;
  std::deque<Point> points_;  // ends of the newest ranges, ascending
  uint64_t range_;
};

}  // namespace teetee::chain
