// What TeeTee signs and hashes, in viem's terms. docs/formats/typed-data.md is the specification; make_vectors.mjs and
// the end-to-end test both use this file, so the vectors are what the contracts accept.
import {
  concat,
  encodeAbiParameters,
  encodePacked,
  hashTypedData,
  keccak256,
  pad,
  parseAbiParameters,
  parseSignature,
  signatureToCompactSignature,
  slice,
  toHex,
} from 'viem';
import { privateKeyToAccount } from 'viem/accounts';

// type string → [{ name, type }], as EIP-712 libraries want it
const fieldsOf = (typeString) =>
  typeString
    .slice(typeString.indexOf('(') + 1, -1)
    .split(',')
    .map((field) => ({ type: field.split(' ')[0], name: field.split(' ')[1] }));

export const TYPE_STRINGS = {
  Query:
    'Query(address user,bytes32 model,address head,bytes32 input,uint128 maxCost,uint64 deadline,uint64 nonce)',
  Receipt:
    'Receipt(bytes32 query,bytes32 line,bytes32 input,bytes32 output,uint32 tokensIn,uint32 tokensOut,uint128 cost,bytes32 transcript)',
  Part: 'Part(bytes32 query,uint8 slot,address key,uint32 tokensIn,uint32 tokensOut)',
  Work: 'Work(bytes32 line,uint8 slot,address key,uint128 total)',
  Voucher: 'Voucher(address user,bytes32 line,uint32 epoch,uint128 total)',
  Release: 'Release(address user,bytes32 line,uint32 epoch,uint128 used)',
  Batch: 'Batch(bytes32 line,uint64 seq,uint32 count,bytes32 root,bytes32 charges,bytes32 work)',
  Access: 'Access(address host,bytes32 model,bytes32 session,uint64 expires)',
  Approval: 'Approval(bytes32 manifest,bytes32 reportData,uint64 expires)',
};

export const TYPES = Object.fromEntries(
  Object.entries(TYPE_STRINGS).map(([name, typeString]) => [name, fieldsOf(typeString)]),
);

export const ledgerDomain = (chainId, ledger) => ({
  name: 'TeeTee',
  version: '1',
  chainId,
  verifyingContract: ledger,
});

export const allowlistDomain = (chainId, verifier) => ({
  name: 'TeeTee Allowlist',
  version: '1',
  chainId,
  verifyingContract: verifier,
});

// ---------------------------------------------------------------- EIP-712

export const typeHash = (primaryType) => keccak256(toHex(TYPE_STRINGS[primaryType]));

export function structHash(primaryType, message) {
  const fields = TYPES[primaryType];
  return keccak256(
    encodeAbiParameters(
      [{ type: 'bytes32' }, ...fields],
      [typeHash(primaryType), ...fields.map(({ name }) => message[name])],
    ),
  );
}

export const digest = (domain, primaryType, message) =>
  hashTypedData({ domain, types: { [primaryType]: TYPES[primaryType] }, primaryType, message });

export function domainSeparator(domain) {
  const typeString = 'EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)';
  return keccak256(
    encodeAbiParameters(parseAbiParameters('bytes32, bytes32, bytes32, uint256, address'), [
      keccak256(toHex(typeString)),
      keccak256(toHex(domain.name)),
      keccak256(toHex(domain.version)),
      BigInt(domain.chainId),
      domain.verifyingContract,
    ]),
  );
}

/** Signs in the compact form of EIP-2098. */
export async function sign(privateKey, domain, primaryType, message) {
  const signature = await privateKeyToAccount(privateKey).signTypedData({
    domain,
    types: { [primaryType]: TYPES[primaryType] },
    primaryType,
    message,
  });
  const { r, yParityAndS } = signatureToCompactSignature(parseSignature(signature));
  return { r, vs: yParityAndS };
}

// ---------------------------------------------------------------- ids

const SLOT = '(bytes32 weights, uint32 share)[] slots';
const MODEL = `(bytes32 manifest, address verifier, uint64 priceIn, uint64 priceOut, uint32 timeout, uint32 lease, ${SLOT}) m`;

export const modelId = (model) => keccak256(encodeAbiParameters(parseAbiParameters(MODEL), [model]));

export const familyOf = (model) =>
  slice(
    keccak256(
      encodeAbiParameters(parseAbiParameters('address, bytes32, uint32, bytes32[]'), [
        model.verifier,
        model.manifest,
        model.lease,
        model.slots.map((slot) => slot.weights),
      ]),
    ),
    0,
    26,
  );

export const lineOf = (model, head) =>
  keccak256(encodeAbiParameters(parseAbiParameters('bytes32, address'), [model, head]));

/** The `query` of a receipt in tab mode. */
export const tabQueryId = (line, requestId) =>
  keccak256(encodeAbiParameters(parseAbiParameters('bytes32, bytes32'), [line, requestId]));

export const joinReportData = ({ chainId, registry, host, key, weights, blockHash }) =>
  keccak256(
    encodeAbiParameters(parseAbiParameters('uint256, address, address, address, bytes32, bytes32'), [
      BigInt(chainId),
      registry,
      host,
      key,
      weights,
      blockHash,
    ]),
  );

/** The `quote` argument for AllowlistVerifier; signatures in strictly ascending order of the auditors' addresses. */
export const allowlistQuote = (reportData, expires, signatures) =>
  encodeAbiParameters(parseAbiParameters('bytes32, uint64, bytes32[2][]'), [
    reportData,
    expires,
    signatures.map(({ r, vs }) => [r, vs]),
  ]);

// ---------------------------------------------------------------- batches

const words = (...values) =>
  concat(values.map((value) => pad(typeof value === 'string' ? value : toHex(value), { size: 32 })));

const hashEntries = (entries) => keccak256(entries.length ? concat(entries) : '0x');

export const hashCharges = (charges) =>
  hashEntries(charges.map((c) => words(c.user, c.epoch, c.used, c.total, c.r, c.vs)));

export const hashWork = (work) => hashEntries(work.map((w) => words(w.key, w.slot, w.total, w.r, w.vs)));

/** What the head signs for a batch. */
export const batchMessage = (line, batch) => ({
  line,
  seq: batch.seq,
  count: batch.count,
  root: batch.root,
  charges: hashCharges(batch.charges),
  work: hashWork(batch.work),
});

/** Ascending by (slot, key), as parts and work must stand. */
export const inOrder = (entries) =>
  [...entries].sort((a, b) => a.slot - b.slot || (BigInt(a.key) < BigInt(b.key) ? -1 : 1));

// ---------------------------------------------------------------- Merkle trees

const hashPair = (a, b) =>
  keccak256(encodePacked(['bytes32', 'bytes32'], BigInt(a) < BigInt(b) ? [a, b] : [b, a]));

/** Neighbours are hashed as a sorted pair; an odd node at the end is carried up as it is. */
export function merkleLevels(leaves) {
  const levels = [leaves];
  while (levels.at(-1).length > 1) {
    const below = levels.at(-1);
    const level = [];
    for (let i = 0; i < below.length; i += 2) {
      level.push(i + 1 < below.length ? hashPair(below[i], below[i + 1]) : below[i]);
    }
    levels.push(level);
  }
  return levels;
}

export const merkleRoot = (leaves) => merkleLevels(leaves).at(-1)[0];

export function merkleProof(leaves, index) {
  const proof = [];
  for (const level of merkleLevels(leaves).slice(0, -1)) {
    const sibling = index ^ 1;
    if (sibling < level.length) proof.push(level[sibling]);
    index >>= 1;
  }
  return proof;
}
