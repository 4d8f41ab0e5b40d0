// What a head has for the chain, as it is handed to relays. Source: docs/formats/http-api.md. Public by nature: it will stand on chain.
#pragma once

#include <variant>
#include <vector>

#include "base/json.h"
#include "chain/types.h"

namespace teetee::protocol {

struct BatchEntry {
  Hash32 model{};
  crypto::Address head{};
  chain::Batch batch;
  chain::CompactSignature signature;      // the head's, of BatchMessage
  std::vector<chain::Receipt> leaves;     // in the order of the Merkle tree
};
struct SettleEntry {
  chain::Query query;
  chain::Receipt receipt;
  std::vector<chain::Part> parts;
  chain::CompactSignature signature;  // the head's, of Receipt
};
struct ReleaseEntry {
  crypto::Address user{};
  Hash32 model{};
  crypto::Address head{};
  uint32_t epoch = 0;
  chain::Wei used;
  chain::CompactSignature signature;
};

struct OutboxEntry {
  uint64_t n = 0;  // rises
  std::variant<BatchEntry, SettleEntry, ReleaseEntry> what;

  Json ToJson() const;
  // Strict and bounded; leaves must hash to the root and count to `count`.
  static Result<OutboxEntry> FromJson(const Json& json);
};

inline constexpr size_t kMaxBatchLeaves = 4096;
inline constexpr size_t kMaxCharges = 500;

}  // namespace teetee::protocol
