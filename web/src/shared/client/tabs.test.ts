// @vitest-environment node
// The rules of src/client/wallet.cc: what a voucher covers, when a tab is topped up, what counts as used.
import { beforeEach, describe, expect, test, vi } from "vitest";
import type { Address, Hash, Wei } from "../verify/bytes";
import { isSignedBy, privateKey, recoverSigner } from "../verify/secp256k1";
import { readTrustFile } from "../verify/trust-file";
import { ledgerDomain, lineOf, typedDigest } from "../verify/typed-data";
import { type ChainReader, type ChainWriter, Contracts, type Tab } from "./chain";
import { ClientError } from "./client-error";
import { MemoryTabStore, Tabs } from "./tabs";

const word = (digit: string, size: number) => `0x${digit.repeat(size)}`;
const user = word("a1", 20) as Address;
const head = word("b2", 20) as Address;
const model = word("c3", 32) as Hash;
const trust = readTrustFile(
  JSON.stringify({
    class: "simulated",
    chain_id: 31337,
    registry: word("11", 20),
    ledger: word("12", 20),
    roots: [],
    measurements: [],
    models: {},
  }),
);
const line = lineOf(model, head);
const wei = (value: number) => BigInt(value) as Wei;

/** A ledger with one tab. */
class FakeChain implements ChainReader, ChainWriter {
  readonly address = user;
  tab: Tab = { funded: wei(0), spent: wei(0), signer: undefined, epoch: 0, closeAt: 0n };
  credits = 0n;
  ether = 10_000n;
  readonly sent: string[] = [];

  async getChainId() {
    return 31337;
  }
  async getBlock() {
    return { number: 1n, hash: word("00", 32), timestamp: 1000n };
  }
  async getBalance() {
    return this.ether;
  }
  async readContract({ functionName }: { functionName: string }): Promise<unknown> {
    if (functionName === "balanceOf") return this.credits;
    const { funded, spent, signer, epoch, closeAt } = this.tab;
    return [funded, spent, signer ?? word("00", 20), epoch, Number(closeAt)];
  }
  async write({
    functionName,
    args,
    value = 0n,
  }: {
    functionName: string;
    args: readonly unknown[];
    value?: bigint;
  }) {
    this.sent.push(functionName);
    if (functionName === "buy") this.credits += value;
    if (functionName === "fund") {
      const amount = args[2] as bigint;
      this.credits -= amount;
      this.tab = {
        ...this.tab,
        funded: (this.tab.funded + amount) as Wei,
        signer: args[3] as Address,
        closeAt: 0n,
      };
    }
    return { tx: word("ee", 32) as Hash };
  }
  async signAccess(): Promise<never> {
    throw new Error("not here");
  }
}

let chain: FakeChain;
let now: number;
let tabs: Tabs;
let store: MemoryTabStore;
let requests: number;

beforeEach(() => {
  chain = new FakeChain();
  store = new MemoryTabStore();
  now = 1000;
  requests = 0;
  tabs = new Tabs({
    trust,
    contracts: new Contracts(chain, trust),
    user,
    store,
    topUp: wei(500),
    now: () => now,
  });
});

const nextId = () => (++requests).toString(16).padStart(32, "0");
const fund = async (most: number) => {
  const funding = await tabs.needs(model, head, wei(most));
  if (funding !== undefined) await tabs.fund(model, head, funding, chain);
  return funding;
};

describe("a tab", () => {
  test("refuses to sign for what it does not hold", async () => {
    await expect(tabs.cover(model, head, wei(10), nextId(), now + 300)).rejects.toThrow(ClientError);
  });

  test("is opened with credits that are bought first, and topped up by no less than the usual", async () => {
    expect(await fund(10)).toEqual({ amount: 500n, buy: 500n });
    expect(chain.sent).toEqual(["buy", "fund"]);
    expect(await tabs.needs(model, head, wei(500))).toBeUndefined();
    expect(await tabs.needs(model, head, wei(501))).toEqual({ amount: 500n, buy: 500n });
    expect(await tabs.needs(model, head, wei(5000))).toEqual({ amount: 4500n, buy: 4500n });
    chain.credits = 400n;
    expect(await tabs.needs(model, head, wei(501))).toEqual({ amount: 500n, buy: 100n });
  });

  test("is not opened when the account cannot pay", async () => {
    chain.ether = 400n;
    await expect(fund(10)).rejects.toThrow(/needs .* more for credits/);
    expect(chain.sent).toEqual([]);
  });

  test("signs for used and in flight and this request, no more", async () => {
    await fund(100);
    const first = await tabs.cover(model, head, wei(100), nextId(), now + 300);
    const second = await tabs.cover(model, head, wei(50), nextId(), now + 300);
    expect([first.payment.total, second.payment.total]).toEqual([100n, 150n]);
    await tabs.settle(line, first.reservation.request, 0, wei(30));
    await tabs.settle(line, first.reservation.request, 0, wei(30)); // once only
    const third = await tabs.cover(model, head, wei(10), nextId(), now + 300);
    expect(third.payment.total).toBe(90n);
    expect(await tabs.status(model, head)).toMatchObject({ used: 30n, inFlight: 60n });
  });

  test("has vouchers by its session key", async () => {
    await fund(100);
    const { payment } = await tabs.cover(model, head, wei(100), nextId(), now + 300);
    const voucher = { user, line, epoch: payment.epoch, total: payment.total };
    const digest = typedDigest(ledgerDomain(31337n, trust.ledger), "Voucher", voucher);
    expect(chain.tab.signer && isSignedBy(chain.tab.signer, digest, payment.signature)).toBe(true);
    const other = typedDigest(ledgerDomain(31337n, trust.ledger), "Voucher", { ...voucher, total: wei(101) });
    expect(recoverSigner(other, payment.signature)).not.toBe(chain.tab.signer);
  });

  test("is used by every store that derives the same session key; a stored key goes before", async () => {
    const sessionKey = vi.fn(async () => privateKey(new Uint8Array(32).fill(7)));
    const options = { trust, contracts: new Contracts(chain, trust), user, topUp: wei(500), now: () => now };
    const [here, there] = [0, 1].map(() => new Tabs({ ...options, store: new MemoryTabStore(), sessionKey })) as [Tabs, Tabs];
    await here.fund(model, head, { amount: wei(500), buy: wei(500) }, chain);
    expect(await there.needs(model, head, wei(100))).toBeUndefined();
    expect((await there.cover(model, head, wei(100), nextId(), now + 300)).payment.total).toBe(100n);
    expect(sessionKey).toHaveBeenCalledTimes(2);
    chain.tab = { ...chain.tab, signer: undefined };
    await fund(100); // by the random key of `tabs`
    await expect(there.needs(model, head, wei(1))).rejects.toThrow(/another session key/);
    const again = new Tabs({ ...options, store, sessionKey });
    expect(await again.needs(model, head, wei(1))).toBeUndefined();
    expect(sessionKey).toHaveBeenCalledTimes(2);
  });

  test("counts what the chain has charged, and starts anew in a new epoch", async () => {
    await fund(100);
    chain.tab = { ...chain.tab, spent: wei(200) };
    expect((await tabs.cover(model, head, wei(10), nextId(), now + 300)).payment.total).toBe(210n);
    chain.tab = { ...chain.tab, epoch: 1, spent: wei(0) };
    now += 10_000;
    const { payment } = await tabs.cover(model, head, wei(10), nextId(), now + 300);
    expect(payment).toMatchObject({ epoch: 1, total: 10n });
  });

  test("forgets what nobody can charge any more, not before", async () => {
    await fund(100);
    await tabs.cover(model, head, wei(100), nextId(), now + 300);
    now += 300;
    expect((await tabs.status(model, head)).inFlight).toBe(100n);
    now += 200;
    expect((await tabs.status(model, head)).inFlight).toBe(0n);
  });

  test("refuses a cost above what was reserved", async () => {
    await fund(100);
    const { reservation } = await tabs.cover(model, head, wei(100), nextId(), now + 300);
    await expect(tabs.settle(line, reservation.request, 0, wei(101))).rejects.toThrow(/receipt.cost/);
    expect(await tabs.status(model, head)).toMatchObject({ used: 0n, inFlight: 0n });
  });

  test("that is closing is opened again; one of another session key is refused", async () => {
    await fund(100);
    chain.tab = { ...chain.tab, closeAt: 5000n };
    expect(await tabs.needs(model, head, wei(1))).toEqual({ amount: 500n, buy: 500n });
    chain.tab = { ...chain.tab, signer: word("dd", 20) as Address };
    await expect(tabs.needs(model, head, wei(1))).rejects.toThrow(/another session key/);
  });
});
