// Usage of a node: differences of its own counters, sampled by the gateway. The gateway's word.
import { queryOptions } from "@tanstack/react-query";
import * as v from "valibot";
import type { Range } from "@/shared/earnings/earnings.ts";
import { askGateway } from "@/shared/gateway/ask-gateway.ts";
import { seconds } from "@/shared/gateway/forms.ts";
import type { Usage } from "../lib/usage.ts";

const amount = v.pipe(v.number(), v.minValue(0));
const point = v.object({
  t: seconds,
  requests: amount,
  tokens_in: amount,
  tokens_out: amount,
  busy_seconds: amount,
  up: v.nullable(v.number()),
  ttft_ms: v.optional(v.nullable(amount)),
  tokens_per_second: v.optional(v.nullable(amount)),
});
const schema = v.object({
  from: seconds,
  step: v.pipe(v.number(), v.minValue(1)),
  points: v.pipe(v.array(point), v.maxLength(2000)),
});

export async function getUsage(
  gateway: string,
  key: string,
  range: Range,
  signal?: AbortSignal,
): Promise<Usage> {
  return askGateway(gateway, `/v1/teetee/nodes/${encodeURIComponent(key)}/usage?range=${range}`, schema, {
    signal,
  });
}

export const usageQuery = (gateway: string, key: string, range: Range) =>
  queryOptions({
    queryKey: ["gateway", gateway, "usage", key, range],
    queryFn: ({ signal }) => getUsage(gateway, key, range, signal),
    refetchInterval: 5_000,
  });
