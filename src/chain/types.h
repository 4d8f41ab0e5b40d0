// What the contracts and the signed messages are made of, with the names and meanings of
// contracts/src/interfaces/ILedger.sol and IRegistry.sol, which are the specification. Plain
// values.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "chain/wei.h"
#include "crypto/secp256k1.h"

namespace teetee::chain {

// EIP-2098.
struct CompactSignature {
  Hash32 r{};
  Hash32 vs{};
  bool operator==(const CompactSignature&) const = default;
};
inline CompactSignature Compact(const crypto::Signature& s) { return {s.r, s.vs()}; }

struct Slot {
  Hash32 weights{};    // hash of the shard's tensors
  uint32_t share = 0;  // of the revenue, > 0
  bool operator==(const Slot&) const = default;
};

struct Model {
  Hash32 manifest{};
  Address verifier{};
  uint64_t price_in = 0;   // wei per prompt token
  uint64_t price_out = 0;  // wei per generated token
  uint32_t timeout = 0;    // seconds
  uint32_t lease = 0;      // seconds
  std::vector<Slot> slots;
  bool operator==(const Model&) const = default;
};

// Strict mode: one question. Its id is its EIP-712 digest.
struct Query {
  Address user{};
  Hash32 model{};
  Address head{};
  Hash32 input{};
  Wei max_cost;
  uint64_t deadline = 0;  // seconds since 1970
  uint64_t nonce = 0;
  bool operator==(const Query&) const = default;
};

struct Receipt {
  Hash32 query{};
  Hash32 line{};
  Hash32 input{};
  Hash32 output{};
  uint32_t tokens_in = 0;
  uint32_t tokens_out = 0;
  Wei cost;
  Hash32 transcript{};
  bool operator==(const Receipt&) const = default;
};

// One key's share of one strict query, cumulative within it; the signature is over PartMessage.
struct Part {
  Address key{};
  uint8_t slot = 0;
  uint32_t tokens_in = 0;
  uint32_t tokens_out = 0;
  CompactSignature signature;
};

// Wei at full prices of all tab tokens that a key processed on a line; the signature is over
// WorkMessage.
struct Work {
  Address key{};
  uint8_t slot = 0;
  Wei total;
  CompactSignature signature;
};

// A user's voucher for `total`, and how much of it the head says is used; the signature is the
// Voucher's.
struct Charge {
  Address user{};
  uint32_t epoch = 0;
  Wei used;
  Wei total;
  CompactSignature signature;
};

struct Batch {
  uint64_t seq = 0;
  uint32_t count = 0;
  Hash32 root{};
  std::vector<Charge> charges;
  std::vector<Work> work;  // strictly ascending by (slot, key), never slot 0
};

// What is signed besides Query and Receipt.
struct PartMessage {
  Hash32 query{};
  uint8_t slot = 0;
  Address key{};
  uint32_t tokens_in = 0;
  uint32_t tokens_out = 0;
};
struct WorkMessage {
  Hash32 line{};
  uint8_t slot = 0;
  Address key{};
  Wei total;
};
struct Voucher {
  Address user{};
  Hash32 line{};
  uint32_t epoch = 0;
  Wei total;
};
struct Release {
  Address user{};
  Hash32 line{};
  uint32_t epoch = 0;
  Wei used;
};
struct BatchMessage {
  Hash32 line{};
  uint64_t seq = 0;
  uint32_t count = 0;
  Hash32 root{};
  Hash32 charges{};  // Keccak-256 of the charges' words
  Hash32 work{};
};
struct Access {  // off chain only
  Address host{};
  Hash32 model{};
  Hash32 session{};
  uint64_t expires = 0;  // seconds since 1970
};
struct Approval {  // an auditor's, in the domain of an allow-list verifier
  Hash32 manifest{};
  Hash32 report_data{};
  uint64_t expires = 0;  // last good second
};

// What the chain stores.
struct Tab {
  Wei funded;
  Wei spent;
  Address signer{};  // zero: there is no tab
  uint32_t epoch = 0;
  uint64_t close_at = 0;  // 0: nobody closes it
};
struct Account {
  Wei worked, used, owed;
};
struct Terms {
  uint64_t price_in = 0, price_out = 0;
  std::vector<uint32_t> up_to;  // prefix sums of the shares; empty: unknown model
};
struct ModelInfo {
  ByteArray<26> family{};
  uint32_t lease = 0;
  uint64_t price_in = 0, price_out = 0;
  uint32_t timeout = 0;
  Address verifier{};
  Hash32 manifest{};
};
struct NodeInfo {
  ByteArray<26> family{};
  uint64_t until = 0;  // seconds since 1970
  uint8_t slot = 0;
  Address host{};  // zero: unknown key
  Hash32 quote{};
  std::string url;
};

enum class Skip : uint8_t {
  kNone,
  kEpoch,
  kStale,
  kOverTotal,
  kOverFunded,
  kNoWork,
  kSignature,
  kNotAdmitted
};

}  // namespace teetee::chain
