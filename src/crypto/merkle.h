// Merkle tree over Keccak-256 with sorted pairs, as OpenZeppelin's MerkleProof checks it: a parent
// is the hash of the smaller child and then the larger one, so a proof needs no positions. A node
// without a sibling is carried up unchanged. Leaves must be hashes of something that is not 64
// bytes long, else an inner node would pass for a leaf.
#pragma once

#include <vector>

#include "base/bytes.h"

namespace teetee::crypto {

using MerkleProof = std::vector<Hash32>;  // siblings, from the leaf's up
inline constexpr size_t kMaxMerkleProof = 64;

class MerkleTree {
 public:
  explicit MerkleTree(std::vector<Hash32> leaves);  // in their order; may be empty

  Hash32 root() const;  // 32 zero bytes for no leaves
  size_t size() const { return levels_.front().size(); }
  MerkleProof Proof(size_t index) const;  // REQUIRES: index < size()

 private:
  std::vector<std::vector<Hash32>> levels_;  // levels_[0] the leaves, the last one the root
};

// False also for a proof longer than kMaxMerkleProof.
bool MerkleVerify(const MerkleProof& proof, const Hash32& root, const Hash32& leaf);

}  // namespace teetee::crypto
