// What the gateway kept of a node: which evidence it showed when, and what the chain said of it.
import { queryOptions } from "@tanstack/react-query";
import * as v from "valibot";
import { askGateway } from "./ask-gateway.ts";
import { address, count, evidenceClass, hash, seconds } from "./forms.ts";

const sha256 = v.pipe(
  v.string(),
  v.regex(/^(?:0x)?[0-9a-f]{64}$/),
  v.transform((text) => text.replace(/^0x/, "")),
);
const shown = v.object({ key: address, at: seconds, sha256, class: evidenceClass });
const schema = v.object({
  evidence: v.array(shown),
  events: v.array(
    v.object({
      at: v.nullable(seconds),
      block: count,
      tx: hash,
      what: v.picklist(["joined", "renewed", "left", "url"]),
    }),
  ),
});
const latest = v.object({ evidence: v.array(shown) });
export type NodeHistory = v.InferOutput<typeof schema>;
export type ShownEvidence = v.InferOutput<typeof shown>;

/** The newest evidence of all nodes. */
export async function getLatestEvidence(
  gateway: string,
  limit: number,
  signal?: AbortSignal,
): Promise<ShownEvidence[]> {
  return (await askGateway(gateway, `/v1/teetee/evidence?limit=${limit}`, latest, { signal })).evidence;
}

export const latestEvidenceQuery = (gateway: string, limit: number) =>
  queryOptions({
    queryKey: ["gateway", gateway, "evidence", limit],
    queryFn: ({ signal }) => getLatestEvidence(gateway, limit, signal),
    refetchInterval: 10_000,
  });

export function getHistory(gateway: string, key: string, signal?: AbortSignal): Promise<NodeHistory> {
  return askGateway(gateway, `/v1/teetee/nodes/${encodeURIComponent(key)}/history`, schema, { signal });
}

/** The evidence answer as it was; its form is the node's, to be parsed by parseNodeEvidence. */
export function getPastEvidence(
  gateway: string,
  key: string,
  digest: string,
  signal?: AbortSignal,
): Promise<unknown> {
  return askGateway(
    gateway,
    `/v1/teetee/nodes/${encodeURIComponent(key)}/history/${encodeURIComponent(digest)}`,
    v.unknown(),
    { signal },
  );
}

/** What the node shows now, carried by the gateway. */
export function getEvidence(gateway: string, key: string, signal?: AbortSignal): Promise<unknown> {
  return askGateway(gateway, `/v1/teetee/nodes/${encodeURIComponent(key)}/evidence`, v.unknown(), { signal });
}

export const historyQuery = (gateway: string, key: string) =>
  queryOptions({
    queryKey: ["gateway", gateway, "history", key],
    queryFn: ({ signal }) => getHistory(gateway, key, signal),
    refetchInterval: 30_000,
  });
