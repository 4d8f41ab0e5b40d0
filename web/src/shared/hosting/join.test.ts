import { describe, expect, it } from "vitest";
import {
  explainJoinError,
  type JoinEvidence,
  type JoinPorts,
  type JoinRequest,
  type JoinResult,
  runJoin,
} from "./join";

const host = `0x${"55".repeat(20)}`;
const request: JoinRequest = {
  url: "http://n:9100",
  model: "0x33",
  slot: 1,
  key: "0x22",
  host,
  weights: "0x44",
};
const evidence: JoinEvidence = {
  key: "0x22",
  slot: 1,
  model: "0x33",
  weights: "0x44",
  host,
  blockNumber: 7n,
  blockHash: "0xb7",
  reportData: "0xdd",
  raw: {},
};

function make(change: Partial<JoinPorts> = {}): { ports: JoinPorts; sent: () => number } {
  let sent = 0;
  const ports: JoinPorts = {
    block: async () => ({ number: 7n, hash: "0xb7" }),
    joinEvidence: async () => evidence,
    expectedReportData: () => "0xdd",
    verifyQuote: async () => ({ ok: true }),
    approve: async () => ({ reportData: "0xdd", expires: 2000, quote: "0x00" }),
    send: async () => {
      sent += 1;
      return "0xtx";
    },
    mined: async () => ({ ok: true, block: 8n }),
    live: async () => true,
    now: () => 1000,
    ...change,
  };
  return { ports, sent: () => sent };
}

async function refused(step: string, change: Partial<JoinPorts>, sends = 0): Promise<JoinResult> {
  const { ports, sent } = make(change);
  const result = await runJoin(request, ports, () => undefined);
  expect(result.ok).toBe(false);
  expect(sent()).toBe(sends);
  const failed = result.steps.find((s) => s.status === "failed");
  expect(failed?.id).toBe(step);
  expect(failed?.detail).not.toBe("");
  expect(failed?.next).not.toBe("");
  return result;
}

describe("a join that is refused sends nothing", () => {
  it.each([
    ["key", { key: "0x23" }],
    ["wallet", { host: "0x56" }],
    ["model", { model: "0x34" }],
    ["slot", { slot: 0 }],
    ["shard", { weights: "0x45" }],
    ["block", { blockNumber: 6n }],
    ["block hash", { blockHash: "0xb8" }],
    ["report data", { reportData: "0xde" }],
  ])("evidence for another %s", async (_name, change) => {
    await refused("verify", { joinEvidence: async () => ({ ...evidence, ...change }) });
  });

  it("a quote that this page refuses", () =>
    refused("verify", { verifyQuote: async () => ({ ok: false, reason: "check measurement: unknown" }) }));
  it("an approval of other evidence", () =>
    refused("approve", { approve: async () => ({ reportData: "0xde", expires: 2000, quote: "0x00" }) }));
  it("an approval that expired", () =>
    refused("approve", { approve: async () => ({ reportData: "0xdd", expires: 1000, quote: "0x00" }) }));
  it("a refusal in the wallet", () =>
    refused("send", {
      send: async () => {
        throw new Error("User rejected the request.");
      },
    }));
});

it("a reverted transaction fails with its hash kept", async () => {
  const result = await refused("mined", { mined: async () => ({ ok: false, block: 8n }) }, 1);
  expect(result.tx).toBe("0xtx");
});

it("a good join runs through every step", async () => {
  const { ports, sent } = make();
  const result = await runJoin(request, ports, () => undefined);
  expect(result.ok).toBe(true);
  expect(sent()).toBe(1);
  expect(result.steps.every((step) => step.status === "done")).toBe(true);
});

it("takes the next step from whoever knows it", () => {
  expect(explainJoinError(Object.assign(new Error("busy"), { next: "Wait." }))).toEqual({
    text: "busy",
    next: "Wait.",
  });
  expect(explainJoinError("odd").next).not.toBe("");
});
