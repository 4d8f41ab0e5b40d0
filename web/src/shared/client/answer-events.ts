// The events of one sealed answer, as the head sends them (docs/formats/sealed-request.md section 2): read, and counted
// for the receipt.
import type { Wei } from "../verify/bytes";
import { expectObject, getObject, getString, getUint, getWei, optional } from "../verify/fields";
import { isArray, isObject, type Json, plainJson } from "../verify/json";
import { type ReceiptDocument, receiptDocumentFromJson } from "../verify/receipt";
import type { AskEvent } from "./ask-types";
import { ClientError, foreignText } from "./client-error";

// What one attempt has seen of its answer.
export class Progress {
  readonly texts: string[] = [];
  receipt: ReceiptDocument | undefined;
  body: unknown;
  status = 200;
  error: ClientError | undefined;
  need: Wei | undefined;
  streamed = false;
  done = false;
}

function choiceText(choice: Json): { index: number; text: string } | undefined {
  if (!isObject(choice)) return undefined;
  const index = optional(choice, "index") === undefined ? 0 : getUint(choice, "index", 63);
  const holder = optional(choice, "delta") ?? optional(choice, "message");
  const text =
    holder === undefined
      ? optional(choice, "text")
      : isObject(holder)
        ? optional(holder, "content")
        : undefined;
  return typeof text === "string" ? { index, text } : undefined;
}

function* takeTexts(data: Json, progress: Progress): Generator<AskEvent> {
  const choices = isObject(data) ? optional(data, "choices") : undefined;
  for (const choice of isArray(choices) ? choices : []) {
    const found = choiceText(choice);
    if (found === undefined) continue;
    while (progress.texts.length <= found.index) progress.texts.push("");
    progress.texts[found.index] += found.text;
    if (found.text !== "") yield { t: "text", choice: found.index, text: found.text };
  }
}

function* takeUsage(data: Json): Generator<AskEvent> {
  const usage = isObject(data) ? optional(data, "usage") : undefined;
  if (!isObject(usage)) return;
  yield {
    t: "usage",
    tokensIn: getUint(usage, "prompt_tokens"),
    tokensOut: getUint(usage, "completion_tokens"),
  };
}

function headError(event: Json, progress: Progress): void {
  const json = expectObject(event, "event");
  const error = getObject(json, "error");
  progress.status = optional(json, "status") === undefined ? 500 : getUint(json, "status", 999);
  if (optional(json, "need") !== undefined) progress.need = getWei(json, "need");
  const code = optional(error, "code");
  progress.error = new ClientError("head", foreignText(getString(error, "message")), {
    status: progress.status,
    ...(typeof code === "string" ? { code: foreignText(code) } : {}),
    next:
      progress.status === 402
        ? "Nothing was charged. Top up, or ask for less."
        : "Nothing was charged for this. Try again.",
  });
}

function* takeEvent(event: Json, progress: Progress): Generator<AskEvent> {
  const json = expectObject(event, "event");
  switch (getString(json, "t")) {
    case "chunk": {
      const data = getObject(json, "data");
      progress.streamed = true;
      yield { t: "chunk", data: plainJson(data) };
      yield* takeTexts(data, progress);
      yield* takeUsage(data);
      return;
    }
    case "body": {
      const data = getObject(json, "data");
      progress.body = plainJson(data);
      yield* takeTexts(data, progress);
      yield* takeUsage(data);
      return;
    }
    case "error":
      headError(event, progress);
      return;
    case "receipt":
      progress.receipt = receiptDocumentFromJson(getObject(json, "receipt"));
      return;
    case "done":
      progress.done = true;
      return;
    default:
      return; // kinds to come
  }
}

export async function* follow(events: AsyncGenerator<Json>, progress: Progress): AsyncGenerator<AskEvent> {
  for await (const event of events) yield* takeEvent(event, progress);
}
