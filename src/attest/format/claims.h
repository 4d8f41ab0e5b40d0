// What a node says about itself: one canonical CBOR map (RFC 8949 section 4.2), bound into quotes
// through REPORTDATA. docs/formats/evidence.md section 2. Parsing gives fields and no trust: only a
// VerifiedPeer's claims were attested.
#pragma once

#include "base/bytes.h"

namespace teetee::attest {

inline constexpr size_t kMaxClaims = 1024;  // bytes

struct Claims {
  Hash32 tls_key_hash{};     // "pubkey-hash": SHA-256 of the TLS key's SubjectPublicKeyInfo
  ByteArray<32> hpke_key{};  // "hpke-key": X25519 public key to which clients seal
  ByteArray<20>
      signing_address{};     // "signer": address of the secp256k1 key that signs work and receipts
  Hash32 model{};            // "model": model id
  uint32_t slot = 0;         // "slot": which slot of the model, from 0
  Hash32 weights_root{};     // "weights": Merkle root of the slot's tensors
  uint64_t chain_id = 0;     // "chain-id"
  ByteArray<20> registry{};  // "registry": contract address
  ByteArray<20> host{};      // "host": address of the organisation that is paid
  ByteArray<16> boot_id{};   // "boot-id": random, fresh each start
  Hash32 policy_hash{};      // "policy": TrustFile::PolicyHash() of the file that the node enforces
  uint64_t block_number = 0;  // "block": a recent block, which proves that the claims are no older
  Hash32 block_hash{};        // "block-hash"
  uint64_t block_time = 0;    // "block-time": its timestamp, Unix seconds

  bool operator==(const Claims&) const = default;
};

Bytes EncodeClaims(const Claims& claims);
// Strict: canonical bytes only, every field, no other. Refusals name check claims.structure.
Result<Claims> DecodeClaims(ByteView cbor);

}  // namespace teetee::attest
