#include "crypto/merkle.h"

#include "base/check.h"
#include "crypto/keccak.h"

namespace teetee::crypto {
namespace {

Hash32 HashPair(const Hash32& a, const Hash32& b) {
  Keccak256Stream stream;
  if (a < b) {
    stream.Update(a).Update(b);
  } else {
    stream.Update(b).Update(a);
  }
  return stream.Finish();
}

}  // namespace

MerkleTree::MerkleTree(std::vector<Hash32> leaves) {
  levels_.push_back(std::move(leaves));
  while (levels_.back().size() > 1) {
    const std::vector<Hash32>& below = levels_.back();
    std::vector<Hash32> level;
    level.reserve((below.size() + 1) / 2);
    for (size_t i = 0; i + 1 < below.size(); i += 2)
      level.push_back(HashPair(below[i], below[i + 1]));
    if (below.size() % 2 == 1) level.push_back(below.back());
    levels_.push_back(std::move(level));
  }
}

Hash32 MerkleTree::root() const { return size() == 0 ? Hash32{} : levels_.back().front(); }

MerkleProof MerkleTree::Proof(size_t index) const {
  TT_CHECK(index < size());
  MerkleProof proof;
  for (const std::vector<Hash32>& level : levels_) {
    const size_t sibling = index ^ 1;
    if (sibling < level.size()) proof.push_back(level[sibling]);
    index /= 2;
  }
  return proof;
}

bool MerkleVerify(const MerkleProof& proof, const Hash32& root, const Hash32& leaf) {
  if (proof.size() > kMaxMerkleProof) return false;
  Hash32 hash = leaf;
  for (const Hash32& sibling : proof) hash = HashPair(hash, sibling);
  return hash == root;
}

}  // namespace teetee::crypto
