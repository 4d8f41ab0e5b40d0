// Names that are hashes: models, families, lines, tab-mode queries, and what a quote must say to
// join. Pure, thread-safe.
#pragma once

#include "base/bytes.h"
#include "base/result.h"
#include "chain/types.h"

namespace teetee::chain {

inline constexpr size_t kMaxSlots = 64;
using Family = ByteArray<26>;

// The ranges that Registry.addModel accepts: kInvalidArgument names the first that does not hold.
Status CheckModel(const Model& model);
Bytes EncodeModel(const Model& model);  // abi.encode(model)
Hash32 ModelId(const Model& model);     // keccak256 of it
Family FamilyOf(
    const Model& model);  // bytes26(keccak256(abi.encode(verifier, manifest, lease, weights[])))

Hash32 LineOf(const Hash32& model, const Address& head);  // keccak256(abi.encode(model, head))
// Receipt.query in tab mode: keccak256(abi.encode(line, request id)); 16 bytes are right-aligned.
Hash32 TabQueryId(const Hash32& line, const Hash32& request_id);
Hash32 TabQueryId(const Hash32& line, const ByteArray<16>& request_id);

// First 32 bytes of the report data of a quote that Registry.join accepts:
// keccak256(abi.encode(chain id, registry, host, key, weights, block hash)).
struct JoinClaim {
  uint64_t chain_id = 0;
  Address registry{};
  Address host{};
  Address key{};
  Hash32 weights{};
  Hash32 block_hash{};
};
Hash32 JoinReportData(const JoinClaim& claim);

}  // namespace teetee::chain
