// The newest receipts and batches that the gateway knows of, for lists. Each is proved on its own page.
import { queryOptions } from "@tanstack/react-query";
import * as v from "valibot";
import { askGateway } from "@/shared/gateway/ask-gateway.ts";
import { address, count, hash, seconds, wei } from "@/shared/gateway/forms.ts";

const mined = {
  seq: v.nullable(count),
  root: v.nullable(hash),
  tx: v.nullable(hash),
  block: v.nullable(count),
  at: v.nullable(seconds),
};
const receipt = v.object({
  hash,
  query: hash,
  line: hash,
  model: hash,
  head: address,
  cost: wei,
  tokens_in: count,
  tokens_out: count,
  status: v.picklist(["pending", "mined"]),
  ...mined,
});
const receipts = v.object({ receipts: v.array(receipt), next: v.nullable(count) });
const batch = v.object({
  line: hash,
  model: hash,
  head: address,
  seq: count,
  root: hash,
  count,
  amount: wei,
  tx: v.nullable(hash),
  block: v.nullable(count),
  at: v.nullable(seconds),
});
const batches = v.object({ batches: v.array(batch) });
const oneBatch = v.object({
  ...batch.entries,
  receipts: v.array(
    v.union([
      v.pipe(
        receipt,
        v.transform((r) => r.hash),
      ),
      hash,
    ]),
  ),
});

export type ListedReceipt = v.InferOutput<typeof receipt>;
export type ListedBatch = v.InferOutput<typeof batch>;

export type FullBatch = v.InferOutput<typeof oneBatch>;

export interface ReceiptFilter {
  readonly limit: number;
  readonly query?: string;
  readonly line?: string;
  readonly batch?: string;
  readonly after?: number;
}

export async function getReceipts(
  gateway: string,
  filter: ReceiptFilter,
  signal?: AbortSignal,
): Promise<{ receipts: ListedReceipt[]; next: number | null }> {
  const asked = new URLSearchParams(Object.entries(filter).map(([key, value]) => [key, String(value)]));
  return askGateway(gateway, `/v1/teetee/receipts?${asked}`, receipts, { signal });
}

export async function getBatches(
  gateway: string,
  limit: number,
  signal?: AbortSignal,
): Promise<ListedBatch[]> {
  return (await askGateway(gateway, `/v1/teetee/batches?limit=${limit}`, batches, { signal })).batches;
}

export function getBatch(gateway: string, root: string, signal?: AbortSignal): Promise<FullBatch> {
  return askGateway(gateway, `/v1/teetee/batches/${encodeURIComponent(root)}`, oneBatch, { signal });
}

export const receiptsQuery = (gateway: string, filter: ReceiptFilter) =>
  queryOptions({
    queryKey: ["gateway", gateway, "receipts", filter],
    queryFn: ({ signal }) => getReceipts(gateway, filter, signal),
    refetchInterval: 4_000,
  });
export const batchesQuery = (gateway: string, limit: number) =>
  queryOptions({
    queryKey: ["gateway", gateway, "batches", limit],
    queryFn: ({ signal }) => getBatches(gateway, limit, signal),
    refetchInterval: 4_000,
  });
export const batchQuery = (gateway: string, root: string) =>
  queryOptions({
    queryKey: ["gateway", gateway, "batch", root],
    queryFn: ({ signal }) => getBatch(gateway, root, signal),
  });
