// GET /v1/models: docs/design/0008-pages.md. All of it is the gateway's word; what it does not know is null.
import { queryOptions } from "@tanstack/react-query";
import * as v from "valibot";

const hex = (digits: number) => v.pipe(v.string(), v.regex(new RegExp(`^0x[0-9a-f]{${digits}}$`, "i")), v.toLowerCase());
const count = v.pipe(v.number(), v.integer(), v.minValue(0));
const wei = v.pipe(v.string(), v.regex(/^[0-9]{1,40}$/), v.transform((text: string) => BigInt(text)));
const text = v.pipe(v.string(), v.maxLength(256));

const slot = v.object({
  slot: count,
  first_block: v.nullable(count),
  blocks: v.nullable(count),
  share: v.nullable(count),
  bytes: v.nullable(count),
  live: count,
  joined: count,
  hosts: v.array(hex(40)),
});

const speed = v.object({
  tokens_per_second: v.nullable(v.number()),
  ttft_ms: v.nullable(v.number()),
  samples: count,
  since: v.nullable(v.number()),
});

const model = v.pipe(
  v.object({
    id: text,
    teetee: v.object({
      model: hex(64),
      name: v.nullish(text),
      quantisation: v.nullish(text),
      parameters: v.nullish(count),
      class: v.optional(v.picklist(["simulated", "production", "unknown"]), "unknown"),
      price_in: wei,
      price_out: wei,
      slots: count,
      live: v.boolean(),
      slot_list: v.optional(v.array(slot), []),
      routes: v.optional(count, 0),
      speed: v.nullish(speed),
    }),
  }),
  v.transform(({ id, teetee }) => ({ ...teetee, name: teetee.name ?? id })),
);

const schema = v.object({ data: v.array(model) });

export type ListedModel = v.InferOutput<typeof model>;
export type ListedSlot = v.InferOutput<typeof slot>;

export function readModels(json: unknown): ListedModel[] {
  const found = v.safeParse(schema, json);
  if (found.success) return found.output.data;
  const where = found.issues[0] ? v.getDotPath(found.issues[0]) : null;
  throw new Error(`the gateway's list of models has another form than expected${where ? ` (${where})` : ""}`);
}

export async function getModels(gateway: string, signal?: AbortSignal): Promise<ListedModel[]> {
  const response = await fetch(`${gateway}/v1/models`, { credentials: "omit", cache: "no-store", ...(signal ? { signal } : {}) });
  if (!response.ok) throw new Error(`the gateway answered ${response.status}`);
  return readModels(await response.json());
}

export const listedModelsQuery = (gateway: string) =>
  queryOptions({
    queryKey: ["models page", gateway],
    queryFn: ({ signal }) => getModels(gateway, signal),
    refetchInterval: 5_000,
  });
