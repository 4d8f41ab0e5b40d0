// Earned, Collected and Withdrawn through the user's own RPC, with the time of their blocks. No gateway is asked.
import { type Address, getAddress, type Hex, type PublicClient, parseAbi } from "viem";
import type { CollectedEvent, EarnedEvent, WithdrawnEvent } from "./earnings";

const abi = parseAbi([
  "event Earned(bytes32 indexed line, address indexed key, uint256 amount)",
  "event Collected(bytes32 indexed line, address indexed key, address indexed host, uint256 amount)",
  "event Withdrawn(address indexed user, address indexed to, uint256 amount)",
]);
const [earnedAbi, collectedAbi, withdrawnAbi] = abi;

// Public RPCs refuse wider ranges.
const BLOCKS_PER_CALL = 9_000n;

export interface LedgerQuery {
  readonly client: PublicClient;
  readonly ledger: Address;
  readonly fromBlock: bigint;
}

type Args<T> = (from: bigint, to: bigint) => Promise<T[]>;

async function inRanges<T>(query: LedgerQuery, ask: Args<T>): Promise<T[]> {
  const last = await query.client.getBlockNumber();
  const out: T[] = [];
  for (let from = query.fromBlock; from <= last; from += BLOCKS_PER_CALL) {
    const end = from + BLOCKS_PER_CALL - 1n;
    out.push(...(await ask(from, end < last ? end : last)));
  }
  return out;
}

/** One cache for a run: many events stand in one block. */
class BlockTimes {
  private readonly known = new Map<bigint, Promise<number>>();
  private readonly client: PublicClient;
  constructor(client: PublicClient) {
    this.client = client;
  }
  of(block: bigint): Promise<number> {
    const known = this.known.get(block);
    if (known) return known;
    const asked = this.client.getBlock({ blockNumber: block }).then((found) => Number(found.timestamp));
    this.known.set(block, asked);
    return asked;
  }
}

export async function getEarned(query: LedgerQuery, keys: readonly Address[]): Promise<EarnedEvent[]> {
  if (keys.length === 0) return [];
  const times = new BlockTimes(query.client);
  const logs = await inRanges(query, (fromBlock, toBlock) =>
    query.client.getLogs({
      address: query.ledger,
      event: earnedAbi,
      args: { key: keys.map((key) => getAddress(key)) },
      fromBlock,
      toBlock,
      strict: true,
    }),
  );
  return Promise.all(logs.map(async (log) => ({ ...log.args, ...(await placeOf(log, times)) })));
}

export async function getCollected(query: LedgerQuery, keys: readonly Address[]): Promise<CollectedEvent[]> {
  if (keys.length === 0) return [];
  const times = new BlockTimes(query.client);
  const logs = await inRanges(query, (fromBlock, toBlock) =>
    query.client.getLogs({
      address: query.ledger,
      event: collectedAbi,
      args: { key: keys.map((key) => getAddress(key)) },
      fromBlock,
      toBlock,
      strict: true,
    }),
  );
  return Promise.all(logs.map(async (log) => ({ ...log.args, ...(await placeOf(log, times)) })));
}

export async function getWithdrawn(query: LedgerQuery, user: Address): Promise<WithdrawnEvent[]> {
  const times = new BlockTimes(query.client);
  const logs = await inRanges(query, (fromBlock, toBlock) =>
    query.client.getLogs({
      address: query.ledger,
      event: withdrawnAbi,
      args: { user: getAddress(user) },
      fromBlock,
      toBlock,
      strict: true,
    }),
  );
  return Promise.all(logs.map(async (log) => ({ ...log.args, ...(await placeOf(log, times)) })));
}

async function placeOf(
  log: { blockNumber: bigint; transactionHash: Hex },
  times: BlockTimes,
): Promise<{ block: bigint; time: number; tx: Hex }> {
  return { block: log.blockNumber, time: await times.of(log.blockNumber), tx: log.transactionHash };
}
