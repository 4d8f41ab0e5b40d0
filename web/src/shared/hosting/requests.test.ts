import { afterEach, describe, expect, it, vi } from "vitest";
import { approve } from "./approve.ts";
import { parseJoinEvidence } from "./join-evidence.ts";
import { relay, relayJson } from "./relay.ts";

const answer = (body: BodyInit, init: ResponseInit = {}) =>
  vi.stubGlobal(
    "fetch",
    vi.fn(async () => new Response(body, init)),
  );
const sent = () => JSON.parse(String(vi.mocked(fetch).mock.calls[0]?.[1]?.body)) as Record<string, unknown>;

afterEach(() => vi.unstubAllGlobals());

describe("relay", () => {
  it("tells a refusal of the node from one of the gateway", async () => {
    const error = '{"error":{"message":"busy"}}';
    answer(error, { status: 429, headers: { "x-teetee-relayed": "node" } });
    await expect(relay("", "http://n", "/v1/teetee/manifest", null)).rejects.toThrow("The node: busy");
    answer(error, { status: 403 });
    await expect(relay("", "http://n", "/v1/teetee/manifest", null)).rejects.toThrow("The gateway: busy");
  });
  it("refuses an answer that is no JSON", async () => {
    answer("<html>", { headers: { "x-teetee-relayed": "node" } });
    await expect(relayJson("", "http://n", "/v1/teetee/evidence", null)).rejects.toThrow(/no JSON/);
  });
  it("sends bytes as base64 and gives bytes back as they are", async () => {
    answer(new Uint8Array([1, 0, 255]));
    expect(await relay("http://g", "http://n", "/v1/teetee/challenge", new Uint8Array([255, 0]))).toEqual(
      new Uint8Array([1, 0, 255]),
    );
    expect(sent()).toEqual({ url: "http://n", path: "/v1/teetee/challenge", body: "/wA=" });
  });
});

const evidence = {
  key: `0x${"22".repeat(20)}`,
  slot: 1,
  model: `0x${"33".repeat(32)}`,
  weights: `0x${"44".repeat(32)}`,
  host: `0x${"55".repeat(20)}`,
  block_number: 7,
  block_hash: `0x${"77".repeat(32)}`,
  report_data: `0x${"88".repeat(32)}`,
  quote: "AAEC",
  collateral: { tcb_info: "{}" },
};

describe("join evidence", () => {
  it("refuses every field of another form", () => {
    for (const change of [
      { key: "0x22" },
      { slot: -1 },
      { weights: "44" },
      { block_number: 1.5 },
      { report_data: `${evidence.report_data}00` },
      { quote: "%" },
      { collateral: "" },
    ]) {
      expect(() => parseJoinEvidence({ ...evidence, ...change }), JSON.stringify(change)).toThrow();
    }
  });
  it("keeps what the auditor is to see as it came", () => {
    const found = parseJoinEvidence(evidence);
    expect(found.raw).toBe(evidence);
    expect(found).toMatchObject({ blockNumber: 7n, quote: new Uint8Array([0, 1, 2]) });
  });
});

describe("approve", () => {
  it("passes the auditor's refusal on", async () => {
    answer('{"error":{"message":"check measurement: unknown","param":"measurement"}}', { status: 403 });
    await expect(approve("", evidence)).rejects.toThrow("check measurement: unknown");
  });
  it("refuses an approval of another form", async () => {
    answer(JSON.stringify({ reportData: evidence.report_data, expires: 5, quote: "0x1" }));
    await expect(approve("", evidence)).rejects.toThrow(/form/);
  });
});
