// Calls that change the chain, as values for useTransaction().send(). `does` says in words what the user is about to sign.
import type { Abi, Address, Hash, Hex } from "viem";
import { ledgerAbi, registryAbi } from "./abi.ts";

export interface Call {
  readonly does: string;
  readonly address: Address;
  readonly abi: Abi;
  readonly functionName: string;
  readonly args: readonly unknown[];
  readonly value?: bigint;
}

export interface Query {
  readonly user: Address;
  readonly model: Hash;
  readonly head: Address;
  readonly input: Hash;
  readonly maxCost: bigint;
  readonly deadline: bigint;
  readonly nonce: bigint;
}

const call = (does: string, address: Address, abi: unknown, functionName: string, args: readonly unknown[], value?: bigint): Call => ({
  does,
  address,
  abi: abi as Abi,
  functionName,
  args,
  ...(value === undefined ? {} : { value }),
});

export const buy = (ledger: Address, to: Address, wei: bigint) => call("Buy credits", ledger, ledgerAbi, "buy", [to], wei);
export const withdraw = (ledger: Address, wei: bigint, to: Address) =>
  call("Withdraw to your wallet", ledger, ledgerAbi, "withdraw", [wei, to]);
export const openQuery = (ledger: Address, query: Query) => call("Pay for one question", ledger, ledgerAbi, "open", [query]);
export const refundQuery = (ledger: Address, query: Query) => call("Get a refund", ledger, ledgerAbi, "refund", [query]);
export const fundTab = (ledger: Address, model: Hash, head: Address, wei: bigint, signer: Address) =>
  call("Open or top up a tab", ledger, ledgerAbi, "fund", [model, head, wei, signer]);
export const closeTab = (ledger: Address, line: Hash) => call("Close a tab", ledger, ledgerAbi, "close", [line]);
export const finishTab = (ledger: Address, user: Address, line: Hash) =>
  call("Take back the rest of a tab", ledger, ledgerAbi, "finish", [user, line]);
export const collect = (ledger: Address, line: Hash, key: Address) =>
  call("Collect a node's earnings", ledger, ledgerAbi, "collect", [line, key]);
export const join = (registry: Address, model: Hash, slot: number, key: Address, url: string, quote: Hex, block: bigint) =>
  call("Join the pool or renew a lease", registry, registryAbi, "join", [model, slot, key, url, quote, block]);
export const setUrl = (registry: Address, key: Address, url: string) =>
  call("Move a node to another address", registry, registryAbi, "setUrl", [key, url]);
export const leave = (registry: Address, key: Address, other: Address) => call("Leave the pool", registry, registryAbi, "leave", [key, other]);
