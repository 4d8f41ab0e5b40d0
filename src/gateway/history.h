// What the gateway saw over time, in a SQLite file of its own: how much each node was used, how fast relayed answers were, which
// evidence nodes showed. Nothing here can be rebuilt, and nothing is believed: pages label it "seen by the gateway". Points of a
// minute, a quarter of an hour and six hours are kept for two hours, two days and forty days. Threads: one. Errors as of Store.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "crypto/secp256k1.h"

namespace teetee::gateway {

using crypto::Address;

// A node's own counters since it started.
struct NodeCounters {
  uint64_t started = 0;  // unix seconds
  uint64_t requests = 0, tokens_in = 0, tokens_out = 0;
  double busy_seconds = 0;
  bool operator==(const NodeCounters&) const = default;
};
// What was added between two samples: all of `now` when the node was started anew in between. Counters that ran backwards without
// that are another's doing, and count as a start.
NodeCounters Added(const NodeCounters& before, const NodeCounters& now);

// One relayed answer, as it passed. `ttft_ms`: from the request's arrival here to the first sealed chunk. `chunks_per_second`: chunks
// after the first by the time between first and last; 0 where there were too few. A chunk of a streamed answer holds about one token.
struct AnswerSpeed {
  double ttft_ms = 0;
  double chunks_per_second = 0;
};

enum class Range : uint8_t { kHour, kDay, kMonth };
struct RangeShape {
  uint64_t step = 0, points = 0;  // seconds, count
};
RangeShape ShapeOf(Range range);

struct UsagePoint {
  uint64_t t = 0;  // begin, unix seconds
  NodeCounters used;
  uint64_t probes = 0;
  double up = 0;         // share of them that were answered
  uint64_t answers = 0;  // relayed, of a head
  double ttft_ms = 0, tokens_per_second = 0;
};

struct ModelSpeed {
  double tokens_per_second = 0, ttft_ms = 0;
  uint64_t samples = 0, since = 0;
};

struct EvidenceNote {
  Address key{};
  uint64_t at = 0;  // unix seconds, first seen
  Hash32 sha256{};  // of the answer's bytes
  std::string evidence_class;
};

class History {
 public:
  static Result<std::unique_ptr<History>> Open(const std::string& path);
  ~History();

  // One probe; none: the node did not answer. Kept in memory until Flush.
  void NoteProbe(const Address& key, std::optional<NodeCounters> counters, uint64_t now);
  void NoteAnswer(const Address& head, const Hash32& model, const AnswerSpeed& speed, uint64_t now);
  // Writes what was noted and drops what is too old.
  Status Flush(uint64_t now);

  // All points of the range up to now, oldest first, zeros where nothing happened.
  Result<std::vector<UsagePoint>> Usage(const Address& key, Range range, uint64_t now) const;
  // Of the last day; nothing without an answer.
  Result<std::optional<ModelSpeed>> SpeedOf(const Hash32& model, uint64_t now) const;

  // The answer of /v1/teetee/evidence. The same bytes again are no news; the newest kMaxEvidence of a node are kept.
  Status NoteEvidence(const Address& key, std::string_view evidence_class, std::string_view answer, uint64_t now);
  Result<std::vector<EvidenceNote>> EvidenceOf(const Address& key) const;  // newest first
  Result<std::vector<EvidenceNote>> NewestEvidence(size_t most) const;
  Result<std::optional<std::string>> EvidenceAnswer(const Address& key, const Hash32& sha256) const;

  static constexpr size_t kMaxEvidence = 100;

 private:
  struct Impl;
  explicit History(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace teetee::gateway
