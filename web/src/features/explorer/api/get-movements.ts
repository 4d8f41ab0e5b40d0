// What a wallet did with money in the Ledger, newest first, through the user's own RPC.
import { type Address, type Hash, parseAbiItem } from "viem";
import type { LedgerQuery } from "@/shared/earnings/get-ledger-events.ts";

export interface Movement {
  readonly what: string;
  readonly amount: bigint;
  readonly block: bigint;
  readonly tx: Hash;
  readonly index: number;
}

const bought = parseAbiItem("event Bought(address indexed payer, address indexed user, uint256 amount)");
const withdrawn = parseAbiItem("event Withdrawn(address indexed user, address indexed to, uint256 amount)");
const funded = parseAbiItem(
  "event TabFunded(address indexed user, bytes32 indexed line, bytes32 model, address head, uint256 amount, address signer, uint32 epoch)",
);
const closed = parseAbiItem(
  "event TabClosed(address indexed user, bytes32 indexed line, uint32 epoch, uint256 rest)",
);
const collected = parseAbiItem(
  "event Collected(bytes32 indexed line, address indexed key, address indexed host, uint256 amount)",
);

interface Log {
  readonly blockNumber: bigint;
  readonly transactionHash: Hash;
  readonly logIndex: number;
}

export async function getMovements(
  { client, ledger: address, fromBlock }: LedgerQuery,
  user: Address,
): Promise<Movement[]> {
  const range = { address, fromBlock, strict: true } as const;
  const move = (what: string, log: Log, amount: bigint): Movement => ({
    what,
    amount,
    block: log.blockNumber,
    tx: log.transactionHash,
    index: log.logIndex,
  });
  const [ins, outs, tabs, ends, earned] = await Promise.all([
    client.getLogs({ ...range, event: bought, args: { user } }),
    client.getLogs({ ...range, event: withdrawn, args: { user } }),
    client.getLogs({ ...range, event: funded, args: { user } }),
    client.getLogs({ ...range, event: closed, args: { user } }),
    client.getLogs({ ...range, event: collected, args: { host: user } }),
  ]);
  const all = [
    ...ins.map((log) => move("Bought credits", log, log.args.amount)),
    ...outs.map((log) => move("Withdrew", log, log.args.amount)),
    ...tabs.map((log) => move("Put into a tab", log, log.args.amount)),
    ...ends.map((log) => move("Got back from a tab", log, log.args.rest)),
    ...earned.map((log) => move("Collected earnings", log, log.args.amount)),
  ];
  return all.sort((a, b) => Number(b.block - a.block) || b.index - a.index);
}
