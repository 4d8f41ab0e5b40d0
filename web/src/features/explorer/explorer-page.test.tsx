import { screen, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, describe, expect, test, vi } from "vitest";
import { modelAnswer, nodeAnswer, nodeDetails, testKey, testModel } from "@/shared/testing/fixtures.ts";
import { type Answers, renderRoute, type Surroundings } from "@/shared/testing/render-route.tsx";
import { ExplorerPage } from "./explorer-page.tsx";
import { type Receipt, receiptHash } from "./lib/receipt-proof.ts";

const word = (byte: string): `0x${string}` => `0x${byte.repeat(32)}`;
const receipt: Receipt = {
  query: word("01"),
  line: word("02"),
  input: word("03"),
  output: word("04"),
  tokensIn: 5,
  tokensOut: 6,
  cost: 0n,
  transcript: word("07"),
};
const id = receiptHash(receipt);
const wire = {
  ...receipt,
  tokensIn: undefined,
  tokensOut: undefined,
  tokens_in: 5,
  tokens_out: 6,
  cost: "0",
};
const shown = { receipt: wire, seq: 3, root: id, proof: [], tx: word("08"), block: 9, status: "mined" };
const listed = {
  hash: id,
  query: receipt.query,
  line: receipt.line,
  model: testModel,
  head: testKey,
  cost: "0",
  tokens_in: 5,
  tokens_out: 6,
  status: "pending",
  seq: null,
  root: null,
  tx: null,
  block: null,
  at: null,
};

const answers: Answers = {
  "/v1/teetee/receipts": { receipts: [listed], next: null },
  "/v1/teetee/batches": { batches: [] },
  "/v1/teetee/evidence": { evidence: [] },
  "/v1/teetee/search": { matches: [] },
  [`/v1/teetee/receipts/${id}`]: shown,
  [`/v1/teetee/models/${testModel}`]: modelAnswer,
  "/v1/teetee/nodes": { nodes: [nodeAnswer()] },
  [`/v1/teetee/nodes/${testKey}`]: nodeDetails(),
  [`/v1/teetee/nodes/${testKey}/history`]: { evidence: [], events: [] },
};

const home = (change: Partial<Surroundings> = {}) =>
  renderRoute({ path: "/explorer", route: "/explorer", page: <ExplorerPage />, answers, ...change });
const open = (path: string, change: Partial<Surroundings> = {}) =>
  renderRoute({
    path: `/explorer/${path}`,
    route: "/explorer/:kind/:id",
    page: <ExplorerPage />,
    answers,
    ...change,
  });

afterEach(() => vi.unstubAllGlobals());

describe("search", () => {
  test("refuses half a hash with the reason", async () => {
    home();
    await userEvent.type(screen.getByRole("searchbox", { name: "Search" }), "0x1234{Enter}");
    expect(screen.getByText(/4 hex digits/)).toBeTruthy();
  });

  test("says that nothing is found", async () => {
    home();
    await userEvent.type(screen.getByRole("searchbox", { name: "Search" }), "nothing{Enter}");
    expect(await screen.findByText(/Nothing here is called “nothing”/)).toBeTruthy();
  });

  test("offers what an id may be when the gateway knows nothing", async () => {
    home();
    await userEvent.type(screen.getByRole("searchbox", { name: "Search" }), `${word("0a")}{Enter}`);
    expect((await screen.findByRole("link", { name: "Batch with this root" })).getAttribute("href")).toBe(
      `/explorer/batch/${word("0a")}`,
    );
  });

  test("goes straight to the only match", async () => {
    home({
      answers: {
        ...answers,
        "/v1/teetee/search": { matches: [{ kind: "node", id: testKey, title: "a node" }] },
      },
    });
    await userEvent.type(screen.getByRole("searchbox", { name: "Search" }), "d1d1{Enter}");
    expect(await screen.findByText("another page")).toBeTruthy();
  });
});

describe("lists", () => {
  test("say that there is nothing yet", async () => {
    home({ answers: { ...answers, "/v1/teetee/receipts": { receipts: [], next: null } } });
    expect(await screen.findByText(/No answer has been paid for yet/)).toBeTruthy();
    expect(screen.getByText("No batch has been mined yet.")).toBeTruthy();
  });
  test("lead to each receipt", async () => {
    home();
    const table = await screen.findByRole("table", { name: "Receipts" });
    expect(within(table).getAllByRole("link")[0]?.getAttribute("href")).toBe(`/explorer/receipt/${id}`);
  });
});

describe("a receipt", () => {
  const rootOnChain = (root: string) => (method: string) => {
    if (method === "eth_chainId") return "0x7a69";
    if (method === "eth_call") return root + "00".repeat(64 * 3);
    return "0x0";
  };
  test("that the gateway changed is not proved", async () => {
    open(`receipt/${id}`, {
      answers: {
        ...answers,
        [`/v1/teetee/receipts/${id}`]: { ...shown, receipt: { ...wire, tokens_out: 7 } },
      },
    });
    expect(await screen.findByText(/This receipt is not proved/)).toBeTruthy();
  });
  test("whose batch is not mined waits and is not called verified", async () => {
    const pending = { ...shown, seq: null, root: null, status: "pending", tx: null, block: null };
    open(`receipt/${id}`, { answers: { ...answers, [`/v1/teetee/receipts/${id}`]: pending } });
    expect(await screen.findByText(/Not all of it can be proved yet/)).toBeTruthy();
    expect(screen.queryByText(/Receipt verified/)).toBeNull();
  });
  test("that the contract has is verified when model and head are its own", async () => {
    const noModel = { ...listed, hash: word("0f") };
    open(`receipt/${id}`, {
      rpc: rootOnChain(id),
      answers: { ...answers, "/v1/teetee/receipts": { receipts: [noModel], next: null } },
    });
    expect(await screen.findByText(/Receipt verified/)).toBeTruthy();
  });
  test("that nobody knows is said to be unknown", async () => {
    open(`receipt/${word("0b")}`);
    expect(await screen.findByText("no such path")).toBeTruthy();
  });
  test("takes a bundle and says what is wrong with it", async () => {
    open(`receipt/${id}`);
    // jsdom's files have no arrayBuffer.
    const file = Object.assign(new File(["{}"], "x.json", { type: "application/json" }), {
      arrayBuffer: async () => new TextEncoder().encode("{}").buffer,
    });
    await userEvent.upload(await screen.findByLabelText("Receipt bundle"), file);
    expect(await screen.findByText("This file cannot be read as a receipt bundle.")).toBeTruthy();
  });
});

test("ids of another shape are refused with the reason", () => {
  open("receipt/0x12");
  expect(screen.getByText(/This is no receipt that could be looked up/)).toBeTruthy();
});

test("a model shows what its id stands for and that your trust file does not know it", async () => {
  open(`model/${testModel}`);
  expect(await screen.findByText("The parameters hash to the id")).toBeTruthy();
  expect(screen.getByText(/It does not name this model/)).toBeTruthy();
  expect(screen.getByRole("link", { name: "Host slot 1" })).toBeTruthy();
});

test("without a trust file nothing about a node is called verified", async () => {
  open(`node/${testKey}`, { trust: false });
  expect(await screen.findByText("Nothing can be verified without a trust file.")).toBeTruthy();
});
