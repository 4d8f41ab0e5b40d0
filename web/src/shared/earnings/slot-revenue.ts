// What one more node of a slot may expect: the slot's income of the last week, shared by its nodes and the new one. A look back, no promise.
import { type EarnedEvent, paceWeiPerDay } from "./earnings";

export interface Expectation {
  readonly weiPerDay: bigint; // of one node among `nodes`
  readonly slotWeiPerDay: bigint;
  readonly nodes: number; // with the new one
}

/** null: nothing was earned in the last week, so nothing can be said. */
export function expectationOf(
  events: readonly EarnedEvent[],
  liveNodes: number,
  now: number,
): Expectation | null {
  const pace = paceWeiPerDay(events, now);
  if (pace === null) return null;
  const nodes = liveNodes + 1;
  return { weiPerDay: pace / BigInt(nodes), slotWeiPerDay: pace, nodes };
}
