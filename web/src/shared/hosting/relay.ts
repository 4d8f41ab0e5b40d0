// One question to a node through the gateway, which cannot be believed for the answer: what comes back is verified by whoever asks.
import * as v from "valibot";
import { fetchGateway, GatewayError } from "@/shared/gateway/ask-gateway.ts";

export type RelayPath =
  | "/v1/teetee/evidence"
  | "/v1/teetee/manifest"
  | "/v1/teetee/join-evidence"
  | "/v1/teetee/challenge"
  | "/v1/teetee/known-answer";

const MAX_ANSWER = 33 << 20; // a manifest may have 32 MiB

export async function relay(
  gateway: string,
  url: string,
  path: RelayPath,
  body: Uint8Array | null,
  signal?: AbortSignal,
): Promise<Uint8Array> {
  const asked = { url, path, body: body === null ? "" : toBase64(body) };
  const response = await fetchGateway(gateway, "/v1/teetee/pool/relay", {
    method: "POST",
    body: asked,
    signal,
  });
  const bytes = new Uint8Array(await response.arrayBuffer());
  if (bytes.length > MAX_ANSWER)
    throw new GatewayError("The node’s answer is too long.", response.status, "Check the URL.");
  if (!response.ok)
    throw refusal(bytes, response.status, response.headers.get("x-teetee-relayed") === "node");
  return bytes;
}

export async function relayJson(
  gateway: string,
  url: string,
  path: RelayPath,
  body: unknown,
  signal?: AbortSignal,
): Promise<unknown> {
  const sent = body === null ? null : new TextEncoder().encode(JSON.stringify(body));
  const bytes = await relay(gateway, url, path, sent, signal);
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (cause) {
    throw new GatewayError("The node’s answer is no JSON.", 200, "Is this the address of a TeeTee node?", {
      cause,
    });
  }
}

const errorForm = v.object({ error: v.object({ message: v.pipe(v.string(), v.maxLength(2000)) }) });

function refusal(bytes: Uint8Array, status: number, byNode: boolean): GatewayError {
  const who = byNode ? "The node" : "The gateway";
  let message = `It refused (${status}).`;
  try {
    message = v.parse(errorForm, JSON.parse(new TextDecoder().decode(bytes))).error.message;
  } catch {
    // the status alone says it
  }
  const next = byNode ? "Look into the node’s log." : "Try again in a moment.";
  return new GatewayError(
    `${who}: ${message}`,
    status,
    status === 429 ? "Wait a moment and try again." : next,
  );
}

function toBase64(bytes: Uint8Array): string {
  let binary = "";
  for (const byte of bytes) binary += String.fromCharCode(byte);
  return btoa(binary);
}
