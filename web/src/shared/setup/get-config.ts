// GET /config.json: where gateway, RPC and contracts are, and the trust file if this page comes from the user's own machine.
import * as v from "valibot";
import type { Address } from "viem";

const address = v.pipe(
  v.string(),
  v.regex(/^0x[0-9a-fA-F]{40}$/),
  v.transform((text) => text.toLowerCase() as Address),
);
const httpUrl = v.pipe(v.string(), v.regex(/^https?:\/\/[^\s]+$/));

const schema = v.object({
  v: v.literal(1),
  served_by: v.picklist(["web", "gateway"]),
  gateway: v.union([v.literal(""), httpUrl]),
  rpc: v.nullable(httpUrl),
  chain_id: v.pipe(v.number(), v.integer(), v.minValue(1)),
  registry: address,
  ledger: address,
  from_block: v.pipe(v.number(), v.integer(), v.minValue(0)),
  trust: v.nullable(v.record(v.string(), v.unknown())),
  demo_wallet: v.boolean(),
  image: v.optional(v.nullable(v.string()), null),
  auditor: v.optional(v.boolean(), false),
});

export interface PageConfig {
  servedBy: "web" | "gateway";
  gateway: string;
  rpc: string | null;
  chainId: number;
  registry: Address;
  ledger: Address;
  fromBlock: bigint;
  trustText: string | null;
  demoWallet: boolean;
  image: string | null;
  auditor: boolean;
}

// Throws with words for a person.
export function readConfig(json: unknown): PageConfig {
  const found = v.safeParse(schema, json);
  if (!found.success) {
    const where = found.issues[0] ? v.getDotPath(found.issues[0]) : null;
    throw new Error(`config.json has another form than expected${where ? ` (${where})` : ""}`);
  }
  const c = found.output;
  // A gateway cannot say what its user trusts.
  const trust = c.served_by === "web" ? c.trust : null;
  return {
    servedBy: c.served_by,
    gateway: c.gateway.replace(/\/+$/, ""),
    rpc: c.rpc,
    chainId: c.chain_id,
    registry: c.registry,
    ledger: c.ledger,
    fromBlock: BigInt(c.from_block),
    trustText: trust ? JSON.stringify(trust) : null,
    demoWallet: c.demo_wallet && c.served_by === "web" && c.chain_id === 31337,
    image: c.image,
    auditor: c.auditor,
  };
}

export async function getConfig(): Promise<PageConfig> {
  const response = await fetch("/config.json", { cache: "no-store", credentials: "omit" });
  if (!response.ok) throw new Error(`config.json: the server answered ${response.status}`);
  return readConfig(await response.json());
}
