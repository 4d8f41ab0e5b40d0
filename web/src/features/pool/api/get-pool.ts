// What the gateway says about joining: the image, whether an auditor is set up, and what slots brought in.
import { queryOptions } from "@tanstack/react-query";
import * as v from "valibot";
import { askGateway } from "@/shared/gateway/ask-gateway.ts";
import { count, hash, short, wei } from "@/shared/gateway/forms.ts";

const schema = v.object({
  image: v.nullable(short),
  auditor: v.boolean(),
  expected: v.array(v.object({ model: hash, slot: count, wei_per_day: wei, from_days: v.number() })),
});
export type PoolFacts = v.InferOutput<typeof schema>;

export function getPool(gateway: string, signal?: AbortSignal): Promise<PoolFacts> {
  return askGateway(gateway, "/v1/teetee/pool", schema, { signal });
}

export const poolQuery = (gateway: string) =>
  queryOptions({
    queryKey: ["pool", "facts", gateway],
    queryFn: ({ signal }) => getPool(gateway, signal),
    staleTime: 60_000,
  });
