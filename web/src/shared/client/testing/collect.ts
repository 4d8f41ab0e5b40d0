// For tests: all events of one question, and those of one kind.
import type { AskEvent, AskHandle } from "../ask-types";

export async function collect(handle: AskHandle): Promise<AskEvent[]> {
  const events: AskEvent[] = [];
  for await (const event of handle.events) events.push(event);
  return events;
}

export function of<T extends AskEvent["t"]>(
  events: readonly AskEvent[],
  t: T,
): Extract<AskEvent, { t: T }>[] {
  return events.filter((event): event is Extract<AskEvent, { t: T }> => event.t === t);
}
