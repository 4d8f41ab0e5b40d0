// Nodes as the chain's events tell of them, through the gateway, with what it saw itself (last_seen, class, sequences).
import { queryOptions } from "@tanstack/react-query";
import * as v from "valibot";
import { askGateway } from "./ask-gateway.ts";
import { address, count, evidenceClass, hash, seconds } from "./forms.ts";

const models = v.array(hash);
const listed = {
  key: address,
  slot: count,
  host: address,
  url: v.pipe(v.string(), v.maxLength(2048)),
  until: seconds,
  live: v.boolean(),
  quote: hash,
};
const list = v.object({ nodes: v.array(v.object({ ...listed, models: v.optional(models, []) })) });
const one = v.object({
  ...listed,
  models,
  left: v.optional(v.boolean(), false),
  last_seen: v.nullable(seconds),
  first_seen: v.nullable(seconds),
  class: evidenceClass,
  sequences: v.nullable(count),
});

export type ListedNode = v.InferOutput<typeof list>["nodes"][number];
export type NodeDetails = v.InferOutput<typeof one>;

export async function getNodes(gateway: string, model: string, signal?: AbortSignal): Promise<ListedNode[]> {
  return (await askGateway(gateway, `/v1/teetee/nodes?model=${encodeURIComponent(model)}`, list, { signal }))
    .nodes;
}

/** Every node of a wallet, also those whose lease ended. */
export async function getNodesOfHost(
  gateway: string,
  host: string,
  signal?: AbortSignal,
): Promise<ListedNode[]> {
  return (await askGateway(gateway, `/v1/teetee/nodes?host=${encodeURIComponent(host)}`, list, { signal }))
    .nodes;
}

export function getNode(gateway: string, key: string, signal?: AbortSignal): Promise<NodeDetails> {
  return askGateway(gateway, `/v1/teetee/nodes/${encodeURIComponent(key)}`, one, { signal });
}

export const nodesQuery = (gateway: string, model: string) =>
  queryOptions({
    queryKey: ["gateway", gateway, "nodes", model],
    queryFn: ({ signal }) => getNodes(gateway, model, signal),
    refetchInterval: 4_000,
  });

export const nodeQuery = (gateway: string, key: string) =>
  queryOptions({
    queryKey: ["gateway", gateway, "node", key],
    queryFn: ({ signal }) => getNode(gateway, key, signal),
    refetchInterval: 5_000,
  });

export const hostNodesQuery = (gateway: string, host: string) =>
  queryOptions({
    queryKey: ["gateway", gateway, "host", host],
    queryFn: ({ signal }) => getNodesOfHost(gateway, host, signal),
    refetchInterval: 4_000,
  });
