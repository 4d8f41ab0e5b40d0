import { screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { modelAnswer, modelsAnswer, nodeAnswer, testHost, testModel } from "@/shared/testing/fixtures.ts";
import { type Answers, renderRoute, type Surroundings } from "@/shared/testing/render-route.tsx";
import { PoolPage } from "./pool-page.tsx";

const image = `ghcr.io/teetee/node@sha256:${"9c".repeat(32)}`;
const pool = {
  image: null,
  auditor: true,
  expected: [{ model: testModel, slot: 0, wei_per_day: "5000000000000000", from_days: 2 }],
};
const answers: Answers = {
  "/v1/models": modelsAnswer,
  "/v1/teetee/pool": pool,
  [`/v1/teetee/models/${testModel}`]: modelAnswer,
  "/v1/teetee/nodes": { nodes: [nodeAnswer()] },
};

const list = (change: Partial<Surroundings> = {}) =>
  renderRoute({ path: "/pool", route: "/pool", page: <PoolPage />, answers, ...change });
const slot = (change: Partial<Surroundings> = {}, number = "1") =>
  renderRoute({
    path: `/pool/${testModel}/${number}`,
    route: "/pool/:model/:slot",
    page: <PoolPage />,
    answers,
    ...change,
  });

beforeEach(() => localStorage.clear());
afterEach(() => vi.unstubAllGlobals());

describe("the list of slots", () => {
  test("says what happened and what to do when the gateway does not answer", async () => {
    list({ answers: { "/v1/models": () => Promise.reject(new TypeError("Failed to fetch")) } });
    expect(await screen.findByText("The gateway does not answer.")).toBeTruthy();
    expect(screen.getByRole("button", { name: "Try again" })).toBeTruthy();
  });

  test("says that there is no model", async () => {
    list({ answers: { "/v1/models": { data: [] } } });
    expect(await screen.findByText("No model yet")).toBeTruthy();
  });

  test("shows each slot with its state, and marks simulated models in words", async () => {
    list();
    expect(await screen.findByRole("link", { name: /^Slot 0 of tiny-model: ?1 live node/ })).toBeTruthy();
    expect(screen.getByRole("link", { name: /^Slot 1 of tiny-model: ?free/ })).toBeTruthy();
    expect(screen.getByText("simulated: protects nothing")).toBeTruthy();
  });
});

describe("one slot", () => {
  test("refuses a slot that the model does not have", async () => {
    slot({}, "7");
    expect(await screen.findByText("This model has no such slot.")).toBeTruthy();
  });

  test("refuses a model whose parameters do not hash to its id", async () => {
    const bad = { ...modelAnswer, params: { ...modelAnswer.params, price_in: "1" } };
    slot({ answers: { ...answers, [`/v1/teetee/models/${testModel}`]: bad } });
    expect(await screen.findByText(/do not hash to its id/)).toBeTruthy();
    expect(screen.queryByRole("button", { name: /Check/ })).toBeNull();
  });

  test("without a trust file nothing can be checked, and the page says why", async () => {
    slot({ trust: false, wallet: testHost });
    expect(await screen.findByText(/A trust file is needed/)).toBeTruthy();
    expect(screen.getByRole("button", { name: "Check the node" }).hasAttribute("disabled")).toBe(true);
  });

  test("without a wallet nothing can be checked, and the page says why", async () => {
    slot();
    expect(await screen.findByText(/Connect the wallet that is paid/)).toBeTruthy();
  });

  test("without a released image it says not yet and has no button for a file", async () => {
    slot({ wallet: testHost });
    expect(await screen.findByText(/there is no released image/)).toBeTruthy();
    expect(screen.queryByRole("button", { name: /Download docker-compose/ })).toBeNull();
  });

  test("with an image it makes the file for this wallet and shows its compose hash", async () => {
    slot({ wallet: testHost, image, answers: { ...answers, "/v1/teetee/pool": { ...pool, image } } });
    const yaml = await screen.findByRole("region", { name: "docker-compose.yaml" });
    expect(yaml.textContent).toContain(image);
    expect(yaml.textContent?.toLowerCase()).toContain(testHost);
    expect(screen.getByText("Compose hash").parentElement?.textContent).toMatch(/[0-9a-f]{64}/);
  });

  test("refuses what is no URL before anything is asked", async () => {
    const asked = vi.fn();
    slot({ wallet: testHost, answers: { ...answers, "/v1/teetee/pool/check": asked } });
    const button = await screen.findByRole("button", { name: "Check the node" });
    await waitFor(() => expect(button.hasAttribute("disabled")).toBe(false));
    await userEvent.type(screen.getByLabelText("URL of the node"), "ftp://x");
    await userEvent.click(button);
    expect(screen.getByText(/must begin with http/)).toBeTruthy();
    expect(asked).not.toHaveBeenCalled();
  });

  test("a failed check shows reason and cure, and nothing to sign is offered", async () => {
    const events = [
      { check: "node.address", status: "passed", detail: "public", cure: null },
      { check: "node.reachable", status: "failed", detail: "connection refused", cure: "Open port 9100." },
    ];
    const stream = `${events.map((event) => `data: ${JSON.stringify(event)}\n\n`).join("")}data: {"done":true}\n\n`;
    slot({ wallet: testHost, answers: { ...answers, "/v1/teetee/pool/check": () => new Response(stream) } });
    const button = await screen.findByRole("button", { name: "Check the node" });
    await waitFor(() => expect(button.hasAttribute("disabled")).toBe(false));
    await userEvent.type(screen.getByLabelText("URL of the node"), "http://127.0.0.1:9100");
    await userEvent.click(button);
    expect(await screen.findByText("connection refused")).toBeTruthy();
    expect(screen.getByText("Open port 9100.")).toBeTruthy();
    expect(screen.queryByRole("button", { name: "Join the slot" })).toBeNull();
  });

  test("offers renewal and leaving for the wallet's own nodes", async () => {
    slot({ wallet: testHost }, "0");
    const card = (await screen.findByText("Your nodes in this slot")).closest("section");
    expect(within(card as HTMLElement).getByRole("button", { name: "Renew the lease" })).toBeTruthy();
    await userEvent.click(within(card as HTMLElement).getByRole("button", { name: "Leave" }));
    expect(await screen.findByRole("dialog", { name: "Leave the slot?" })).toBeTruthy();
  });
});
