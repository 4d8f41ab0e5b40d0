// Usage of a node as the gateway sampled it, ready for charts and totals.
import type { Range } from "@/shared/earnings/earnings.ts";

export interface UsagePoint {
  readonly t: number;
  readonly requests: number;
  readonly tokens_in: number;
  readonly tokens_out: number;
  readonly busy_seconds: number;
  readonly up: number | null; // 0..1; null: nobody asked it then
  readonly ttft_ms?: number | null | undefined;
  readonly tokens_per_second?: number | null | undefined;
}

export interface Usage {
  readonly from: number;
  readonly step: number;
  readonly points: readonly UsagePoint[];
}

export interface UsageTotals {
  readonly requests: number;
  readonly tokensIn: number;
  readonly tokensOut: number;
  readonly busyShare: number | null; // of the sampled time
  readonly upShare: number | null;
  readonly ttftMs: number | null;
  readonly tokensPerSecond: number | null;
}

export function usageTotals(usage: Usage): UsageTotals {
  const points = usage.points;
  const asked = points.filter((p) => p.up !== null);
  const time = asked.length * usage.step;
  return {
    requests: add(points.map((p) => p.requests)),
    tokensIn: add(points.map((p) => p.tokens_in)),
    tokensOut: add(points.map((p) => p.tokens_out)),
    busyShare: time > 0 ? Math.min(1, add(points.map((p) => p.busy_seconds)) / time) : null,
    upShare: asked.length > 0 ? add(asked.map((p) => p.up ?? 0)) / asked.length : null,
    ttftMs: mean(points.map((p) => p.ttft_ms)),
    tokensPerSecond: mean(points.map((p) => p.tokens_per_second)),
  };
}

// Several nodes of one host in one line: counters add up, step by step.
export function mergeUsage(all: readonly Usage[]): Usage | null {
  const first = all[0];
  if (!first) return null;
  const byTime = new Map<number, UsagePoint>();
  for (const usage of all)
    for (const point of usage.points) byTime.set(point.t, addPoints(byTime.get(point.t), point));
  return { from: first.from, step: first.step, points: [...byTime.values()].sort((a, b) => a.t - b.t) };
}

function addPoints(a: UsagePoint | undefined, b: UsagePoint): UsagePoint {
  if (!a) return b;
  return {
    t: a.t,
    requests: a.requests + b.requests,
    tokens_in: a.tokens_in + b.tokens_in,
    tokens_out: a.tokens_out + b.tokens_out,
    busy_seconds: a.busy_seconds + b.busy_seconds,
    up: a.up === null || b.up === null ? (a.up ?? b.up) : Math.min(a.up, b.up),
  };
}

export function timeLabel(t: number, range: Range): string {
  const date = new Date(t * 1000);
  return range === "month"
    ? date.toLocaleDateString(undefined, { day: "numeric", month: "short" })
    : date.toLocaleTimeString(undefined, { hour: "2-digit", minute: "2-digit" });
}

function add(values: readonly number[]): number {
  return values.reduce((a, b) => a + b, 0);
}

function mean(values: readonly (number | null | undefined)[]): number | null {
  const known = values.filter((v) => v != null && v > 0) as number[];
  return known.length > 0 ? add(known) / known.length : null;
}
