// What a conversation is, and how it changes. Pure; amounts are decimal strings of wei, so that everything is plain JSON.
import type { Problem } from "@/shared/ui/states.tsx";

export type PayMode = "tab" | "strict" | "free";

export interface Parameters {
  readonly system: string;
  readonly temperature: number;
  readonly topP: number;
  readonly maxTokens: number;
  // Empty: a random one for each answer.
  readonly seed: string;
}

export interface Question {
  readonly id: string;
  readonly role: "user";
  readonly text: string;
  readonly at: number;
}

export interface ProofCheck {
  readonly id: string;
  readonly passed: boolean;
  readonly text: string;
}

export interface Settled {
  // Empty for a strict query, whose record stands under its own id.
  readonly tx: string;
  readonly seq: string;
}

// What this browser knows about one answer from its receipt.
export interface Proof {
  readonly receipt: string;
  readonly query: string;
  readonly line: string;
  readonly mode: PayMode;
  readonly cost: string;
  readonly tokensIn: number;
  readonly tokensOut: number;
  readonly checks: readonly ProofCheck[];
  readonly nodes: readonly { readonly slot: number; readonly key: string; readonly host: string }[];
  readonly verifiedAt: number;
  readonly settled: Settled | null;
}

// A strict query of this reply that stands, or stood, open on chain.
export interface OpenQuery {
  readonly id: string;
  readonly user: string;
  readonly model: string;
  readonly head: string;
  readonly input: string;
  readonly maxCost: string;
  readonly deadline: string;
  readonly nonce: string;
  readonly refunded: boolean;
}

export interface ReplyProblem extends Problem {
  // Whose word it is, as the client core names it.
  readonly kind: string;
  readonly check?: string | undefined;
}

export type ReplyState =
  // Verifying, paying, sealing: nothing came yet.
  | "waiting"
  | "streaming"
  | "done"
  // By the user; what was delivered is paid for and has a receipt.
  | "stopped"
  | "failed"
  // Broke off and may be taken up again.
  | "interrupted";

export interface Reply {
  readonly id: string;
  readonly role: "assistant";
  readonly text: string;
  readonly at: number;
  readonly model: string;
  readonly pay: PayMode;
  readonly state: ReplyState;
  readonly step: string;
  readonly problem: ReplyProblem | null;
  readonly proof: Proof | null;
  readonly query: OpenQuery | null;
  // Queries of earlier replies to the same question, which are not shown any more.
  readonly owed?: readonly OpenQuery[];
}

export type Message = Question | Reply;

export interface Conversation {
  readonly id: string;
  readonly title: string;
  readonly model: string;
  readonly parameters: Parameters;
  readonly at: number;
  readonly messages: readonly Message[];
}

export const DEFAULT_PARAMETERS: Parameters = { system: "", temperature: 0.7, topP: 0.95, maxTokens: 512, seed: "" };
const TITLE_LENGTH = 48;

export function newConversation(id: string, model: string, parameters: Parameters, now: number): Conversation {
  return { id, title: "", model, parameters, at: now, messages: [] };
}

export function titleOf(text: string): string {
  const line = text.trim().split("\n")[0] ?? "";
  return line.length <= TITLE_LENGTH ? line : `${line.slice(0, TITLE_LENGTH - 1).trimEnd()}…`;
}

export function isRunning(reply: Reply): boolean {
  return reply.state === "waiting" || reply.state === "streaming";
}

export function newReply(id: string, model: string, pay: PayMode, now: number, owed: readonly OpenQuery[] = []): Reply {
  return { id, role: "assistant", text: "", at: now, model, pay, state: "waiting", step: "", problem: null, proof: null, query: null, owed };
}

// A question and the empty reply to it, at the end.
export function withQuestion(conversation: Conversation, question: Question, reply: Reply): Conversation {
  const messages = [...conversation.messages, question, reply];
  return { ...conversation, messages, at: question.at, title: conversation.title || titleOf(question.text) };
}

export function updateReply(conversation: Conversation, id: string, change: (reply: Reply) => Reply): Conversation {
  const messages = conversation.messages.map((message) => (message.id === id && message.role === "assistant" ? change(message) : message));
  return { ...conversation, messages };
}

export function findReply(conversation: Conversation, id: string): Reply | undefined {
  return conversation.messages.find((message): message is Reply => message.id === id && message.role === "assistant");
}

export function lastReply(conversation: Conversation): Reply | undefined {
  return conversation.messages.findLast((message): message is Reply => message.role === "assistant");
}

// The conversation up to a message, without it and without what follows.
export function before(conversation: Conversation, id: string): Conversation {
  const at = conversation.messages.findIndex((message) => message.id === id);
  return at < 0 ? conversation : { ...conversation, messages: conversation.messages.slice(0, at) };
}

// The queries of a reply whose money may still stand on chain: without a receipt.
export function unansweredQueries(reply: Reply): readonly OpenQuery[] {
  const own = reply.query && !reply.proof ? [reply.query] : [];
  return [...(reply.owed ?? []), ...own];
}

// The same of all replies from a message on, which are about to go.
export function owedFrom(conversation: Conversation, id: string): readonly OpenQuery[] {
  const gone = conversation.messages.slice(before(conversation, id).messages.length);
  return gone.flatMap((message) => (message.role === "assistant" ? unansweredQueries(message) : []));
}

// After a reload nothing runs any more: what was running was interrupted.
export function afterReload(conversation: Conversation, resumable: (replyId: string) => boolean): Conversation {
  const messages = conversation.messages.map((message): Message => {
    if (message.role !== "assistant" || !isRunning(message)) return message;
    return resumable(message.id) ? { ...message, state: "interrupted", step: "" } : { ...message, ...NEVER_SENT };
  });
  return { ...conversation, messages };
}

const NEVER_SENT = {
  state: "failed",
  step: "",
  problem: {
    kind: "cut",
    message: "The page was closed before the question was sent",
    cause: "Nothing was charged for it.",
    next: "Ask again.",
  },
} as const;
