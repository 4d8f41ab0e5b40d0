// One question to the gateway: an answer in the expected form, or an error with words, cause and a next step. The answer is parsed, not
// cast, and never believed for more than it is: the word of a gateway.
import * as v from "valibot";

export class GatewayError extends Error {
  /** HTTP status; 0: no answer */
  readonly status: number;
  readonly next: string;
  constructor(message: string, status: number, next: string, options?: { cause?: unknown }) {
    super(message, options);
    this.status = status;
    this.next = next;
    this.name = "GatewayError";
  }
}

export interface Asking {
  readonly method?: "GET" | "POST";
  readonly body?: unknown;
  readonly signal?: AbortSignal | undefined;
}

const MAX_ANSWER = 16 << 20;

export async function askGateway<S extends v.GenericSchema>(
  gateway: string,
  path: string,
  schema: S,
  asking: Asking = {},
): Promise<v.InferOutput<S>> {
  const response = await fetchGateway(gateway, path, asking);
  const text = await response.text();
  if (text.length > MAX_ANSWER)
    throw new GatewayError("The gateway’s answer is too long.", response.status, "Use another gateway.");
  const json = readJson(text, response.status);
  if (!response.ok) throw refusalOf(json, response);
  const found = v.safeParse(schema, json);
  if (found.success) return found.output;
  const where = found.issues[0] ? v.getDotPath(found.issues[0]) : null;
  throw new GatewayError(
    `The gateway’s answer has another form than expected${where ? ` (${where})` : ""}.`,
    response.status,
    "The gateway may be of another version.",
  );
}

export async function fetchGateway(gateway: string, path: string, asking: Asking = {}): Promise<Response> {
  const init: RequestInit = { method: asking.method ?? "GET", credentials: "omit", cache: "no-store" };
  if (asking.signal) init.signal = asking.signal;
  if (asking.body !== undefined) {
    init.body = JSON.stringify(asking.body);
    init.headers = { "content-type": "application/json" };
  }
  try {
    return await fetch(gateway + path, init);
  } catch (cause) {
    if (asking.signal?.aborted) throw cause;
    throw new GatewayError(
      "The gateway does not answer.",
      0,
      "Check that it runs, or name another one in the settings.",
      { cause },
    );
  }
}

function readJson(text: string, status: number): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new GatewayError(
      `The gateway answered ${status} with something that is no JSON.`,
      status,
      "Is the address that of a TeeTee gateway?",
      { cause },
    );
  }
}

function refusalOf(json: unknown, response: Response): GatewayError {
  const error = (json as { error?: { message?: unknown } } | null)?.error;
  const message =
    typeof error?.message === "string"
      ? error.message.slice(0, 500)
      : `The gateway refused (${response.status}).`;
  const wait = response.headers.get("retry-after");
  return new GatewayError(
    message,
    response.status,
    wait ? `Try again in ${wait} s.` : nextFor(response.status),
  );
}

function nextFor(status: number): string {
  if (status === 404) return "Check the address or id.";
  if (status === 429) return "Try again in a moment.";
  return status >= 500
    ? "Try again; if it stays, the gateway is at fault."
    : "Change the request as the message says.";
}
