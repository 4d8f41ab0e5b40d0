// The trees of receipts (docs/formats/typed-data.md): sorted pairs under Keccak-256; an odd one out is carried up.
import { compareBytes, concat, fromHexFixed, type Hash, toHash } from "./bytes";
import { keccak256 } from "./hashes";

export const maxMerkleProof = 64;

function hashPair(a: Hash, b: Hash): Hash {
  const [left, right] = [fromHexFixed(a, 32), fromHexFixed(b, 32)];
  return toHash(keccak256(compareBytes(left, right) < 0 ? concat(left, right) : concat(right, left)));
}

export function merkleVerify(proof: readonly Hash[], root: Hash, leaf: Hash): boolean {
  if (proof.length > maxMerkleProof) return false;
  return proof.reduce(hashPair, leaf) === root;
}

/** The root of at least one leaf. */
export function merkleRoot(leaves: readonly Hash[]): Hash | undefined {
  let level = leaves;
  while (level.length > 1) {
    const above: Hash[] = [];
    for (let i = 0; i < level.length; i += 2) {
      const [left, right] = level.slice(i, i + 2);
      if (left !== undefined) above.push(right === undefined ? left : hashPair(left, right));
    }
    level = above;
  }
  return level[0];
}
