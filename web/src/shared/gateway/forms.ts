// Forms that come again in answers of gateway and nodes (docs/formats/http-api.md).
import * as v from "valibot";
import type { Address, Hash } from "viem";

export const address = v.pipe(
  v.string(),
  v.regex(/^0x[0-9a-f]{40}$/i),
  v.transform((text) => text.toLowerCase() as Address),
);
export const hash = v.pipe(
  v.string(),
  v.regex(/^0x[0-9a-f]{64}$/i),
  v.transform((text) => text.toLowerCase() as Hash),
);
export const hex32 = v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/));
export const wei = v.pipe(
  v.string(),
  v.regex(/^[0-9]{1,78}$/),
  v.transform((text: string) => BigInt(text)),
);
export const count = v.pipe(v.number(), v.integer(), v.minValue(0));
export const seconds = v.pipe(v.number(), v.minValue(0));
export const short = v.pipe(v.string(), v.maxLength(512));
export const evidenceClass = v.picklist(["simulated", "production", "unknown"]);
