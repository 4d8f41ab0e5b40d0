// The models that the gateway lists, with their slots and who serves them. The gateway's word until a node's evidence is verified.
import { queryOptions } from "@tanstack/react-query";
import * as v from "valibot";
import { askGateway } from "./ask-gateway.ts";
import { address, count, evidenceClass, hash, short, wei } from "./forms.ts";

const slot = v.object({
  slot: count,
  first_block: v.nullable(count),
  blocks: v.nullable(count),
  share: count,
  bytes: v.nullable(count), // the shard's file
  live: count,
  joined: count,
  hosts: v.array(address),
});
const speed = v.object({
  tokens_per_second: v.number(),
  ttft_ms: v.number(),
  samples: count,
  since: v.number(),
});
const model = v.object({
  id: short,
  teetee: v.object({
    model: hash,
    name: v.nullish(short),
    price_in: wei,
    price_out: wei,
    quantisation: v.nullish(short),
    parameters: v.nullish(count),
    class: evidenceClass,
    slot_list: v.array(slot),
    routes: count,
    speed: v.nullish(speed),
    live: v.boolean(),
  }),
});
const schema = v.object({ data: v.array(model) });

export type ListedSlot = v.InferOutput<typeof slot>;
export interface ListedModel extends v.InferOutput<typeof model> {}

export async function getModels(gateway: string, signal?: AbortSignal): Promise<ListedModel[]> {
  return (await askGateway(gateway, "/v1/models", schema, { signal })).data;
}

export const modelsQuery = (gateway: string) =>
  queryOptions({
    queryKey: ["gateway", gateway, "models"],
    queryFn: ({ signal }) => getModels(gateway, signal),
    refetchInterval: 5_000,
  });
