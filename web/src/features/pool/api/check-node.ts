// The checks that only a server can make (may it be dialled, does it answer, does its channel open, how fast): a stream of events.
import * as v from "valibot";
import { fetchGateway, GatewayError } from "@/shared/gateway/ask-gateway.ts";
import type { GatewayEvent } from "../lib/run-checks.ts";
import { EventSplitter } from "../lib/sse.ts";

const words = v.fallback(v.pipe(v.string(), v.maxLength(2000)), "");
const event = v.object({
  check: v.pipe(v.string(), v.maxLength(64)),
  status: v.picklist(["running", "passed", "failed", "skipped"]),
  detail: words,
  cure: words, // null unless it failed
  data: v.fallback(v.record(v.string(), v.unknown()), {}),
});
const end = v.object({ done: v.literal(true) });

export interface NodeToCheck {
  readonly url: string;
  readonly model: string;
  readonly slot: number;
  readonly host: string;
}

export async function checkNode(
  gateway: string,
  node: NodeToCheck,
  onEvent: (event: GatewayEvent) => void,
  signal?: AbortSignal,
): Promise<void> {
  const response = await fetchGateway(gateway, "/v1/teetee/pool/check", {
    method: "POST",
    body: node,
    signal,
  });
  if (!response.ok || !response.body)
    throw new GatewayError(await refusalText(response), response.status, "Check the URL and try again.");
  const splitter = new EventSplitter();
  const decoder = new TextDecoder();
  let done = false;
  for await (const chunk of chunksOf(response.body)) {
    for (const data of splitter.push(decoder.decode(chunk, { stream: true })))
      done = take(data, onEvent) || done;
  }
  if (!done) throw new GatewayError("The gateway broke off its checks.", response.status, "Try again.");
}

// True at the end of the stream.
function take(data: string, onEvent: (event: GatewayEvent) => void): boolean {
  const json: unknown = JSON.parse(data);
  if (v.is(end, json)) return true;
  const found = v.safeParse(event, json);
  if (found.success) onEvent(found.output);
  return false;
}

async function* chunksOf(stream: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array> {
  const reader = stream.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    yield value;
  }
}

async function refusalText(response: Response): Promise<string> {
  const text = (await response.text()).slice(0, 4000);
  try {
    return (JSON.parse(text) as { error: { message: string } }).error.message;
  } catch {
    return `The gateway refused to check (${response.status}).`;
  }
}
