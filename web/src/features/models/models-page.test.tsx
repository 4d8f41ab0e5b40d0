import { screen, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, expect, test, vi } from "vitest";
import { answering, MODEL_ID, renderPage, testConfig } from "@/shared/testing/render-page.tsx";
import { ModelsPage } from "./models-page.tsx";

const host = `0x${"55".repeat(20)}`;
const slot = { slot: 0, first_block: 0, blocks: 4, share: 4, bytes: 1024, live: 1, joined: 1, hosts: [host] };
const teetee = {
  model: MODEL_ID,
  name: "tiny-model",
  price_in: "1000000000",
  price_out: "2000000000",
  quantisation: "Q8_0",
  parameters: 1000000,
  class: "production",
  slot_list: [slot, { ...slot, slot: 1, first_block: 4, live: 0, joined: 0, hosts: [] }],
  routes: 0,
  speed: null,
  live: false,
};
const listing = { "/v1/models": { object: "list", data: [{ id: "tiny-model", teetee }] } };

afterEach(() => vi.unstubAllGlobals());

test("while it loads it says so; then a card with price, slots and who says it", async () => {
  vi.stubGlobal("fetch", answering(listing));
  renderPage(<ModelsPage />);
  expect(screen.getAllByRole("status", { name: "Loading" }).length).toBeGreaterThan(0);
  expect(await screen.findByRole("heading", { name: "tiny-model" })).toBeTruthy();
  expect(screen.getByText("1 of 2 taken, 1 free")).toBeTruthy();
  expect(screen.getByText("1 M parameters, Q8_0")).toBeTruthy();
  expect(screen.getByText("seen by the gateway")).toBeTruthy();
});

test("a gateway's word does not make simulated evidence production", async () => {
  vi.stubGlobal("fetch", answering(listing));
  renderPage(<ModelsPage />);
  expect(await screen.findByText("Simulated")).toBeTruthy();
  expect(screen.queryByText("Production")).toBeNull();
});

test("without a trust file no chat is offered", async () => {
  vi.stubGlobal("fetch", answering(listing));
  renderPage(<ModelsPage />, { config: testConfig({ served_by: "gateway" }) });
  expect(await screen.findByText("No trust file")).toBeTruthy();
  expect(screen.queryByRole("link", { name: "Chat" })).toBeNull();
});

test("a slot shows its layers and who serves it", async () => {
  vi.stubGlobal("fetch", answering(listing));
  renderPage(<ModelsPage />);
  const slots = within(await screen.findByRole("region", { name: "Slots" }));
  await userEvent.click(slots.getByRole("button", { name: "1 free" }));
  expect(slots.getByText(/layers 4 to 7/)).toBeTruthy();
  expect(slots.getByText(/No organisation serves it/)).toBeTruthy();
});

test("no models, and a gateway that fails, are said in words", async () => {
  vi.stubGlobal("fetch", answering({ "/v1/models": { object: "list", data: [] } }));
  const first = renderPage(<ModelsPage />);
  expect(await screen.findByText("No models yet")).toBeTruthy();
  first.unmount();
  vi.stubGlobal("fetch", async () => Promise.reject(new TypeError("Failed to fetch")));
  renderPage(<ModelsPage />);
  expect(await screen.findByText("The gateway does not answer.")).toBeTruthy();
});
