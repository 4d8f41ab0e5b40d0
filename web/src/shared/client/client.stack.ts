// The client against the running system: $TEETEE_UP is the up.json of `./dev up`. tests/e2e/page_client.py runs it there
// (vitest's project `stack`, which exists only then).
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { sessionHash } from "../seal/payment";
import { type Address, type Hash, toHex, type Wei } from "../verify/bytes";
import { addressOf, generatePrivateKey } from "../verify/secp256k1";
import { repositoryFile } from "../verify/testing/shared-folder";
import { readTrustFile, type TrustFile } from "../verify/trust-file";
import { structHash } from "../verify/typed-data";
import { type Answer, type AskEvent, type AskHandle, ask, type PayWith, resumeAsk } from "./ask";
import { type Bundle, bundleText, parseBundle } from "./bundle";
import { type ChainReader, type ChainWriter, Contracts } from "./chain";
import { GatewayClient } from "./gateway";
import { releaseTab } from "./release";
import { makeRoute, type Route } from "./route";
import { RouteCache } from "./route-cache";
import { MemoryTabStore, Tabs } from "./tabs";
import { viemReader, viemWriter } from "./testing/viem-chain";
import { verifyBundle, verifyOnChain } from "./verify-bundle";

interface Up {
  readonly gateway: string;
  readonly rpc: string;
  readonly model: { readonly name: string };
  readonly trust: string;
  readonly keys: Readonly<Record<string, string>>;
}

let up: Up;
let trust: TrustFile;
let reader: ChainReader;
let writer: ChainWriter;
let contracts: Contracts;
let gateway: GatewayClient;
let routes: RouteCache;
let tabs: Tabs;
let folder: string;

async function rpc(method: string, ...params: unknown[]): Promise<void> {
  const body = JSON.stringify({ jsonrpc: "2.0", id: 1, method, params });
  const answer = await fetch(up.rpc, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body,
  });
  const json = (await answer.json()) as { error?: { message: string } };
  if (json.error !== undefined) throw new Error(`${method}: ${json.error.message}`);
}

function request(content: string, more: Record<string, unknown> = {}): string {
  const messages = [{ role: "user", content }];
  return JSON.stringify({
    model: up.model.name,
    messages,
    stream: true,
    temperature: 0,
    max_tokens: 24,
    ...more,
  });
}

async function collect(handle: AskHandle): Promise<AskEvent[]> {
  const events: AskEvent[] = [];
  for await (const event of handle.events) events.push(event);
  return events;
}

function answerOf(events: readonly AskEvent[]): Answer {
  const last = events.at(-1);
  if (last?.t === "error") throw last.error;
  if (last?.t !== "done") throw new Error("the events did not end");
  return last.answer;
}

const byTab = (): PayWith => ({ kind: "tab", tabs, writer });
const chat = (body: string, pay: PayWith = byTab()) =>
  ask(routes, { path: "/v1/chat/completions", body, pay });

/** An answer; where the head says that its chain or a stage does not answer now, the question is put again, as it says. */
async function answered(
  body: string,
  pay: () => PayWith = byTab,
): Promise<{ answer: Answer; events: AskEvent[] }> {
  for (let attempt = 0; ; attempt++) {
    const events = await collect(chat(body, pay()));
    const last = events.at(-1);
    const busy = last?.t === "error" && last.error.details.status === 503;
    if (!busy || attempt === 4) return { answer: answerOf(events), events };
    await new Promise((resolve) => setTimeout(resolve, 2000));
  }
}

/** The C++ program's word on a bundle. */
function teeteeVerify(text: string, ...args: string[]): string {
  const file = join(folder, `${Math.random()}.json`);
  writeFileSync(file, text, { mode: 0o600 });
  return execFileSync(repositoryFile("build/bin/teetee"), ["verify", file, ...args], { encoding: "utf8" });
}

async function until<T>(what: string, read: () => Promise<T | undefined>): Promise<T> {
  for (let i = 0; i < 300; i++) {
    const value = await read();
    if (value !== undefined) return value;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  throw new Error(`${what} did not happen`);
}

async function expectVerified(answer: Answer): Promise<void> {
  const checks = await verifyBundle(parseBundle(answer.bundleText), trust);
  expect(checks.failure).toBeUndefined();
  expect(teeteeVerify(answer.bundleText, "--trust", up.trust)).toMatch(/^VALID as of block/m);
}

describe("against the running system", () => {
  beforeAll(async () => {
    up = JSON.parse(readFileSync(process.env["TEETEE_UP"] ?? "", "utf8"));
    trust = readTrustFile(readFileSync(up.trust, "utf8"));
    reader = viemReader(up.rpc);
    const key = toHex(generatePrivateKey());
    writer = viemWriter(up.rpc, `0x${key}`, trust);
    await rpc("anvil_setBalance", writer.address, `0x${(10n ** 18n).toString(16)}`);
    contracts = new Contracts(reader, trust);
    gateway = new GatewayClient(up.gateway);
    routes = new RouteCache({ gateway, trust, chain: reader });
    tabs = new Tabs({ trust, contracts, user: writer.address, store: new MemoryTabStore() });
    folder = mkdtempSync(join(tmpdir(), "teetee-page-"));
  });
  afterAll(() => {
    if (existsSync(folder)) rmSync(folder, { recursive: true });
  });

  test("a route is verified node by node", async () => {
    const result = await makeRoute({ gateway, trust, chain: reader }, up.model.name);
    if (!result.ok) throw result.error;
    expect(result.route.checks.failure).toBeUndefined();
    expect(result.route.nodes.map((node) => node.slot)).toEqual(result.route.params.slots.map((_, i) => i));
    expect(result.route.checks.all.filter((check) => check.id === "claims.block")).toHaveLength(
      result.route.nodes.length,
    );
  });

  test("an answer by tab has a receipt that both verifiers accept, here and on chain", async () => {
    const { answer } = await answered(request("What is the capital of France?"));
    expect(answer.texts[0]).toContain("Paris");
    expect(answer.cost).toBeGreaterThan(0n);
    await expectVerified(answer);
    const { receipt } = answer.bundle.receipt;
    const settlement = await until("the batch", () =>
      gateway.settlement(structHash("Receipt", receipt)).catch(() => undefined),
    );
    const settled: Bundle = { ...answer.bundle, settlement };
    const checks = await verifyBundle(settled, trust);
    await verifyOnChain(settled, reader, checks);
    expect(checks.failure).toBeUndefined();
    expect(teeteeVerify(bundleText(settled), "--trust", up.trust, "--rpc", up.rpc)).toMatch(/^VALID/m);
    const forged = { ...settled, outputs: ["London"] };
    expect((await verifyBundle(forged, trust)).failure?.id).toBe("receipt.output");
    expect(() => teeteeVerify(bundleText(forged), "--trust", up.trust)).toThrow();
  });

  test("an answer by a query of its own stands on chain by itself, and costs what the receipt says", async () => {
    const before = await contracts.credits(writer.address);
    const { answer, events } = await answered(request("Say hello."), () => ({
      kind: "strict",
      contracts,
      writer,
    }));
    await expectVerified(answer);
    const { receipt } = answer.bundle.receipt;
    await until("the settlement", async () =>
      (await contracts.recordOf(receipt.query)) === structHash("Receipt", receipt) ? true : undefined,
    );
    const checks = await verifyBundle(answer.bundle, trust);
    await verifyOnChain(answer.bundle, reader, checks);
    expect(checks.failure).toBeUndefined();
    const bought = events.find((event) => event.t === "funding");
    const buy = bought?.t === "funding" ? bought.funding.buy : 0n;
    expect(await contracts.credits(writer.address)).toBe(before + buy - answer.cost);
  });

  test("an answer for a host is free of charge", async () => {
    const file = up.keys["host1"] ?? "";
    const host = viemWriter(up.rpc, `0x${readFileSync(file, "utf8").trim().replace(/^0x/, "")}`, trust);
    const session = generatePrivateKey();
    const expires = BigInt(Math.floor(Date.now() / 1000) + 3600);
    const model = trust.models.get(up.model.name) as Hash;
    const access = await host.signAccess({
      host: host.address,
      model,
      session: sessionHash(addressOf(session)),
      expires,
    });
    const free = { kind: "free", host: host.address, session, expires, access } as const;
    const { answer } = await answered(request("Say hello."), () => free);
    expect(answer.cost).toBe(0n);
    await expectVerified(answer);
    const stranger = { kind: "free", host: writer.address, session, expires, access } as const;
    const refused = (await collect(chat(request("Say hello."), stranger))).at(-1);
    expect(refused).toMatchObject({ t: "error", error: { kind: "head", details: { status: 402 } } });
  });

  test("a stopped answer is billed for what was delivered", async () => {
    const handle = chat(request("Count from one to two hundred in words.", { max_tokens: 400 }));
    const events: AskEvent[] = [];
    for await (const event of handle.events) {
      events.push(event);
      if (event.t === "text" && events.filter((seen) => seen.t === "text").length === 3)
        await handle.cancel();
    }
    const answer = answerOf(events);
    expect(answer.cancelled).toBe(true);
    expect(answer.tokensOut).toBeLessThan(400);
    expect(answer.bundle.receipt.transcript.finish).toBe("cancel");
    await expectVerified(answer);
  });

  test("an answer whose page was reloaded in the middle goes on, and is paid for once", async () => {
    const handle = chat(request("Count from one to thirty in words.", { max_tokens: 60 }));
    let pending = "";
    let seen = "";
    for await (const event of handle.events) {
      if (event.t === "sent") pending = event.pending;
      if (event.t === "text") seen += event.text;
      if (seen.length > 10) break;
    }
    const before = (await tabs.lines())[0]?.used ?? 0n;
    const answer = answerOf(await collect(resumeAsk({ gateway, trust, tabs }, pending)));
    expect(answer.texts[0]?.startsWith(seen)).toBe(true);
    await expectVerified(answer);
    const after = (await tabs.lines())[0]?.used ?? 0n;
    expect(after - before).toBe(answer.cost);
  });

  test("a connection that breaks in the middle is taken up where it broke", async () => {
    let cuts = 2;
    const cutting = new GatewayClient(up.gateway, async (url, init) => {
      const response = await fetch(url, init);
      if (!/sealed|control/.test(url) || cuts-- <= 0) return response;
      let left = 1500;
      const cut = new TransformStream<Uint8Array, Uint8Array>({
        transform(piece, controller) {
          left -= piece.length;
          if (left > 0) controller.enqueue(piece);
          else controller.error(new TypeError("network error"));
        },
      });
      return new Response(response.body?.pipeThrough(cut) ?? null, { status: response.status });
    });
    const own = new RouteCache({ gateway: cutting, trust, chain: reader });
    const body = request("Count from one to thirty in words.", { max_tokens: 60 });
    const answer = answerOf(await collect(ask(own, { path: "/v1/chat/completions", body, pay: byTab() })));
    expect(cuts).toBeLessThanOrEqual(0);
    await expectVerified(answer);
    const { answer: whole } = await answered(body);
    expect(answer.texts).toEqual(whole.texts);
  });

  test.each<[string, RegExp, (json: Record<string, unknown>, route: Route) => unknown, string]>([
    ["another HPKE key", /evidence$/, swapKey, "report_data"],
    [
      "another manifest",
      /models\//,
      (json) => ({ ...json, manifest: `${json["manifest"]}\n` }),
      "model.manifest",
    ],
    ["a node that is not the model's", /nodes\?/, otherKey, "node.key"],
  ])("a gateway that shows %s is refused before anything is sent", async (_, path, change, check) => {
    const honest = await routes.get(up.model.name);
    const sent: string[] = [];
    const lying = new GatewayClient(up.gateway, async (url, init) => {
      sent.push(url);
      const asked =
        check === "node.key" ? url.replace(/0x4242[0-9a-f]{36}/, honest.nodes[0]?.key ?? "") : url;
      const response = await fetch(asked, init);
      return path.test(url)
        ? new Response(JSON.stringify(change((await response.json()) as never, honest)))
        : response;
    });
    const result = await makeRoute({ gateway: lying, trust, chain: reader }, up.model.name);
    expect(result.ok ? "" : result.error.details.check).toBe(check);
    const own = new RouteCache({ gateway: lying, trust, chain: reader });
    const events = await collect(
      ask(own, { path: "/v1/chat/completions", body: request("secret"), pay: byTab() }),
    );
    expect(events.map((event) => event.t)).toEqual(["error"]);
    expect(sent.some((url) => url.includes("sealed"))).toBe(false);
  });

  test("a tab that the head lets go gives back what is left", async () => {
    const route = await routes.get(up.model.name);
    const [state] = await tabs.lines();
    const { used } = state ?? { used: 0n };
    const head = state?.head as Address;
    const tab = await until("the settlement of all answers", async () => {
      const status = await tabs.status(route.model, head);
      return status.tab.spent === used ? status.tab : undefined;
    });
    const before = await contracts.credits(writer.address);
    await until("the release", async () => {
      try {
        return await releaseTab(routes, tabs, up.model.name, contracts, writer);
      } catch {
        return undefined;
      }
    });
    expect(await contracts.credits(writer.address)).toBe((before + tab.funded - tab.spent) as Wei);
    expect((await tabs.status(route.model, head)).tab.signer).toBeUndefined();
  });
});

// The claims' HPKE key, replaced by one of the gateway's own.
function swapKey(json: Record<string, unknown>): unknown {
  const bytes = Buffer.from(String(json["evidence"]), "base64");
  bytes.fill(0x42, bytes.indexOf("hpke-key") + 10, bytes.indexOf("hpke-key") + 42);
  return { ...json, evidence: bytes.toString("base64") };
}

// The head under another key: the gateway relays to it what is meant for that key.
function otherKey(json: Record<string, unknown>): unknown {
  const nodes = json["nodes"] as { slot: number }[];
  return {
    ...json,
    nodes: nodes.map((node) => (node.slot === 0 ? { ...node, key: `0x${"42".repeat(20)}` } : node)),
  };
}
