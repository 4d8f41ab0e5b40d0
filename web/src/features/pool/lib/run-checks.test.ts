import { describe, expect, it } from "vitest";
import { mrConfigIdOf } from "./app-compose";
import { type CheckList, firstFailure, freshChecks, mayJoin } from "./check-list";
import {
  type CheckPorts,
  type CheckTarget,
  type EvidenceVerdict,
  type GatewayEvent,
  type GoodEvidence,
  runChecks,
} from "./run-checks";

const hash = "77".repeat(32);
const host = `0x${"55".repeat(20)}`;
const key = `0x${"22".repeat(20)}`;
const model = `0x${"33".repeat(32)}`;
const kat = { n_tokens: 4, output_sha256: "ab".repeat(32), seed: "0x0000000000000007" };
const nonce = "0c".repeat(32);

const target: CheckTarget = {
  url: "http://node.example:9100",
  model,
  slot: 1,
  host,
  weights: `0x${"44".repeat(32)}`,
  manifestHash: `0x${"66".repeat(32)}`,
  knownAnswers: [kat],
  composeHashes: [hash],
};

const good: GoodEvidence = {
  ok: true,
  simulated: true,
  claims: {
    host,
    model,
    slot: 1,
    signer: key,
    weights: target.weights,
    hpkeKey: new Uint8Array(32),
    tlsKeyHash: "ee".repeat(32),
    block: 5n,
    blockHash: "0x07",
    blockTime: 1_700_000_000,
  },
  mrConfigId: mrConfigIdOf(hash),
  passed: [],
  hardware: [],
  tcb: [],
  tcbText: "UpToDate",
  measurement: [],
  measurementText: "release",
};

const seen = ["node.address", "node.reachable", "node.identity", "node.tls", "node.speed"];
const event = (check: string, status: GatewayEvent["status"] = "passed", detail = ""): GatewayEvent => ({
  check,
  status,
  detail,
  cure: "",
  data: {},
});

function tell(onEvent: (event: GatewayEvent) => void, checks: readonly string[]): void {
  for (const check of checks) onEvent(event(check));
}

function ports(change: Partial<CheckPorts> = {}): CheckPorts {
  return {
    gatewayChecks: async (onEvent) => tell(onEvent, seen),
    judgeEvidence: async () => good,
    proveHpke: async () => ({ ok: true, reason: "", facts: [] }),
    chainManifest: async () => target.manifestHash,
    nodeManifestHash: async () => target.manifestHash,
    blockHash: async () => "0x07",
    knownAnswer: async () => ({ kats: [kat], rows_per_second: 20, nonce, signature: "11".repeat(64) }),
    knownAnswerSigner: async () => key,
    nonce: () => nonce,
    ...change,
  };
}

const run = async (change: Partial<CheckPorts> = {}, goal: Partial<CheckTarget> = {}): Promise<CheckList> =>
  (await runChecks({ ...target, ...goal }, ports(change), () => undefined)).list;

async function expectFailure(
  id: string,
  change: Partial<CheckPorts>,
  goal: Partial<CheckTarget> = {},
): Promise<CheckList> {
  const list = await run(change, goal);
  expect(firstFailure(list)?.id).toBe(id);
  expect(firstFailure(list)?.detail).not.toBe("");
  expect(firstFailure(list)?.cure).not.toBe("");
  expect(mayJoin(list)).toBe(false);
  expect(list.some((check) => check.status === "running" || check.status === "waiting")).toBe(false);
  return list;
}

const evidence = (change: Partial<GoodEvidence["claims"]>): Partial<CheckPorts> => ({
  judgeEvidence: async (): Promise<EvidenceVerdict> => ({ ...good, claims: { ...good.claims, ...change } }),
});

describe("what is refused", () => {
  it("offers nothing before anything ran", () => {
    expect(mayJoin(freshChecks())).toBe(false);
    expect(mayJoin([])).toBe(false);
  });

  it("a node that cannot be reached: nothing else is asked", async () => {
    let asked = 0;
    const list = await expectFailure("node.reachable", {
      gatewayChecks: async (onEvent) => {
        onEvent(event("node.address"));
        onEvent(event("node.reachable", "failed", "connection refused"));
      },
      judgeEvidence: async () => {
        asked += 1;
        return good;
      },
    });
    expect(asked).toBe(0);
    expect(list.filter((check) => check.seenBy === "page").every((check) => check.status === "skipped")).toBe(
      true,
    );
  });

  it("a gateway that breaks off", () =>
    expectFailure("node.address", {
      gatewayChecks: async () => {
        throw new Error("network error");
      },
    }));

  it("a gateway that speaks for what only the page can see", async () => {
    const refused: EvidenceVerdict = { ok: false, check: "quote.signature", reason: "forged" };
    await expectFailure("hardware.quote", {
      gatewayChecks: async (onEvent) =>
        tell(onEvent, [...seen, "hardware.quote", "model.answer", "claims.host"]),
      judgeEvidence: async () => refused,
    });
  });

  it.each([
    ["tdx.debug", "hardware.quote"],
    ["tcb.status", "hardware.tcb"],
    ["measurement", "hardware.measurement"],
    ["claims.chain", "claims.chain"],
    ["claims.policy", "claims.chain"],
    ["claims.age", "claims.age"],
    ["report_data", "hardware.quote"],
  ])("evidence refused by %s fails the line %s with a cure", async (check, line) => {
    const list = await expectFailure(line, {
      judgeEvidence: async () => ({ ok: false, check, reason: `check ${check}: found` }),
    });
    expect(list.filter((c) => c.status === "failed")).toHaveLength(1);
    expect(list.find((c) => c.id === "model.answer")?.status).toBe("skipped");
  });

  it("a channel with another TLS key than the evidence names", () =>
    expectFailure("node.tls", {
      gatewayChecks: async (onEvent) => {
        tell(onEvent, seen);
        onEvent({ ...event("node.tls"), data: { spki_sha256: "ef".repeat(32) } });
      },
    }));

  it("another wallet, model or slot in the claims", async () => {
    await expectFailure("claims.host", evidence({ host: `0x${"56".repeat(20)}` }));
    await expectFailure("claims.place", evidence({ slot: 0 }));
    await expectFailure("claims.place", evidence({ model: `0x${"34".repeat(32)}` }));
  });

  it("a block that the chain does not know", async () => {
    await expectFailure("claims.chain", { blockHash: async () => null });
    await expectFailure("claims.chain", { blockHash: async () => "0x08" });
  });

  it("a swapped HPKE key", () =>
    expectFailure("key.hpke", {
      proveHpke: async () => ({ ok: false, reason: "it could not open it", facts: [] }),
    }));

  it("another manifest at the node or on chain", async () => {
    await expectFailure("model.manifest", { nodeManifestHash: async () => "0x00" });
    await expectFailure("model.manifest", { chainManifest: async () => "0x00" });
  });

  it("a wrong shard", () => expectFailure("model.weights", evidence({ weights: `0x${"45".repeat(32)}` })));

  it("a wrong bit in a known answer, a foreign signer, an old nonce", async () => {
    const answer = async () => ({
      kats: [{ ...kat, output_sha256: "ac".repeat(32) }],
      rows_per_second: 20,
      nonce,
      signature: "11".repeat(64),
    });
    await expectFailure("model.answer", { knownAnswer: answer });
    await expectFailure("model.answer", { knownAnswerSigner: async () => host });
    await expectFailure("model.answer", { nonce: () => "0d".repeat(32) });
  });

  it("another compose file", () =>
    expectFailure("hardware.compose", {}, { composeHashes: ["88".repeat(32)] }));

  it("real hardware without a compose hash", () =>
    expectFailure("hardware.compose", {
      judgeEvidence: async () => ({ ...good, simulated: false, mrConfigId: "00".repeat(48) }),
    }));
});

describe("what is accepted", () => {
  it("slot 0, which nobody dials: its channel check is skipped", async () => {
    const list = await run({
      gatewayChecks: async (onEvent) => {
        tell(onEvent, seen);
        onEvent(event("node.tls", "skipped", "slot 0 is never dialled"));
      },
    });
    expect(mayJoin(list)).toBe(true);
  });

  it("a good node, with each line passed", async () => {
    const list = await run();
    expect(list.filter((check) => check.status !== "passed")).toEqual([]);
    expect(mayJoin(list)).toBe(true);
  });

  it("simulated evidence without compose: not measured, in words", async () => {
    const list = await run({ judgeEvidence: async () => ({ ...good, mrConfigId: "00".repeat(48) }) });
    expect(list.find((check) => check.id === "hardware.compose")).toMatchObject({
      status: "skipped",
      detail: expect.stringContaining("Not measured") as string,
    });
    expect(mayJoin(list)).toBe(true);
  });
});
