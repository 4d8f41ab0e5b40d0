// Whatever the bytes: bundles, receipts, plans, kept requests and the gateway's answers are read or refused, nothing else.
import { beforeAll, expect, test } from "vitest";
import { planFromJson, planJson } from "../seal/plan";
import { type Address, utf8 } from "../verify/bytes";
import { expectObject } from "../verify/fields";
import { dumpJson, type Json, type JsonObject, parseJson } from "../verify/json";
import { receiptDocumentFromJson } from "../verify/receipt";
import { Malformed } from "../verify/refusal";
import { generatePrivateKey, parseSignature } from "../verify/secp256k1";
import { expectOnlyRefusals } from "../verify/testing/random";
import { type Answer, ask } from "./ask";
import { bundleText, parseBundle } from "./bundle";
import { ClientError } from "./client-error";
import { parsePending } from "./exchange";
import { GatewayClient, settlementFromJson, shownEvidenceFromJson } from "./gateway";
import { RouteCache } from "./route-cache";
import { collect, of } from "./testing/collect";
import { FakeWorld } from "./testing/fake-world";
import { verifyBundle } from "./verify-bundle";

let world: FakeWorld;
let answer: Answer;
let pending: string;

beforeAll(async () => {
  world = await FakeWorld.make();
  const routes = new RouteCache({
    gateway: world.gateway,
    trust: world.trust,
    chain: world.chain,
    now: () => world.now,
  });
  const host = `0x${"99".repeat(20)}` as Address;
  const access = parseSignature("00".repeat(64));
  const pay = { kind: "free", host, session: generatePrivateKey(), expires: 2_000_000_000n, access } as const;
  const body = JSON.stringify({ model: "tiny", stream: true, messages: [] });
  const events = await collect(
    ask(routes, { path: "/v1/chat/completions", body, pay }, { now: () => world.now }),
  );
  answer = of(events, "done")[0]?.answer as Answer;
  pending = of(events, "sent")[0]?.pending ?? "";
});

const json = (parse: (value: Json) => unknown) => (bytes: Uint8Array) =>
  parse(parseJson(bytes, { maxBytes: 1 << 22 }));

test("bundles", () => {
  expectOnlyRefusals(parseBundle, [utf8(answer.bundleText)], 120);
  const parsed = parseBundle(answer.bundleText);
  expect(bundleText(parsed)).toBe(answer.bundleText);
});

test("a bundle with any text changed does not verify", async () => {
  const honest = parseJson(answer.bundleText) as JsonObject;
  const accepted: string[] = [];
  for (const [path, changed] of variants(honest)) {
    try {
      const checks = await verifyBundle(parseBundle(dumpJson(changed)), world.trust);
      if (checks.passed) accepted.push(path);
    } catch (error) {
      expect(error).toBeInstanceOf(Malformed);
    }
  }
  // Also what nobody signs: the file's digest covers it.
  expect(accepted).toEqual([]);
});

// Each text and number outside the evidence, changed a little; the evidence has tests of its own.
function* variants(value: JsonObject): Generator<[string, JsonObject]> {
  for (const [key, item] of Object.entries(value)) {
    for (const [path, changed] of changes(item)) {
      if (key !== "evidence") yield [`${key}${path}`, { ...value, [key]: changed }];
    }
  }
}

function* changes(value: Json): Generator<[string, Json]> {
  if (typeof value === "string") {
    const at = value.length >> 1;
    yield ["", value.slice(0, at) + (value[at] === "1" ? "2" : "1") + value.slice(at + 1)];
  } else if (typeof value === "bigint") {
    yield ["", value + 1n];
  } else if (Array.isArray(value)) {
    for (const [i, item] of value.entries()) {
      for (const [path, changed] of changes(item)) yield [`[${i}]${path}`, value.with(i, changed)];
    }
  } else if (typeof value === "object" && value !== null) {
    const object = value as JsonObject;
    for (const [key, item] of Object.entries(object)) {
      for (const [path, changed] of changes(item)) yield [`.${key}${path}`, { ...object, [key]: changed }];
    }
  }
}

test("receipts, plans, kept requests, evidence and settlements", async () => {
  const text = (value: Json) => [utf8(dumpJson(value))];
  expectOnlyRefusals(json(receiptDocumentFromJson), text(answer.bundle.receipt.json));
  expectOnlyRefusals(json(planFromJson), text(planJson(answer.bundle.plan)));
  expectOnlyRefusals((bytes) => parsePending(new TextDecoder().decode(bytes)), [utf8(pending)], 120);
  const [evidence] = answer.bundle.evidence;
  const shown = {
    channel: "a:1",
    kind: "simulated",
    evidence: "AAAA",
    collateral: evidence?.collateral ?? {},
  };
  expectOnlyRefusals(json(shownEvidenceFromJson), text(shown), 120);
  const settlement = { seq: 1n, root: `0x${"01".repeat(32)}`, proof: [`0x${"02".repeat(32)}`], tx: "0x" };
  expectOnlyRefusals(
    json((value) => settlementFromJson(expectObject(value, "settlement"))),
    text(settlement),
  );
});

test("a gateway's junk is a ClientError that says whose it is", async () => {
  for (const junk of [
    "",
    "{",
    "[]",
    "{}",
    '{"nodes":[{}]}',
    '{"nodes":{}}',
    "\u0000",
    '{"params":{},"manifest":1}',
  ]) {
    const gateway = new GatewayClient("http://gateway", async () => new Response(junk));
    for (const call of [
      gateway.nodes(world.model),
      gateway.model(world.model),
      gateway.evidence(world.model as never),
    ]) {
      const error = await call.catch((caught: unknown) => caught);
      expect(error).toBeInstanceOf(ClientError);
      expect((error as ClientError).message).toMatch(/^gateway/);
    }
  }
});
