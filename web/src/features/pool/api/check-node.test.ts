import { afterEach, expect, it, vi } from "vitest";
import { checkNode } from "./check-node.ts";

const node = { url: "http://n", model: "0x33", slot: 1, host: "0x55" };
const stream = (...lines: string[]) =>
  vi.stubGlobal(
    "fetch",
    vi.fn(async () => new Response(lines.map((line) => `data: ${line}\n\n`).join(""))),
  );
const run = async () => {
  const seen: string[] = [];
  await checkNode("http://g", node, (event) => seen.push(`${event.check} ${event.status} ${event.cure}`));
  return seen;
};
afterEach(() => vi.unstubAllGlobals());

it("gives each event, with null cures as none, up to the end", async () => {
  stream(
    '{"check":"node.address","status":"passed","detail":"ok","cure":null}',
    '{"check":"node.tls","status":"failed","detail":"x","cure":"open it","data":{}}',
    '{"done":true}',
  );
  expect(await run()).toEqual(["node.address passed ", "node.tls failed open it"]);
});

it("leaves out events of another form", async () => {
  stream('{"check":"node.address","status":"great"}', "[]", '{"done":true}');
  expect(await run()).toEqual([]);
});

it("says that the gateway broke off, and passes its refusal on", async () => {
  stream('{"check":"node.address","status":"passed"}');
  await expect(run()).rejects.toThrow(/broke off/);
  vi.stubGlobal(
    "fetch",
    vi.fn(async () => Response.json({ error: { message: "too many checks" } }, { status: 429 })),
  );
  await expect(run()).rejects.toThrow("too many checks");
});
