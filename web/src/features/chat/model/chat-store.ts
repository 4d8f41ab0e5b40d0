// The conversations of one wallet and the answers that are on their way. Framework-free: pages subscribe. Everything is kept in the vault
// before it matters: the pending request before its answer, the receipt's bundle with it.
import type { AskEvent, AskHandle } from "@/shared/client/ask.ts";
import { asClientError } from "@/shared/client/client-error.ts";
import type { Vault } from "@/shared/vault/vault.ts";
import {
  afterReload,
  before,
  type Conversation,
  findReply,
  isRunning,
  newConversation,
  newReply,
  type OpenQuery,
  owedFrom,
  type Parameters,
  type PayMode,
  type Question,
  type Reply,
  updateReply,
  withQuestion,
} from "./conversation.ts";
import { requestBody, seedOf } from "./request-body.ts";
import { problemOfClient, takeEvent } from "./take-event.ts";

// How questions are asked: the client core with the page's wallet, or a script in tests.
export interface Engine {
  ask(body: string, pay: PayMode, step: (text: string) => void): AskHandle | Promise<AskHandle>;
  resume(pending: string): AskHandle | Promise<AskHandle>;
}

export interface ChatSnapshot {
  readonly loaded: boolean;
  // Newest first.
  readonly conversations: readonly Conversation[];
}

const SAVE_EVERY_MS = 600;

export class ChatStore {
  private snapshot: ChatSnapshot = { loaded: false, conversations: [] };
  private readonly listeners = new Set<() => void>();
  private readonly handles = new Map<string, AskHandle>();
  // Stopped before there was a handle to stop it by.
  private readonly stopped = new Set<string>();
  private readonly saveTimers = new Map<string, ReturnType<typeof setTimeout>>();
  private readonly vault: Vault;
  private engine: Engine | null = null;

  constructor(vault: Vault) {
    this.vault = vault;
  }

  subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };
  getSnapshot = (): ChatSnapshot => this.snapshot;

  // The wallet, the trust file or the gateway may change; answers on their way keep the engine that they began with.
  use(engine: Engine | null): void {
    this.engine = engine;
  }

  async load(): Promise<void> {
    if (this.snapshot.loaded) return;
    const pending = new Set((await this.vault.all("pending")).map((kept) => kept.name));
    const kept = await this.vault.all("conversation");
    const conversations = kept.flatMap(({ text }) => readConversation(text)).map((one) => afterReload(one, (id) => pending.has(id)));
    this.set({ loaded: true, conversations });
  }

  find(id: string): Conversation | undefined {
    return this.snapshot.conversations.find((one) => one.id === id);
  }

  create(model: string, parameters: Parameters): string {
    const id = crypto.randomUUID();
    this.put(newConversation(id, model, parameters, Date.now()));
    return id;
  }

  configure(id: string, change: Partial<Pick<Conversation, "model" | "parameters" | "title">>): void {
    this.change(id, (one) => ({ ...one, ...change }));
    this.saveSoon(id);
  }

  async remove(id: string): Promise<void> {
    const conversation = this.find(id);
    if (!conversation) return;
    for (const message of conversation.messages) if (message.role === "assistant") await this.stop(message.id);
    this.set({ ...this.snapshot, conversations: this.snapshot.conversations.filter((one) => one.id !== id) });
    clearTimeout(this.saveTimers.get(id));
    await this.vault.delete("conversation", id);
  }

  // Asks; resolves when the answer has ended, well or not.
  async send(id: string, text: string, pay: PayMode, owed: readonly OpenQuery[] = []): Promise<void> {
    const now = Date.now();
    const question: Question = { id: crypto.randomUUID(), role: "user", text, at: now };
    const reply = this.makeReply(id, pay, owed);
    this.change(id, (one) => withQuestion(one, question, reply));
    await this.answer(id, reply.id);
  }

  // Another answer to the same question; what came after it goes, but for the money that stands on chain for it.
  async regenerate(id: string, replyId: string, pay: PayMode): Promise<void> {
    const reply = this.makeReply(id, pay, this.owed(id, replyId));
    this.change(id, (one) => ({ ...before(one, replyId), at: reply.at, messages: [...before(one, replyId).messages, reply] }));
    await this.answer(id, reply.id);
  }

  // The question in other words; what came after it goes.
  async edit(id: string, questionId: string, text: string, pay: PayMode): Promise<void> {
    const owed = this.owed(id, questionId);
    this.change(id, (one) => before(one, questionId));
    await this.send(id, text, pay, owed);
  }

  async stop(replyId: string): Promise<void> {
    this.stopped.add(replyId);
    await this.handles.get(replyId)?.cancel();
  }

  // Takes up an answer that broke off, from its beginning.
  async resume(id: string, replyId: string): Promise<void> {
    if (this.handles.has(replyId)) return;
    const pending = await this.vault.get("pending", replyId);
    const engine = this.engine;
    if (pending === undefined || engine === null) return;
    this.changeReply(id, replyId, (reply) => ({ ...reply, text: "", state: "waiting", problem: null, step: "Fetching the answer that was under way…" }));
    await this.follow(id, replyId, () => engine.resume(pending));
  }

  // For what is learnt later: mined, refunded.
  note(id: string, replyId: string, change: (reply: Reply) => Reply): void {
    this.changeReply(id, replyId, change);
    this.saveSoon(id);
  }

  private makeReply(id: string, pay: PayMode, owed: readonly OpenQuery[]): Reply {
    return newReply(crypto.randomUUID(), this.find(id)?.model ?? "", pay, Date.now(), owed);
  }

  private owed(id: string, messageId: string): readonly OpenQuery[] {
    const conversation = this.find(id);
    return conversation ? owedFrom(conversation, messageId) : [];
  }

  private async answer(id: string, replyId: string): Promise<void> {
    const conversation = this.find(id);
    const reply = conversation && findReply(conversation, replyId);
    if (!conversation || !reply) return;
    const engine = this.engine;
    if (!engine) {
      const problem = { kind: "invalid", message: "The wallet or the trust file is not there", cause: "Nothing was sent.", next: "Connect the wallet, then ask again." };
      this.changeReply(id, replyId, (one) => ({ ...one, state: "failed", problem }));
      return;
    }
    await this.save(id);
    this.changeReply(id, replyId, (one) => ({ ...one, step: "Verifying every node of the route…" }));
    const seed = seedOf(conversation.parameters, () => crypto.getRandomValues(new Uint32Array(1))[0] ?? 0);
    const body = requestBody(conversation, before(conversation, replyId).messages, seed);
    const step = (text: string) => this.changeReply(id, replyId, (one) => (isRunning(one) ? { ...one, step: text } : one));
    await this.follow(id, replyId, () => engine.ask(body, reply.pay, step));
  }

  private async follow(id: string, replyId: string, begin: () => AskHandle | Promise<AskHandle>): Promise<void> {
    try {
      const handle = await begin();
      this.handles.set(replyId, handle);
      if (this.stopped.has(replyId)) await handle.cancel();
      for await (const event of handle.events) await this.take(id, replyId, event);
    } catch (error) {
      this.changeReply(id, replyId, (reply) => ({ ...reply, state: "failed", step: "", problem: problemOfClient(asClientError(error, "ask")) }));
    } finally {
      this.handles.delete(replyId);
      this.stopped.delete(replyId);
      await this.save(id);
    }
  }

  private async take(id: string, replyId: string, event: AskEvent): Promise<void> {
    if (event.t === "sent") await this.vault.put("pending", replyId, event.pending);
    if (event.t === "done") await this.keepBundle(id, replyId, event.answer.bundleText);
    this.changeReply(id, replyId, (reply) => takeEvent(reply, event));
    if (event.t === "done" || (event.t === "error" && !event.resumable)) await this.vault.delete("pending", replyId);
    // A query that stands open on chain is money: it is kept at once.
    if (event.t === "query" || event.t === "receipt") await this.save(id);
    else this.saveSoon(id);
  }

  private async keepBundle(id: string, replyId: string, text: string): Promise<void> {
    const conversation = this.find(id);
    const receipt = conversation && findReply(conversation, replyId)?.proof?.receipt;
    if (receipt) await this.vault.put("bundle", receipt, text);
  }

  private changeReply(id: string, replyId: string, change: (reply: Reply) => Reply): void {
    this.change(id, (one) => updateReply(one, replyId, change));
  }

  private change(id: string, change: (conversation: Conversation) => Conversation): void {
    const conversation = this.find(id);
    if (conversation) this.put(change(conversation));
  }

  private put(conversation: Conversation): void {
    const others = this.snapshot.conversations.filter((one) => one.id !== conversation.id);
    this.set({ ...this.snapshot, conversations: [...others, conversation] });
  }

  private set(snapshot: ChatSnapshot): void {
    const conversations = [...snapshot.conversations].sort((a, b) => b.at - a.at);
    this.snapshot = { ...snapshot, conversations };
    for (const listener of this.listeners) listener();
  }

  private saveSoon(id: string): void {
    if (this.saveTimers.has(id)) return;
    this.saveTimers.set(id, setTimeout(() => void this.save(id), SAVE_EVERY_MS));
  }

  private async save(id: string): Promise<void> {
    clearTimeout(this.saveTimers.get(id));
    this.saveTimers.delete(id);
    const conversation = this.find(id);
    if (conversation && conversation.messages.length > 0) await this.vault.put("conversation", id, JSON.stringify(conversation));
  }
}

// The vault gives back what this page wrote, or nothing.
function readConversation(text: string): Conversation[] {
  try {
    return [JSON.parse(text) as Conversation];
  } catch {
    return [];
  }
}
