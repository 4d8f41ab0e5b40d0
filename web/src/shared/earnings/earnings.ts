// What a host earned, from the Ledger's own events: Earned credits a key on a line, Collected moves it to the host's balance, Withdrawn pays
// it out. Pure; amounts in wei.

export interface EarnedEvent {
  readonly line: string;
  readonly key: string;
  readonly amount: bigint;
  readonly block: bigint;
  readonly time: number; // unix seconds
  readonly tx: string;
}

export interface CollectedEvent extends EarnedEvent {
  readonly host: string;
}

export interface WithdrawnEvent {
  readonly user: string;
  readonly to: string;
  readonly amount: bigint;
  readonly block: bigint;
  readonly time: number;
  readonly tx: string;
}

export interface KeyEarnings {
  readonly key: string;
  readonly earned: bigint;
  readonly collected: bigint;
  readonly pot: bigint; // earned and not collected
  readonly lines: readonly LinePot[];
}

export interface LinePot {
  readonly line: string;
  readonly pot: bigint;
}

export interface HostEarnings {
  readonly earned: bigint;
  readonly collected: bigint;
  readonly withdrawn: bigint;
  readonly pot: bigint;
  readonly keys: readonly KeyEarnings[];
}

export function hostEarnings(
  keys: readonly string[],
  earned: readonly EarnedEvent[],
  collected: readonly CollectedEvent[],
  withdrawn: readonly WithdrawnEvent[],
): HostEarnings {
  const perKey = keys.map((key) => keyEarnings(key, earned, collected));
  return {
    earned: sum(perKey.map((k) => k.earned)),
    collected: sum(perKey.map((k) => k.collected)),
    withdrawn: sum(withdrawn.map((w) => w.amount)),
    pot: sum(perKey.map((k) => k.pot)),
    keys: perKey,
  };
}

function keyEarnings(
  key: string,
  earned: readonly EarnedEvent[],
  collected: readonly CollectedEvent[],
): KeyEarnings {
  const mine = earned.filter((e) => same(e.key, key));
  const taken = collected.filter((e) => same(e.key, key));
  const lines = new Map<string, bigint>();
  for (const e of mine) lines.set(e.line.toLowerCase(), (lines.get(e.line.toLowerCase()) ?? 0n) + e.amount);
  for (const e of taken) lines.set(e.line.toLowerCase(), (lines.get(e.line.toLowerCase()) ?? 0n) - e.amount);
  const total = sum(mine.map((e) => e.amount));
  const out = sum(taken.map((e) => e.amount));
  return {
    key,
    earned: total,
    collected: out,
    pot: total - out,
    lines: [...lines].map(([line, pot]) => ({ line, pot })).filter((l) => l.pot > 0n),
  };
}

export type Range = "hour" | "day" | "month";

export const RANGE_SECONDS: Readonly<Record<Range, number>> = { hour: 3600, day: 86_400, month: 30 * 86_400 };
export const RANGE_STEPS: Readonly<Record<Range, number>> = { hour: 60, day: 48, month: 30 };

export interface Bucket {
  readonly from: number;
  readonly to: number;
  readonly amount: bigint;
}

// Amounts per step of time; steps without one are there with 0, so that a chart has no holes.
export function earningsOverTime(
  events: readonly { readonly time: number; readonly amount: bigint }[],
  range: Range,
  now: number,
): Bucket[] {
  const steps = RANGE_STEPS[range];
  const step = RANGE_SECONDS[range] / steps;
  const start = now - RANGE_SECONDS[range];
  const amounts = new Array<bigint>(steps).fill(0n);
  for (const event of events) {
    const index = event.time >= now ? steps - 1 : Math.floor((event.time - start) / step);
    if (index >= 0 && index < steps) amounts[index] = (amounts[index] ?? 0n) + event.amount;
  }
  return amounts.map((amount, i) => ({ from: start + i * step, to: start + (i + 1) * step, amount }));
}

// Wei a day at the pace of the last week (or of the time since the first event, if that is shorter, but never less than an hour).
export function paceWeiPerDay(
  events: readonly { readonly time: number; readonly amount: bigint }[],
  now: number,
): bigint | null {
  const weekAgo = now - 7 * 86_400;
  const recent = events.filter((e) => e.time >= weekAgo);
  if (recent.length === 0) return null;
  const first = Math.min(...events.map((e) => e.time));
  const seconds = Math.max(3600, now - Math.max(weekAgo, first));
  return (sum(recent.map((e) => e.amount)) * 86_400n) / BigInt(Math.ceil(seconds));
}

function sum(values: readonly bigint[]): bigint {
  return values.reduce((a, b) => a + b, 0n);
}

function same(a: string, b: string): boolean {
  return a.toLowerCase() === b.toLowerCase();
}
