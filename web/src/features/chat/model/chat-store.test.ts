// @vitest-environment jsdom
import "fake-indexeddb/auto";
import { IDBFactory } from "fake-indexeddb";
import { beforeEach, expect, test, vi } from "vitest";
import type { AskEvent, AskHandle } from "@/shared/client/ask.ts";
import { ClientError } from "@/shared/client/client-error.ts";
import { type Vault, VaultOpener } from "@/shared/vault/vault.ts";
import { ChatStore, type Engine } from "./chat-store.ts";
import { DEFAULT_PARAMETERS, lastReply, type Reply, unansweredQueries } from "./conversation.ts";

const sent = { t: "sent", request: "r", pending: "PENDING" } as AskEvent;
const text = (words: string) => ({ t: "text", choice: 0, text: words }) as AskEvent;
const done = (words: string, cancelled = false) => ({ t: "done", answer: { texts: [words], cancelled, bundleText: "BUNDLE" } }) as unknown as AskEvent;
const failed = (error: ClientError, resumable: boolean) => ({ t: "error", error, resumable }) as AskEvent;

function handleOf(events: AskEvent[], hold?: Promise<void>): AskHandle & { cancel: ReturnType<typeof vi.fn> } {
  async function* run(): AsyncGenerator<AskEvent> {
    for (const event of events) yield event;
    await hold;
  }
  return { events: run(), cancel: vi.fn(async () => undefined) };
}

let vault: Vault;

beforeEach(async () => {
  vi.stubGlobal("indexedDB", new IDBFactory());
  const opened = await new VaultOpener("0xaa", "http://127.0.0.1:1").withPassphrase("a passphrase");
  if (!opened) throw new Error("no vault");
  vault = opened;
});

async function storeWith(engine: Engine): Promise<ChatStore> {
  const store = new ChatStore(vault);
  store.use(engine);
  await store.load();
  return store;
}

const asking = (events: AskEvent[]): Engine => ({ ask: () => handleOf(events), resume: () => handleOf(events) });
const reply = (store: ChatStore, id: string) => {
  const conversation = store.find(id);
  return conversation && lastReply(conversation);
};

test("an answer streams in, ends, and is there after a reload", async () => {
  const store = await storeWith(asking([sent, text("Par"), text("is"), done("Paris")]));
  const id = store.create("tiny", DEFAULT_PARAMETERS);
  await store.send(id, "Capital of France?", "tab");
  expect(reply(store, id)).toMatchObject({ text: "Paris", state: "done", step: "" });
  const again = await storeWith(asking([]));
  expect(again.find(id)?.messages).toHaveLength(2);
  expect(again.find(id)?.title).toBe("Capital of France?");
  expect(await vault.get("pending", reply(store, id)?.id ?? "")).toBeUndefined();
});

test("an answer that broke off can be fetched, also after a reload", async () => {
  const store = await storeWith(asking([sent, text("Par"), failed(new ClientError("cut", "the connection broke"), true)]));
  const id = store.create("tiny", DEFAULT_PARAMETERS);
  await store.send(id, "Capital?", "tab");
  expect(reply(store, id)).toMatchObject({ state: "interrupted", text: "Par" });
  const resumed: string[] = [];
  const again = await storeWith({
    ask: () => handleOf([]),
    resume: (pending) => {
      resumed.push(pending);
      return handleOf([text("Par"), text("is"), done("Paris")]);
    },
  });
  await again.resume(id, reply(again, id)?.id ?? "");
  expect(resumed).toEqual(["PENDING"]);
  expect(reply(again, id)).toMatchObject({ state: "done", text: "Paris", problem: null });
});

test("a page that was closed in the middle of an answer shows it as interrupted", async () => {
  const never = new Promise<void>(() => undefined);
  const store = await storeWith({ ask: () => handleOf([sent, text("Par")], never), resume: () => handleOf([]) });
  const id = store.create("tiny", DEFAULT_PARAMETERS);
  void store.send(id, "Capital?", "tab");
  await vi.waitFor(async () => expect(await vault.get("pending", reply(store, id)?.id ?? "")).toBe("PENDING"));
  const again = await storeWith(asking([]));
  expect(reply(again, id)?.state).toBe("interrupted");
});

test("a refusal ends the reply with whose word it is", async () => {
  const error = new ClientError("head", "too little money", { next: "Top up." });
  const store = await storeWith(asking([sent, failed(error, false)]));
  const id = store.create("tiny", DEFAULT_PARAMETERS);
  await store.send(id, "x", "tab");
  expect(reply(store, id)).toMatchObject({ state: "failed", problem: { kind: "head", message: "Too little money", next: "Top up." } });
  expect(await vault.get("pending", reply(store, id)?.id ?? "")).toBeUndefined();
});

test("a wallet that refuses before anything is sent leaves a clear state", async () => {
  const store = await storeWith({ ask: () => Promise.reject(new ClientError("money", "you refused in your wallet")), resume: () => handleOf([]) });
  const id = store.create("tiny", DEFAULT_PARAMETERS);
  await store.send(id, "x", "strict");
  expect(reply(store, id)).toMatchObject({ state: "failed", problem: { kind: "money" } });
});

test("an open query is kept the moment it is known", async () => {
  const query = { user: "0x1", model: "0x2", head: "0x3", input: "0x4", maxCost: 5n, deadline: 6n, nonce: 7n };
  const never = new Promise<void>(() => undefined);
  const store = await storeWith({ ask: () => handleOf([{ t: "query", query, id: "0xq" } as unknown as AskEvent], never), resume: () => handleOf([]) });
  const id = store.create("tiny", DEFAULT_PARAMETERS);
  void store.send(id, "x", "strict");
  await vi.waitFor(() => expect(reply(store, id)?.query?.id).toBe("0xq"));
  await vi.waitFor(async () => expect(await vault.get("conversation", id)).toContain("0xq"));
  const again = await storeWith(asking([]));
  expect(reply(again, id)?.query).toMatchObject({ id: "0xq", maxCost: "5", deadline: "6", refunded: false });
});

test("money that stands on chain for an answer is not forgotten when the answer is replaced or its question edited", async () => {
  const query = (n: number) => ({ t: "query", query: { user: "0x1", model: "0x2", head: "0x3", input: "0x4", maxCost: 5n, deadline: 6n, nonce: 7n }, id: `0xq${n}` }) as unknown as AskEvent;
  let n = 0;
  const store = await storeWith({ ask: () => handleOf([query(++n), failed(new ClientError("cut", "the node died"), false)]), resume: () => handleOf([]) });
  const id = store.create("tiny", DEFAULT_PARAMETERS);
  const unanswered = () => unansweredQueries(reply(store, id) as Reply).map((one) => one.id);
  await store.send(id, "x", "strict");
  await store.regenerate(id, reply(store, id)?.id ?? "", "strict");
  expect(unanswered()).toEqual(["0xq1", "0xq2"]);
  await store.edit(id, store.find(id)?.messages[0]?.id ?? "", "other", "strict");
  expect(unanswered()).toEqual(["0xq1", "0xq2", "0xq3"]);
});

test("stop tells the answer's handle, also when it comes later", async () => {
  let give: (handle: AskHandle) => void = () => undefined;
  const handle = handleOf([sent, done("half", true)]);
  const store = await storeWith({ ask: () => new Promise((resolve) => (give = resolve)), resume: () => handle });
  const id = store.create("tiny", DEFAULT_PARAMETERS);
  const sending = store.send(id, "x", "tab");
  await vi.waitFor(() => expect(reply(store, id)?.step).toMatch(/Verifying/));
  await store.stop(reply(store, id)?.id ?? "");
  give(handle);
  await sending;
  expect(handle.cancel).toHaveBeenCalled();
  expect(reply(store, id)?.state).toBe("stopped");
});

test("regenerate replaces the answer, edit replaces the question; both drop what follows", async () => {
  const bodies: string[] = [];
  const store = await storeWith({
    ask: (body) => {
      bodies.push(body);
      return handleOf([sent, done(`answer ${bodies.length}`)]);
    },
    resume: () => handleOf([]),
  });
  const id = store.create("tiny", DEFAULT_PARAMETERS);
  await store.send(id, "one", "tab");
  await store.send(id, "two", "tab");
  const first = store.find(id)?.messages[1];
  await store.regenerate(id, first?.id ?? "", "tab");
  expect(store.find(id)?.messages).toHaveLength(2);
  expect(JSON.parse(bodies[2] ?? "").messages).toEqual([{ role: "user", content: "one" }]);
  await store.edit(id, store.find(id)?.messages[0]?.id ?? "", "other", "tab");
  expect(store.find(id)?.messages.map((message) => message.text)).toEqual(["other", "answer 4"]);
});

test("a deleted conversation leaves nothing", async () => {
  const store = await storeWith(asking([sent, done("x")]));
  const id = store.create("tiny", DEFAULT_PARAMETERS);
  await store.send(id, "x", "tab");
  await store.remove(id);
  expect(store.getSnapshot().conversations).toEqual([]);
  expect(await vault.all("conversation")).toEqual([]);
});

test("without a wallet nothing is sent, and the reply says so", async () => {
  const store = new ChatStore(vault);
  await store.load();
  const id = store.create("tiny", DEFAULT_PARAMETERS);
  await store.send(id, "x", "tab");
  expect(reply(store, id)).toMatchObject({ state: "failed", problem: { cause: "Nothing was sent." } });
});
