// @vitest-environment node
// Asking by tab, against a gateway and a head in this process: what counts as used, and what stays in flight.
import { beforeEach, describe, expect, test } from "vitest";
import { type Address, fromHex, type Wei } from "../verify/bytes";
import { addressOf, type PrivateKey } from "../verify/secp256k1";
import { lineOf } from "../verify/typed-data";
import { ask, type PayWith, resumeAsk } from "./ask";
import { Contracts } from "./chain";
import { estimateCost } from "./estimate";
import { RouteCache } from "./route-cache";
import { MemoryTabStore, Tabs } from "./tabs";
import { collect, of } from "./testing/collect";
import { FakeWorld } from "./testing/fake-world";

let world: FakeWorld;
let routes: RouteCache;

beforeEach(async () => {
  world = await FakeWorld.make();
  routes = new RouteCache({
    gateway: world.gateway,
    trust: world.trust,
    chain: world.chain,
    now: () => world.now,
  });
});

const body = JSON.stringify({
  model: "tiny",
  stream: true,
  max_tokens: 8,
  messages: [{ role: "user", content: "x" }],
});
const options = () => ({ now: () => world.now, pauses: [1, 1] });
const asking = (pay: PayWith) => collect(ask(routes, { path: "/v1/chat/completions", body, pay }, options()));

describe("by tab", () => {
  const user = `0x${"a1".repeat(20)}` as Address;
  let funded = 1_000_000n;
  let signer: Address | undefined;
  let tabs: Tabs;

  beforeEach(async () => {
    funded = 1_000_000n;
    const chain = {
      ...world.chain,
      readContract: async ({ functionName }: { functionName: string }) =>
        functionName === "tab" ? [funded, 0n, signer ?? `0x${"00".repeat(20)}`, 0, 0] : 0n,
    };
    const contracts = new Contracts(chain, world.trust);
    tabs = new Tabs({
      trust: world.trust,
      contracts,
      user,
      store: new MemoryTabStore(),
      now: () => world.now,
    });
    signer = undefined;
    await tabs.needs(world.model, addressOf(world.head.key), 1n as Wei);
    const [state] = await tabs.lines();
    signer = addressOf(fromHex(state?.session ?? "") as Uint8Array as PrivateKey);
  });

  const status = () => tabs.status(world.model, addressOf(world.head.key));

  test("the cost counts as used, and nothing stays in flight", async () => {
    const events = await asking({ kind: "tab", tabs });
    expect(of(events, "error")).toEqual([]);
    expect(await status()).toMatchObject({
      used: 110n,
      inFlight: 0n,
      line: lineOf(world.model, addressOf(world.head.key)),
    });
  });

  test("an empty tab is an error before anything is sent", async () => {
    funded = 5n;
    const events = await asking({ kind: "tab", tabs });
    expect(events.map((event) => event.t)).toEqual(["route", "funding", "error"]);
    expect(of(events, "error")[0]?.error.kind).toBe("money");
  });

  const needing = (need: bigint) => {
    const error = { message: "voucher", type: "x", param: null, code: null };
    let first = true;
    const honest = world.answer;
    world.answer = (request) => {
      if (!first) return honest(request);
      first = false;
      return { events: [{ t: "error", status: 402n, error, need: need.toString() }] };
    };
  };

  test("a larger voucher is signed once when the head needs it", async () => {
    needing(5_000n);
    const events = await asking({ kind: "tab", tabs });
    expect(of(events, "again")).toHaveLength(1);
    expect(events.at(-1)?.t).toBe("done");
    expect(await status()).toMatchObject({ used: 110n, inFlight: 0n });
  });

  test("even one that is larger by a wei, when something was used before", async () => {
    await asking({ kind: "tab", tabs });
    needing(110n + estimateCost(body, world.params).most + 1n);
    const events = await asking({ kind: "tab", tabs });
    expect(events.at(-1)?.t).toBe("done");
    expect(await status()).toMatchObject({ used: 220n, inFlight: 0n });
  });

  test("but not one beyond what the request can cost", async () => {
    needing(900_000n);
    const events = await asking({ kind: "tab", tabs });
    expect(of(events, "error")[0]?.error).toMatchObject({ kind: "head", details: { status: 402 } });
    expect(await status()).toMatchObject({ used: 0n, inFlight: 0n });
  });

  test("an answer that was cut stays in flight until it is resumed", async () => {
    const { meddle } = world;
    world.meddle = async (path, response) =>
      /sealed|control/.test(path)
        ? new Response(new Uint8Array(await response.arrayBuffer()).slice(0, 40))
        : response;
    const events = await asking({ kind: "tab", tabs });
    expect(of(events, "error")[0]?.resumable).toBe(true);
    expect((await status()).inFlight).toBeGreaterThan(0n);
    world.meddle = meddle;
    const pending = of(events, "sent")[0]?.pending ?? "";
    await collect(resumeAsk({ gateway: world.gateway, trust: world.trust, tabs }, pending, options()));
    expect(await status()).toMatchObject({ used: 110n, inFlight: 0n });
    await collect(resumeAsk({ gateway: world.gateway, trust: world.trust, tabs }, pending, options()));
    expect(await status()).toMatchObject({ used: 110n, inFlight: 0n });
  });
});
