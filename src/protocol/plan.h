// The plan of one request: which nodes may serve each slot, chosen and verified by the client. Source: docs/formats/sealed-request.md.
#pragma once

#include <vector>

#include "base/json.h"
#include "crypto/secp256k1.h"

namespace teetee::protocol {

inline constexpr size_t kMaxPlanNodes = 256;
inline constexpr uint32_t kMaxSlots = 64;

struct PlanNode {
  uint32_t slot = 0;
  crypto::Address key{};  // signing key, as attested
  std::string channel;    // "host:port", a hint
  ByteArray<16> boot{};   // boot id that the client verified: a restarted node is verified anew before it computes
  bool operator==(const PlanNode&) const = default;
};

struct Plan {
  Hash32 model{};
  std::vector<PlanNode> nodes;  // ascending (slot, key); slots 0..n-1 all present
  Hash32 policy{};              // hash of the client's trust file

  // kInvalidArgument unless ordered, complete, bounded, and slot 0 has exactly one node.
  static Result<Plan> FromJson(const Json& json);
  Json ToJson() const;
  Hash32 Hash() const;  // SHA-256 of the canonical JSON

  uint32_t slots() const { return nodes.empty() ? 0 : nodes.back().slot + 1; }
  const PlanNode& head() const { return nodes.front(); }
  bool Permits(uint32_t slot, const crypto::Address& key) const;
  // The first node of a slot. REQUIRES slot < slots().
  const PlanNode& First(uint32_t slot) const;
  bool operator==(const Plan&) const = default;
};

}  // namespace teetee::protocol
