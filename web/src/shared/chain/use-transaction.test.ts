// @vitest-environment jsdom
import { custom, encodeErrorResult, type EIP1193RequestFn } from "viem";
import { privateKeyToAddress } from "viem/accounts";
import { beforeEach, expect, test, vi } from "vitest";
import { type Config, createConfig, mock } from "wagmi";
import { connect } from "wagmi/actions";
import { ledgerAbi } from "./abi.ts";
import { buy, refundQuery } from "./calls.ts";
import { sendCall, type TransactionState } from "./use-transaction.ts";
import { chainOf } from "./wagmi.ts";

const user = privateKeyToAddress(`0x${"11".repeat(32)}`);
const ledger = `0x${"22".repeat(20)}` as const;
const hash = `0x${"33".repeat(32)}` as const;

type Answers = Record<string, unknown>;

// A chain that gives these answers; a function is called, an Error is thrown.
function configOf(answers: Answers, features: NonNullable<Parameters<typeof mock>[0]["features"]> = {}) {
  const chain = chainOf(31337, null);
  const request = (async ({ method }: { method: string }) => {
    const answer = answers[method];
    if (answer instanceof Error) throw answer;
    return answer ?? null;
  }) as EIP1193RequestFn;
  return createConfig({
    chains: [chain],
    transports: { [chain.id]: custom({ request }, { retryCount: 0 }) },
    connectors: [mock({ accounts: [user], features })],
    multiInjectedProviderDiscovery: false,
    pollingInterval: 10,
    storage: null,
  });
}

async function connected(config: Config): Promise<void> {
  const [connector] = config.connectors;
  if (!connector) throw new Error("no connector");
  await connect(config, { connector });
}

beforeEach(() => localStorage.clear());

const steps = (states: TransactionState[]) => states.map((state) => state.step);

test("without a wallet nothing is tried", async () => {
  const end = await sendCall(configOf({}), buy(ledger, user, 1n), () => undefined);
  expect(end).toMatchObject({ step: "failed", problem: { kind: "no-wallet" } });
});

test("what the contract would refuse is never sent to the wallet", async () => {
  const revert = Object.assign(new Error("execution reverted"), { code: 3, data: encodeErrorResult({ abi: ledgerAbi, errorName: "TooEarly" }) });
  const config = configOf({ eth_call: revert, eth_chainId: "0x7a69" });
  await connected(config);
  const query = { user, model: hash, head: user, input: hash, maxCost: 1n, deadline: 2n, nonce: 3n } as const;
  const seen: TransactionState[] = [];
  const end = await sendCall(config, refundQuery(ledger, query), (state) => seen.push(state));
  expect(end).toMatchObject({ step: "failed", problem: { kind: "reverted", reverted: "TooEarly" } });
  expect(steps(seen)).toEqual(["checking", "failed"]);
});

test("a chain that does not answer is said to be down", async () => {
  const config = configOf({ eth_call: new TypeError("Failed to fetch"), eth_chainId: "0x7a69" });
  await connected(config);
  const end = await sendCall(config, buy(ledger, user, 1n), () => undefined);
  expect(end).toMatchObject({ step: "failed", problem: { kind: "rpc" } });
});

test("what was mined and reverted is told as that, with its hash", async () => {
  const receipt = { transactionHash: hash, status: "0x0", blockNumber: "0x2", logs: [] };
  const config = configOf({ eth_call: "0x", eth_chainId: "0x7a69", eth_blockNumber: "0x2", eth_getTransactionReceipt: receipt });
  await connected(config);
  // The mock wallet sends over the chain's address.
  vi.stubGlobal("fetch", async () => Response.json({ jsonrpc: "2.0", id: 1, result: hash }));
  const seen: TransactionState[] = [];
  const end = await sendCall(config, buy(ledger, user, 1n), (state) => seen.push(state));
  vi.unstubAllGlobals();
  expect(steps(seen)).toEqual(["checking", "asking", "sent", "failed"]);
  expect(end).toMatchObject({ hash, problem: { kind: "reverted", message: "The transaction was reverted" } });
});
