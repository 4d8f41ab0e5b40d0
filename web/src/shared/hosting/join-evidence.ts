// Evidence of layout (c), for one block: what a join or a renewal puts before the auditor and the chain.
import * as v from "valibot";
import { collateralBytes } from "@/shared/evidence/node-evidence.ts";
import { address, count, hash } from "@/shared/gateway/forms.ts";
import { fromBase64 } from "@/shared/verify/bytes.ts";
import type { JoinEvidence } from "./join.ts";
import { relayJson } from "./relay.ts";

const schema = v.object({
  key: address,
  slot: count,
  model: hash,
  weights: hash,
  host: address,
  block_number: count,
  block_hash: hash,
  report_data: hash,
  quote: v.pipe(v.string(), v.maxLength(32 * 1024)),
  collateral: v.record(v.string(), v.unknown()),
});

export interface FullJoinEvidence extends JoinEvidence {
  readonly quote: Uint8Array;
  readonly collateral: Uint8Array;
}

export function parseJoinEvidence(raw: unknown): FullJoinEvidence {
  const found = v.parse(schema, raw);
  return {
    key: found.key,
    slot: found.slot,
    model: found.model,
    weights: found.weights,
    host: found.host,
    blockNumber: BigInt(found.block_number),
    blockHash: found.block_hash,
    reportData: found.report_data,
    quote: fromBase64(found.quote),
    collateral: collateralBytes(found.collateral),
    raw,
  };
}

export async function getJoinEvidence(
  gateway: string,
  url: string,
  host: string,
  block: bigint,
): Promise<FullJoinEvidence> {
  return parseJoinEvidence(
    await relayJson(gateway, url, "/v1/teetee/join-evidence", { host, block_number: Number(block) }),
  );
}
