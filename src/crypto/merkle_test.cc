#include "crypto/merkle.h"

#include <gtest/gtest.h>

#include "crypto/keccak.h"

namespace teetee::crypto {
namespace {

std::vector<Hash32> Leaves(size_t n) {
  std::vector<Hash32> out;
  for (size_t i = 0; i < n; ++i) out.push_back(Keccak256(std::to_string(i)));
  return out;
}

TEST(Merkle, RefusesOtherLeafRootAndProof) {
  const std::vector<Hash32> leaves = Leaves(7);
  const MerkleTree tree(leaves);
  const MerkleProof proof = tree.Proof(2);
  EXPECT_FALSE(MerkleVerify(proof, tree.root(), leaves[3]));
  EXPECT_FALSE(MerkleVerify(proof, leaves[0], leaves[2]));
  for (size_t i = 0; i < proof.size(); ++i) {
    MerkleProof bad = proof;
    bad[i][31] ^= 1;
    EXPECT_FALSE(MerkleVerify(bad, tree.root(), leaves[2]));
  }
  EXPECT_FALSE(MerkleVerify({}, tree.root(), leaves[2]));
  EXPECT_FALSE(MerkleVerify(MerkleProof(65), tree.root(), leaves[2]));
}

TEST(Merkle, EveryLeafOfEverySizeProves) {
  for (size_t n = 1; n <= 33; ++n) {
    const std::vector<Hash32> leaves = Leaves(n);
    const MerkleTree tree(leaves);
    for (size_t i = 0; i < n; ++i) EXPECT_TRUE(MerkleVerify(tree.Proof(i), tree.root(), leaves[i]));
  }
}

TEST(Merkle, ShapeIsFixed) {
  const std::vector<Hash32> l = Leaves(3);
  EXPECT_EQ(MerkleTree({l[0]}).root(), l[0]);
  EXPECT_EQ(MerkleTree({}).root(), Hash32{});
  EXPECT_EQ(MerkleTree({l[0], l[1]}).root(), MerkleTree({l[1], l[0]}).root());  // pairs are sorted
  // Three leaves: the third is carried up and paired with the parent of the first two.
  EXPECT_EQ(MerkleTree(l).root(), MerkleTree({MerkleTree({l[0], l[1]}).root(), l[2]}).root());
  EXPECT_EQ(MerkleTree(l).Proof(2).size(), 1u);
}

}  // namespace
}  // namespace teetee::crypto
