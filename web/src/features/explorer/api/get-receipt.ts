// One receipt with its way to the chain, as the gateway keeps it; receipt-proof.ts judges it.
import { queryOptions } from "@tanstack/react-query";
import * as v from "valibot";
import { askGateway } from "@/shared/gateway/ask-gateway.ts";
import { address, count, hash, wei } from "@/shared/gateway/forms.ts";
import type { ShownReceipt } from "../lib/receipt-proof.ts";

const number = v.union([
  v.pipe(
    count,
    v.transform((n: number) => BigInt(n)),
  ),
  v.pipe(
    v.string(),
    v.regex(/^\d{1,20}$/),
    v.transform((text: string) => BigInt(text)),
  ),
]);
const schema = v.object({
  receipt: v.object({
    query: hash,
    line: hash,
    input: hash,
    output: hash,
    tokens_in: count,
    tokens_out: count,
    cost: wei,
    transcript: hash,
  }),
  model: v.nullish(hash),
  head: v.nullish(address),
  seq: v.nullish(number),
  root: v.nullish(hash),
  proof: v.nullish(v.pipe(v.array(hash), v.maxLength(64)), []),
  tx: v.nullish(hash),
  block: v.nullish(number),
  status: v.picklist(["pending", "mined"]),
});

export interface FoundReceipt extends ShownReceipt {
  readonly tx: `0x${string}` | null;
  readonly block: bigint | null;
  readonly mined: boolean;
}

export async function getReceipt(gateway: string, id: string, signal?: AbortSignal): Promise<FoundReceipt> {
  const found = await askGateway(gateway, `/v1/teetee/receipts/${encodeURIComponent(id)}`, schema, {
    signal,
  });
  const { tokens_in: tokensIn, tokens_out: tokensOut, ...rest } = found.receipt;
  return {
    receipt: { ...rest, tokensIn, tokensOut },
    seq: found.seq ?? null,
    root: found.root ?? null,
    proof: found.proof ?? [],
    model: found.model ?? null,
    head: found.head ?? null,
    tx: found.tx ?? null,
    block: found.block ?? null,
    mined: found.status === "mined",
  };
}

export const receiptQuery = (gateway: string, id: string) =>
  queryOptions({
    queryKey: ["gateway", gateway, "receipt", id],
    queryFn: ({ signal }) => getReceipt(gateway, id, signal),
    refetchInterval: (query) => (query.state.data?.mined ? false : 2_000),
  });
