// The chain as this client needs it: a few calls that viem's public and wallet clients answer. Whoever makes them chooses
// the RPC; nothing here talks to the network.
import type { Address, Hash, Wei } from "../verify/bytes";
import { parseAddress, parseHash } from "../verify/bytes";
import { Malformed } from "../verify/refusal";
import type { CompactSignature } from "../verify/secp256k1";
import type { Access, Query, Receipt } from "../verify/typed-data";
import { ledgerAbi, registryAbi } from "./abi";
import { asClientError, ClientError } from "./client-error";

export interface ContractCall {
  readonly address: Address;
  readonly abi: readonly unknown[];
  readonly functionName: string;
  readonly args: readonly unknown[];
}

export interface BlockInfo {
  readonly number: bigint | null;
  readonly hash: string | null;
  /** Unix seconds */
  readonly timestamp: bigint;
}

/** A viem PublicClient fits. */
export interface ChainReader {
  getChainId(): Promise<number>;
  getBlock(args: { blockNumber: bigint } | { blockTag: "latest" }): Promise<BlockInfo>;
  getBalance(args: { address: Address }): Promise<bigint>;
  readContract(call: ContractCall): Promise<unknown>;
}

/** The user's wallet. `write` resolves when the transaction is mined, and throws when it is refused or reverts. */
export interface ChainWriter {
  readonly address: Address;
  write(call: ContractCall & { readonly value?: bigint }): Promise<{ readonly tx: Hash }>;
  /** the host's signature of Access, for chatting free of charge */
  signAccess(access: Access): Promise<CompactSignature>;
}

export interface Tab {
  readonly funded: Wei;
  readonly spent: Wei;
  /** undefined: there is no tab */
  readonly signer: Address | undefined;
  readonly epoch: number;
  /** 0: nobody closes it */
  readonly closeAt: bigint;
}

function isZeroWord(text: string): boolean {
  return /^0x0*$/.test(text);
}

async function read(reader: ChainReader, call: ContractCall): Promise<unknown> {
  try {
    return await reader.readContract(call);
  } catch (error) {
    throw new ClientError(
      "unreachable",
      `the chain cannot be asked now: ${asClientError(error, "RPC").message}`,
      {
        next: "Check the RPC address in the settings, or try again.",
      },
    );
  }
}

function amount(value: unknown): Wei {
  if (typeof value !== "bigint" || value < 0n) throw new Malformed("RPC: expected an amount");
  return value as Wei;
}

/** Reads of one pair of contracts. */
export class Contracts {
  readonly reader: ChainReader;
  readonly ledger: Address;
  readonly registry: Address;

  constructor(reader: ChainReader, trust: { readonly ledger: Address; readonly registry: Address }) {
    this.reader = reader;
    this.ledger = trust.ledger;
    this.registry = trust.registry;
  }

  ledgerCall(functionName: string, args: readonly unknown[]): ContractCall {
    return { address: this.ledger, abi: ledgerAbi, functionName, args };
  }

  async credits(owner: Address): Promise<Wei> {
    return amount(await read(this.reader, this.ledgerCall("balanceOf", [owner])));
  }

  async tab(user: Address, line: Hash): Promise<Tab> {
    const value = await read(this.reader, this.ledgerCall("tab", [user, line]));
    if (!Array.isArray(value) || value.length !== 5) throw new Malformed("RPC: expected a tab");
    const [funded, spent, signer, epoch, closeAt] = value;
    const address = parseAddress(String(signer));
    return {
      funded: amount(funded),
      spent: amount(spent),
      signer: isZeroWord(address) ? undefined : address,
      epoch: Number(epoch),
      closeAt: BigInt(closeAt),
    };
  }

  async timeoutOf(model: Hash): Promise<bigint> {
    const call = { address: this.registry, abi: registryAbi, functionName: "timeoutOf", args: [model] };
    return BigInt(Number(await read(this.reader, call)));
  }

  /** hashStruct of the receipt once it is settled; small numbers otherwise. */
  async recordOf(query: Hash): Promise<Hash> {
    return parseHash(String(await read(this.reader, this.ledgerCall("record", [query]))));
  }

  async batchRoot(line: Hash, seq: bigint): Promise<Hash> {
    return parseHash(String(await read(this.reader, this.ledgerCall("batchRoot", [line, seq]))));
  }

  async verifyReceipt(receipt: Receipt, seq: bigint, proof: readonly Hash[]): Promise<boolean> {
    return (await read(this.reader, this.ledgerCall("verifyReceipt", [receipt, seq, proof]))) === true;
  }

  async latestTime(): Promise<bigint> {
    const block = await this.reader.getBlock({ blockTag: "latest" });
    return block.timestamp;
  }
}

/** One transaction by the user's wallet; errors say whether it was the wallet, the money or the chain. */
export async function send(
  writer: ChainWriter,
  call: ContractCall & { readonly value?: bigint },
  what: string,
): Promise<Hash> {
  try {
    return (await writer.write(call)).tx;
  } catch (error) {
    if (error instanceof ClientError) throw error;
    const text = asClientError(error, what).message;
    throw new ClientError("money", text, {
      next: "Nothing was spent by this step. Look at the wallet, then try again.",
    });
  }
}

export function openCall(contracts: Contracts, query: Query): ContractCall {
  return contracts.ledgerCall("open", [query]);
}
