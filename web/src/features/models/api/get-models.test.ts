import { afterEach, expect, test, vi } from "vitest";
import { getModels, readModels } from "./get-models.ts";

const teetee = { model: `0x${"AB".repeat(32)}`, price_in: "10", price_out: "20", slots: 2, live: true };

afterEach(() => vi.unstubAllGlobals());

test("reads a list, also of a gateway that knows little", () => {
  const [model] = readModels({ object: "list", data: [{ id: "tiny", object: "model", teetee }] });
  expect(model).toMatchObject({ name: "tiny", model: `0x${"ab".repeat(32)}`, price_out: 20n, class: "unknown", slot_list: [], routes: 0 });
});

test("reads slots and speed", () => {
  const slot_list = [{ slot: 0, first_block: null, blocks: 15, share: 15, bytes: 1000, live: 1, joined: 2, hosts: [`0x${"11".repeat(20)}`] }];
  const [model] = readModels({ data: [{ id: "x", teetee: { ...teetee, slot_list, routes: 1, class: "simulated", speed: { tokens_per_second: 21.5, ttft_ms: 80, samples: 3, since: 1 } } }] });
  expect(model?.slot_list[0]?.blocks).toBe(15);
  expect(model?.speed?.tokens_per_second).toBe(21.5);
});

test("refuses another form, and names where", () => {
  expect(() => readModels({ data: [{ id: "x", teetee: { ...teetee, price_in: 10 } }] })).toThrow(/data\.0\.teetee\.price_in/);
  expect(() => readModels([])).toThrow(/another form/);
});

test("says the status of a gateway that refuses", async () => {
  vi.stubGlobal("fetch", async () => new Response("", { status: 503 }));
  await expect(getModels("http://127.0.0.1:1")).rejects.toThrow("the gateway answered 503");
});
