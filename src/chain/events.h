// What the contracts tell in logs, as values. Pure, thread-safe.
#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/bytes.h"
#include "base/json.h"
#include "base/result.h"
#include "chain/types.h"

namespace teetee::chain {

struct LogEntry {
  Address address{};
  std::vector<Hash32> topics;  // at most 4
  Bytes data;
  uint64_t block_number = 0;
  Hash32 block_hash{};
  Hash32 tx_hash{};
  uint64_t log_index = 0;  // within the block
};

// Names an event once and for ever, also over reorganisations: what handlers key on to be
// idempotent.
struct LogKey {
  Hash32 block_hash{};
  uint64_t log_index = 0;
  auto operator<=>(const LogKey&) const = default;
};
inline LogKey KeyOf(const LogEntry& log) { return {log.block_hash, log.log_index}; }

// Registry.
struct ModelAdded {
  Hash32 model;
  ByteArray<26> family;
  Model params;
};
struct NodeJoined {
  Address key, host;
  ByteArray<26> family;
  uint8_t slot = 0;
  Hash32 model, quote;
  std::string url;
  uint64_t until = 0;
};
struct NodeLeft {
  Address key;
};
struct UrlSet {
  Address key;
  std::string url;
};

// Ledger.
struct Bought {
  Address payer, user;
  Wei amount;
};
struct Withdrawn {
  Address user, to;
  Wei amount;
};
struct Opened {
  Hash32 query;
  Address user;
  Hash32 model;
  Query q;
};
struct Served {
  Hash32 query, line, receipt_hash;
  Receipt receipt;
};
struct Refunded {
  Hash32 query;
  Wei amount;
};
struct TabFunded {
  Address user;
  Hash32 line, model;
  Address head;
  Wei amount;
  Address signer;
  uint32_t epoch = 0;
};
struct TabClosing {
  Address user;
  Hash32 line;
  uint64_t close_at = 0;
};
struct TabClosed {
  Address user;
  Hash32 line;
  uint32_t epoch = 0;
  Wei rest;
};
struct Charged {
  Address user;
  Hash32 line;
  uint32_t epoch = 0;
  Wei spent;
};
struct ChargeSkipped {
  Address user;
  Hash32 line;
  Skip why = Skip::kNone;
};
struct WorkSkipped {
  Hash32 line;
  Address key;
  Skip why = Skip::kNone;
};
struct Batched {
  Hash32 line;
  uint64_t seq = 0;
  Hash32 root;
  uint32_t count = 0;
  Wei amount;
};
struct Earned {
  Hash32 line;
  Address key;
  Wei amount;
};
struct Collected {
  Hash32 line;
  Address key, host;
  Wei amount;
};

using Event = std::variant<ModelAdded, NodeJoined, NodeLeft, UrlSet, Bought, Withdrawn, Opened,
                           Served, Refunded, TabFunded, TabClosing, TabClosed, Charged,
                           ChargeSkipped, WorkSkipped, Batched, Earned, Collected>;

// Nothing for an event that is not ours; kInvalidArgument for one of ours that is malformed. The
// caller checks `log.address`.
Result<std::optional<Event>> DecodeEvent(const LogEntry& log);
std::string_view SkipText(Skip why);  // in plain words

// A log object of JSON-RPC. kInvalidArgument also for a log that is pending or removed.
Result<LogEntry> LogFromJson(const Json& json);

}  // namespace teetee::chain
