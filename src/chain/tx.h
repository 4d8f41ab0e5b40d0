// EIP-1559 transactions (type 2), without access list. Pure, thread-safe.
#pragma once

#include <optional>

#include "base/bytes.h"
#include "base/result.h"
#include "chain/wei.h"
#include "crypto/secp256k1.h"

namespace teetee::chain {

struct Tx {
  uint64_t chain_id = 0;
  uint64_t nonce = 0;
  Wei max_priority_fee;  // per gas
  Wei max_fee;           // per gas
  uint64_t gas = 0;
  std::optional<Address> to;  // nothing: creates a contract
  Wei value;
  Bytes data;
  bool operator==(const Tx&) const = default;
};

struct SignedTx {
  Hash32 hash{};  // by which the chain knows it
  Bytes raw;      // for eth_sendRawTransaction
};

Hash32 TxSigningHash(const Tx& tx);
SignedTx SignTx(const Tx& tx, const crypto::SigningKey& key);

struct DecodedTx {
  Tx tx;
  Address from{};
  Hash32 hash{};
};
// Reads back what SignTx wrote; strict. kInvalidArgument: malformed. kUnauthenticated: no key fits
// the signature.
Result<DecodedTx> DecodeSignedTx(ByteView raw);

}  // namespace teetee::chain
