import { afterEach, expect, test, vi } from "vitest";
import { checkRpc, readChainId } from "./check-rpc.ts";

afterEach(() => vi.unstubAllGlobals());

const answering = (json: unknown) => vi.stubGlobal("fetch", async () => new Response(JSON.stringify(json)));

test("takes an RPC of the right chain", async () => {
  answering({ jsonrpc: "2.0", id: 1, result: "0x7a69" });
  expect(await checkRpc("http://127.0.0.1:8545", 31337)).toEqual({ ok: true });
});

test("refuses another chain, another kind of answer, no answer, no address", async () => {
  answering({ result: "0x1" });
  expect(await checkRpc("http://127.0.0.1:8545", 31337)).toMatchObject({ problem: { message: "This RPC is for chain 1" } });
  answering({ hello: 1 });
  expect(await checkRpc("http://127.0.0.1:8545", 31337)).toMatchObject({ problem: { message: /not answer like an RPC/ } });
  vi.stubGlobal("fetch", async () => Promise.reject(new TypeError("Failed to fetch")));
  expect(await checkRpc("http://127.0.0.1:8545", 31337)).toMatchObject({ problem: { message: "The RPC does not answer" } });
  expect(await checkRpc("file:///etc/passwd", 31337)).toMatchObject({ ok: false });
});

test("reads only a hex number", () => {
  expect(readChainId({ result: "31337" })).toBeNull();
  expect(readChainId(null)).toBeNull();
});
