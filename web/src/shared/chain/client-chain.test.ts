// @vitest-environment jsdom
import { custom, type EIP1193RequestFn, HttpRequestError } from "viem";
import { expect, test } from "vitest";
import { createConfig } from "wagmi";
import { ClientError } from "../client/client-error.ts";
import type { Address } from "../verify/bytes.ts";
import { chainReader, chainWriter } from "./client-chain.ts";
import { chainOf } from "./wagmi.ts";

const ledger = `0x${"22".repeat(20)}` as Address;

function configOf(answer: (method: string) => unknown) {
  const chain = chainOf(31337, null);
  const request = (async ({ method }: { method: string }) => answer(method)) as EIP1193RequestFn;
  return createConfig({ chains: [chain], transports: { [chain.id]: custom({ request }, { retryCount: 0 }) }, multiInjectedProviderDiscovery: false, storage: null });
}

test("a block that is not there is told by its name", async () => {
  const reader = chainReader(configOf(() => null));
  await expect(reader.getBlock({ blockNumber: 7n })).rejects.toMatchObject({ name: "BlockNotFoundError" });
});

test("a chain that does not answer says so in one line, without the request", async () => {
  const down = () => {
    throw new HttpRequestError({ url: "http://127.0.0.1:1", body: { method: "eth_getBalance", params: [] } });
  };
  const message = await chainReader(configOf(down)).getBalance({ address: ledger }).catch((error: Error) => error.message);
  expect(message).not.toContain("\n");
  expect(message).not.toContain("eth_getBalance");
});

test("reads chain and balance", async () => {
  const reader = chainReader(configOf((method) => (method === "eth_chainId" ? "0x7a69" : "0x10")));
  expect(await reader.getChainId()).toBe(31337);
  expect(await reader.getBalance({ address: ledger })).toBe(16n);
});

test("without a wallet nothing is written", () => {
  expect(() => chainWriter(configOf(() => null), ledger, () => undefined)).toThrow(ClientError);
});
