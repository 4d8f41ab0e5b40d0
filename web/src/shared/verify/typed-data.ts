// What the contracts and the signed messages are made of: docs/formats/typed-data.md. A digest (EIP-712) binds a message
// to one kind of message, one chain and one contract; ids are hashes of ABI words. Pure.
import { type Address, concat, fromHexFixed, type Hash, toHash, utf8, type Wei } from "./bytes";
import { keccak256 } from "./hashes";
import { Malformed } from "./refusal";

const typeStrings = {
  Query: "address user,bytes32 model,address head,bytes32 input,uint128 maxCost,uint64 deadline,uint64 nonce",
  Receipt:
    "bytes32 query,bytes32 line,bytes32 input,bytes32 output,uint32 tokensIn,uint32 tokensOut,uint128 cost,bytes32 transcript",
  Part: "bytes32 query,uint8 slot,address key,uint32 tokensIn,uint32 tokensOut",
  Work: "bytes32 line,uint8 slot,address key,uint128 total",
  Voucher: "address user,bytes32 line,uint32 epoch,uint128 total",
  Release: "address user,bytes32 line,uint32 epoch,uint128 used",
  Batch: "bytes32 line,uint64 seq,uint32 count,bytes32 root,bytes32 charges,bytes32 work",
  Access: "address host,bytes32 model,bytes32 session,uint64 expires",
  Approval: "bytes32 manifest,bytes32 reportData,uint64 expires",
} as const;

export interface Query {
  readonly user: Address;
  readonly model: Hash;
  readonly head: Address;
  readonly input: Hash;
  readonly maxCost: Wei;
  /** last second in which it cannot be refunded */
  readonly deadline: bigint;
  readonly nonce: bigint;
}
export interface Receipt {
  readonly query: Hash;
  readonly line: Hash;
  readonly input: Hash;
  readonly output: Hash;
  readonly tokensIn: number;
  readonly tokensOut: number;
  readonly cost: Wei;
  readonly transcript: Hash;
}
export interface Part {
  readonly query: Hash;
  readonly slot: number;
  readonly key: Address;
  readonly tokensIn: number;
  readonly tokensOut: number;
}
export interface Work {
  readonly line: Hash;
  readonly slot: number;
  readonly key: Address;
  readonly total: Wei;
}
export interface Voucher {
  readonly user: Address;
  readonly line: Hash;
  readonly epoch: number;
  readonly total: Wei;
}
export interface Release {
  readonly user: Address;
  readonly line: Hash;
  readonly epoch: number;
  readonly used: Wei;
}
export interface Batch {
  readonly line: Hash;
  readonly seq: bigint;
  readonly count: number;
  readonly root: Hash;
  readonly charges: Hash;
  readonly work: Hash;
}
export interface Access {
  readonly host: Address;
  readonly model: Hash;
  readonly session: Hash;
  readonly expires: bigint;
}
export interface Approval {
  readonly manifest: Hash;
  readonly reportData: Hash;
  readonly expires: bigint;
}
export interface Messages {
  Query: Query;
  Receipt: Receipt;
  Part: Part;
  Work: Work;
  Voucher: Voucher;
  Release: Release;
  Batch: Batch;
  Access: Access;
  Approval: Approval;
}
export type MessageType = keyof Messages;

export function uintWord(value: bigint | number, bits = 256): Uint8Array {
  const number = BigInt(value);
  if (number < 0n || number >= 1n << BigInt(bits)) throw new Malformed(`a number does not fit ${bits} bits`);
  return fromHexFixed(number.toString(16).padStart(64, "0"), 32);
}

export function addressWord(address: Address): Uint8Array {
  return concat(new Uint8Array(12), fromHexFixed(address, 20));
}

export function hashWord(hash: Hash): Uint8Array {
  return fromHexFixed(hash, 32);
}

function word(type: string, value: unknown): Uint8Array {
  if (type === "address") return addressWord(value as Address);
  if (type === "bytes32") return hashWord(value as Hash);
  return uintWord(value as bigint | number, Number(type.slice(4)));
}

interface Field {
  readonly type: string;
  readonly name: string;
}

interface Struct {
  readonly typeHash: Uint8Array;
  readonly fields: readonly Field[];
}

function makeStruct(name: string, text: string): Struct {
  const fields = text.split(",").map((field) => {
    const [type = "", fieldName = ""] = field.split(" ");
    return { type, name: fieldName };
  });
  return { typeHash: keccak256(utf8(`${name}(${text})`)), fields };
}

const structs = Object.fromEntries(
  Object.entries(typeStrings).map(([name, text]) => [name, makeStruct(name, text)]),
) as Record<MessageType, Struct>;

/** hashStruct of a message; of a Receipt also the leaf of a batch's tree and a strict query's record. */
export function structHash<T extends MessageType>(type: T, message: Messages[T]): Hash {
  const { typeHash, fields } = structs[type];
  const values = message as unknown as Record<string, unknown>;
  return toHash(keccak256(concat(typeHash, ...fields.map((field) => word(field.type, values[field.name])))));
}

export function typeHashOf(type: MessageType): Hash {
  return toHash(structs[type].typeHash);
}

declare const domainBrand: unique symbol;
/** A domain separator. */
export type Domain = Hash & { readonly [domainBrand]: true };

const domainType = "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)";

function makeDomain(name: string, chainId: bigint, contract: Address): Domain {
  const parts = [utf8(domainType), utf8(name), utf8("1")].map(keccak256);
  return toHash(keccak256(concat(...parts, uintWord(chainId), addressWord(contract)))) as Domain;
}

export function ledgerDomain(chainId: bigint, ledger: Address): Domain {
  return makeDomain("TeeTee", chainId, ledger);
}

export function allowlistDomain(chainId: bigint, verifier: Address): Domain {
  return makeDomain("TeeTee Allowlist", chainId, verifier);
}

/** What is signed; of a Query in the ledger's domain also its id. */
export function typedDigest<T extends MessageType>(domain: Domain, type: T, message: Messages[T]): Hash {
  const prefix = Uint8Array.of(0x19, 0x01);
  return toHash(keccak256(concat(prefix, hashWord(domain), hashWord(structHash(type, message)))));
}

/** keccak256(abi.encode(model, head)). */
export function lineOf(model: Hash, head: Address): Hash {
  return toHash(keccak256(concat(hashWord(model), addressWord(head))));
}

/** Receipt.query in tab mode; an id of 16 bytes is right-aligned. */
export function tabQueryId(line: Hash, requestId: Uint8Array): Hash {
  const padded = concat(new Uint8Array(32 - requestId.length), requestId);
  return toHash(keccak256(concat(hashWord(line), padded)));
}

export interface JoinClaim {
  readonly chainId: bigint;
  readonly registry: Address;
  readonly host: Address;
  readonly key: Address;
  readonly weights: Hash;
  readonly blockHash: Hash;
}

/** First 32 bytes of the report data of a quote that Registry.join accepts. */
export function joinDigest(claim: JoinClaim): Hash {
  const { chainId, registry, host, key, weights, blockHash } = claim;
  const addresses = [registry, host, key].map(addressWord);
  return toHash(keccak256(concat(uintWord(chainId), ...addresses, hashWord(weights), hashWord(blockHash))));
}

/** tokensIn * priceIn + tokensOut * priceOut. */
export function costOf(tokensIn: number, tokensOut: number, priceIn: bigint, priceOut: bigint): Wei {
  return (BigInt(tokensIn) * priceIn + BigInt(tokensOut) * priceOut) as Wei;
}
