// The plan of one request: which nodes may serve each slot, chosen and verified by this client.
// docs/formats/sealed-request.md section 1.
import { type Address, compareUtf8, type Hash, toHex, utf8 } from "../verify/bytes";
import { expectObject, getAddress, getArray, getHash, getHex, getString, getUint } from "../verify/fields";
import { sha256 } from "../verify/hashes";
import { canonicalJson, type Json, type JsonObject } from "../verify/json";
import { maxSlots } from "../verify/model-params";
import { Malformed } from "../verify/refusal";

export const maxPlanNodes = 256;

export interface PlanNode {
  readonly slot: number;
  /** signing key, as attested */
  readonly key: Address;
  /** "host:port", a hint */
  readonly channel: string;
  /** hex of the boot id that was verified */
  readonly boot: string;
}

export interface Plan {
  readonly model: Hash;
  /** ascending (slot, key); slot 0 has exactly one, the head */
  readonly nodes: readonly PlanNode[];
  /** hex: hash of the trust file */
  readonly policy: string;
}

export function planJson(plan: Plan): JsonObject {
  const nodes = plan.nodes.map(({ slot, key, channel, boot }) => ({
    slot: BigInt(slot),
    key,
    channel,
    boot,
  }));
  return { model: plan.model, nodes, policy: plan.policy };
}

function nodeFrom(value: Json): PlanNode {
  const json = expectObject(value, "plan node");
  const channel = getString(json, "channel");
  if (utf8(channel).length > 256) throw new Malformed("field 'channel': too long");
  return {
    slot: getUint(json, "slot", maxSlots - 1),
    key: getAddress(json, "key"),
    channel,
    boot: toHex(getHex(json, "boot", 16)),
  };
}

function checkOrder(nodes: readonly PlanNode[]): void {
  if (nodes[0]?.slot !== 0 || nodes[1]?.slot === 0) {
    throw new Malformed("plan: slot 0 needs exactly one node, the head");
  }
  for (let i = 1; i < nodes.length; i++) {
    const [before, node] = [nodes[i - 1] as PlanNode, nodes[i] as PlanNode];
    const rises =
      node.slot === before.slot + 1 || (node.slot === before.slot && compareUtf8(before.key, node.key) < 0);
    if (!rises) throw new Malformed("plan: nodes are not in order or a slot is missing");
  }
}

/** Throws Malformed unless ordered, complete and bounded. */
export function planFromJson(value: Json): Plan {
  const json = expectObject(value, "plan");
  const nodes = getArray(json, "nodes", maxPlanNodes).map(nodeFrom);
  checkOrder(nodes);
  return { model: getHash(json, "model"), nodes, policy: toHex(getHex(json, "policy", 32)) };
}

/** Hex: SHA-256 of the canonical JSON. */
export function planHash(plan: Plan): string {
  return toHex(sha256(utf8(canonicalJson(planJson(plan)))));
}

export function planHead(plan: Plan): PlanNode {
  const [head] = plan.nodes;
  if (head === undefined) throw new Malformed("plan: it has no head");
  return head;
}

export function planPermits(plan: Plan, slot: number, key: Address): boolean {
  return plan.nodes.some((node) => node.slot === slot && node.key === key);
}
