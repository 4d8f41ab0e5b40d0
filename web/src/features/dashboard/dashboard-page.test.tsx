import { screen, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { type Hex, padHex, parseEther, toEventSelector, toHex } from "viem";
import { afterEach, describe, expect, test, vi } from "vitest";
import {
  modelAnswer,
  nodeAnswer,
  nodeDetails,
  testHost,
  testKey,
  testModel,
} from "@/shared/testing/fixtures.ts";
import {
  type Answers,
  type Rpc,
  renderRoute,
  type Surroundings,
  testLedger,
} from "@/shared/testing/render-route.tsx";
import { DashboardPage } from "./dashboard-page.tsx";

const now = () => Math.floor(Date.now() / 1000);
const point = (t: number) => ({
  t,
  requests: 3,
  tokens_in: 100,
  tokens_out: 50,
  busy_seconds: 30,
  up: 1,
  ttft_ms: 400,
  tokens_per_second: 17,
});
const usage = { from: now() - 120, step: 60, points: [point(now() - 120), point(now() - 60)] };
const answers: Answers = {
  "/v1/teetee/nodes": { nodes: [nodeAnswer()] },
  [`/v1/teetee/nodes/${testKey}`]: nodeDetails(),
  [`/v1/teetee/nodes/${testKey}/usage`]: usage,
  [`/v1/teetee/nodes/${testKey}/history`]: { evidence: [], events: [] },
  [`/v1/teetee/models/${testModel}`]: modelAnswer,
};

const earnedTopic = toEventSelector("Earned(bytes32,address,uint256)");
const line: Hex = `0x${"1a".repeat(32)}`;

// One Earned event of 2 ETH; everything else is zero.
const chain: Rpc = (method, params) => {
  if (method === "eth_chainId") return "0x7a69";
  if (method === "eth_blockNumber") return "0x10";
  if (method === "eth_getBlockByNumber")
    return { number: "0x5", hash: line, timestamp: toHex(now() - 600), transactions: [] };
  if (method === "eth_call") return `0x${"00".repeat(32 * 8)}`;
  if (method === "eth_getLogs") {
    const topic = (params[0] as { topics: (Hex | Hex[])[] }).topics[0];
    if (topic !== earnedTopic) return [];
    const log = {
      address: testLedger,
      blockNumber: "0x5",
      blockHash: line,
      transactionHash: line,
      transactionIndex: "0x0",
      logIndex: "0x0",
      removed: false,
    };
    return [{ ...log, topics: [topic, line, padHex(testKey)], data: padHex(toHex(parseEther("2"))) }];
  }
  return "0x0";
};

const open = (change: Partial<Surroundings> = {}) =>
  renderRoute({
    path: "/dashboard",
    route: "/dashboard",
    page: <DashboardPage />,
    answers,
    wallet: testHost,
    rpc: chain,
    ...change,
  });

afterEach(() => {
  vi.unstubAllGlobals();
});

describe("the dashboard", () => {
  test("asks for a wallet first", async () => {
    renderRoute({ path: "/dashboard", route: "/dashboard", page: <DashboardPage />, answers });
    expect(await screen.findByRole("button", { name: "Connect a wallet" })).toBeTruthy();
  });

  test("leads a wallet without nodes to the pool", async () => {
    open({ answers: { ...answers, "/v1/teetee/nodes": { nodes: [] } } });
    expect(await screen.findByText("No node of this wallet")).toBeTruthy();
    expect(screen.getByRole("link", { name: "Choose a slot" }).getAttribute("href")).toBe("/pool");
  });

  test("says that the gateway refuses, in its words", async () => {
    open({
      answers: {
        ...answers,
        "/v1/teetee/nodes": () => Response.json({ error: { message: "too many requests" } }, { status: 429 }),
      },
    });
    expect(await screen.findByText("too many requests")).toBeTruthy();
  });

  test("shows what was earned and what waits to be collected, by the chain", async () => {
    open();
    const earned = await screen.findByText("To be collected");
    expect(earned.parentElement?.textContent).toMatch(/2\s*ETH/);
    expect(screen.getByRole("button", { name: "Collect" }).hasAttribute("disabled")).toBe(false);
  });

  test("adds up usage with units, and says whose word it is", async () => {
    open();
    const section = await screen.findByRole("region", { name: "Usage" });
    expect(within(section).getByText("seen by the gateway")).toBeTruthy();
    expect((await within(section).findByText("Tokens written")).parentElement?.textContent).toContain("100");
    expect(within(section).getByText("Busy").parentElement?.textContent).toContain("50 %");
  });

  test("warns of a lease that ends soon, of silence, and of evidence that is refused", async () => {
    const soon = nodeAnswer({ until: now() + 60 });
    open({
      answers: {
        ...answers,
        "/v1/teetee/nodes": { nodes: [soon] },
        [`/v1/teetee/nodes/${testKey}`]: nodeDetails({ last_seen: now() - 500 }),
      },
    });
    expect(await screen.findByText("The lease ends soon")).toBeTruthy();
    expect(await screen.findByText("The node does not answer")).toBeTruthy();
  });

  test("says in words what is not there yet", async () => {
    open();
    expect(await screen.findByText(/how much of your free quota is left/)).toBeTruthy();
  });

  test("changes the range of every chart", async () => {
    const asked: string[] = [];
    const path = `/v1/teetee/nodes/${testKey}/usage`;
    open({
      answers: {
        ...answers,
        [path]: (url: URL) => {
          asked.push(url.searchParams.get("range") ?? "");
          return Response.json(usage);
        },
      },
    });
    await screen.findByRole("region", { name: "Usage" });
    await userEvent.click(screen.getByRole("radio", { name: "Month" }));
    await vi.waitFor(() => expect(asked).toContain("month"));
    expect(asked[0]).toBe("hour");
  });
});
