// What each event of an answer changes in its reply. Pure.
import type { AskEvent } from "@/shared/client/ask.ts";
import type { ClientError } from "@/shared/client/client-error.ts";
import { formatEth } from "@/shared/lib/amount.ts";
import { structHash } from "@/shared/verify/typed-data.ts";
import type { OpenQuery, PayMode, Proof, ProofCheck, Reply, ReplyProblem } from "./conversation.ts";

type EventOf<T extends AskEvent["t"]> = Extract<AskEvent, { t: T }>;

export function problemOfClient(error: ClientError): ReplyProblem {
  const { next, check, status = 0 } = error.details;
  // A node that fails writes for its operator: its words stand behind a plain sentence.
  if (error.kind === "head" && status >= 500) {
    return { kind: error.kind, message: "A node of this route failed", cause: `${sentence(error.message)}. ${WHOSE.head}`, next, check };
  }
  return { kind: error.kind, message: sentence(error.message), cause: WHOSE[error.kind], next, check };
}

const WHOSE: Readonly<Record<ClientError["kind"], string | undefined>> = {
  refused: "A check in this browser did not pass.",
  unreachable: undefined,
  head: "The node that was asked says so, sealed: nobody on the way can have written it.",
  unauthenticated: "Nothing proves who says so: it may be anyone on the way.",
  money: undefined,
  cut: "What was delivered is shown; the rest can be fetched for some minutes.",
  invalid: undefined,
};

function sentence(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

export function takeEvent(reply: Reply, event: AskEvent): Reply {
  switch (event.t) {
    case "route":
      return { ...reply, step: "Every node of the route is verified. Preparing the payment…" };
    case "funding":
      return { ...reply, step: fundingStep(event) };
    case "query":
      return { ...reply, query: openQuery(event), step: "The question is paid for on chain. Sealing it…" };
    case "sent":
      return { ...reply, text: "", step: "Sealed and sent. Waiting for the first word…" };
    case "text":
      return event.choice === 0 ? { ...reply, state: "streaming", step: "", text: reply.text + event.text } : reply;
    case "again":
      return { ...reply, text: "", state: "waiting", step: `Once more: ${event.why}.` };
    case "done":
      return { ...reply, state: event.answer.cancelled ? "stopped" : "done", step: "", problem: null, text: event.answer.texts[0] ?? reply.text };
    case "receipt":
      return { ...reply, proof: proofOf(event, reply) };
    case "error":
      return { ...reply, state: event.resumable ? "interrupted" : "failed", step: "", problem: problemOfClient(event.error) };
    default:
      return reply;
  }
}

function fundingStep({ funding }: EventOf<"funding">): string {
  const bought = funding.buy > 0n ? `, of which ${formatEth(funding.buy)} ETH are bought now` : "";
  return `Setting ${formatEth(funding.amount)} ETH aside${bought}. Your wallet asks…`;
}

function openQuery({ query, id }: EventOf<"query">): OpenQuery {
  const { user, model, head, input } = query;
  const numbers = { maxCost: query.maxCost.toString(), deadline: query.deadline.toString(), nonce: query.nonce.toString() };
  return { id, user, model, head, input, ...numbers, refunded: false };
}

function proofOf({ document, checks }: EventOf<"receipt">, reply: Reply): Proof {
  const { receipt, transcript } = document;
  return {
    receipt: structHash("Receipt", receipt),
    query: receipt.query,
    line: receipt.line,
    mode: (["tab", "strict", "free"] as const).find((mode): mode is PayMode => mode === transcript.mode) ?? reply.pay,
    cost: receipt.cost.toString(),
    tokensIn: receipt.tokensIn,
    tokensOut: receipt.tokensOut,
    checks: checks.all.map(({ id, passed, text }): ProofCheck => ({ id, passed, text })),
    nodes: transcript.stages.map(({ slot, key, host }) => ({ slot, key, host })),
    verifiedAt: Math.floor(Date.now() / 1000),
    settled: null,
  };
}
