import { describe, expect, it } from "vitest";
import { earningsOverTime, hostEarnings, paceWeiPerDay } from "@/shared/earnings/earnings.ts";
import { alertsFor, leaseWarning, type WatchedNode } from "./alerts";
import { forecastOf } from "./forecast";
import { shareLeft, timeLeft } from "./lease";
import { mergeUsage, usageTotals } from "./usage";

const at = (time: number, amount: bigint, key = "0xA1", line = "0xL") => ({
  line,
  key,
  amount,
  block: 1n,
  time,
  tx: "0x",
});

describe("earnings", () => {
  it("keeps pot = earned - collected for each key and line, whatever the case of the address", () => {
    const all = hostEarnings(
      ["0xa1", "0xb2"],
      [at(1, 70n), at(2, 30n, "0xa1", "0xM"), at(3, 5n, "0xb2"), at(4, 99n, "0xstranger")],
      [{ ...at(5, 60n), host: "0xh" }],
      [{ user: "0xh", to: "0xh", amount: 20n, block: 9n, time: 6, tx: "0x" }],
    );
    expect(all).toMatchObject({ earned: 105n, collected: 60n, pot: 45n, withdrawn: 20n });
    expect(all.keys[0]?.lines).toEqual([
      { line: "0xl", pot: 10n },
      { line: "0xm", pot: 30n },
    ]);
  });

  it("puts each amount into exactly one step, and none from outside", () => {
    const now = 100_000;
    const buckets = earningsOverTime(
      [at(now - 3600, 1n), at(now - 1, 2n), at(now, 4n), at(now - 3601, 8n)],
      "hour",
      now,
    );
    expect(buckets).toHaveLength(60);
    expect(buckets.reduce((sum, b) => sum + b.amount, 0n)).toBe(7n);
    expect(buckets[59]?.amount).toBe(6n);
  });

  it("states no pace without income, and a day's pace from the time that there was", () => {
    expect(paceWeiPerDay([], 1000)).toBeNull();
    expect(paceWeiPerDay([at(1_000_000 - 8 * 86_400, 5n)], 1_000_000)).toBeNull();
    expect(paceWeiPerDay([at(1_000_000 - 43_200, 10n)], 1_000_000)).toBe(20n);
    expect(paceWeiPerDay([at(999_990, 10n)], 1_000_000)).toBe(240n);
  });
});

describe("forecast", () => {
  const text = (next: string, evaluation: unknown = 17) =>
    JSON.stringify({
      issueDate: "2026-01-01T00:00:00Z",
      nextUpdate: next,
      tcbEvaluationDataNumber: evaluation,
    });
  const now = Date.parse("2026-01-20T00:00:00Z") / 1000;

  it("refuses collateral without dates or number", () => {
    expect(() => forecastOf({ tcb_info: "{}", qe_identity: "{}" }, now)).toThrow(/TCB info/);
    expect(() =>
      forecastOf({ tcb_info: text("soon"), qe_identity: text("2026-02-01T00:00:00Z") }, now),
    ).toThrow(/date/);
    expect(() =>
      forecastOf(
        { tcb_info: text("2026-02-01T00:00:00Z", "17"), qe_identity: text("2026-02-01T00:00:00Z") },
        now,
      ),
    ).toThrow(/Number/);
  });

  it("takes the earlier date and says fine, near, over", () => {
    const of = (tcb: string, qe: string) =>
      forecastOf({ tcb_info: text(tcb), qe_identity: text(qe, 18) }, now);
    expect(of("2026-02-20T00:00:00Z", "2026-01-30T00:00:00Z")).toMatchObject({
      state: "fine",
      secondsLeft: 10 * 86_400,
      tcbEvaluation: 17,
      qeEvaluation: 18,
    });
    expect(of("2026-01-22T00:00:00Z", "2026-02-20T00:00:00Z").state).toBe("near");
    expect(of("2026-01-19T00:00:00Z", "2026-02-20T00:00:00Z").state).toBe("over");
  });
});

describe("alerts", () => {
  const fine: WatchedNode = {
    key: "0xa1",
    slot: 1,
    until: 1_000_000,
    lease: 86_400,
    up: true,
    refusal: null,
    forecast: null,
  };
  const ids = (node: Partial<WatchedNode>, now = 900_000) =>
    alertsFor([{ ...fine, ...node }], now).map((a) => `${a.severity} ${a.id.split(":")[1] ?? ""}`);

  it("says nothing about a node in order", () => expect(ids({})).toEqual([]));
  it("sees a lease that ends or is over", () => {
    expect(ids({}, 1_000_000 - leaseWarning(86_400) + 1)).toEqual(["soon lease"]);
    expect(ids({}, 1_000_001)).toEqual(["urgent lease"]);
  });
  it("sees a silent node, once, and only while it should serve", () => {
    expect(ids({ up: false })).toEqual(["urgent reach"]);
    expect(ids({ up: null })).toEqual([]);
    expect(ids({ up: false }, 1_000_001)).toEqual(["urgent lease"]);
  });
  it("puts what is urgent first", () => {
    const near = {
      nextUpdate: 0,
      tcbEvaluation: 1,
      qeEvaluation: 1,
      issued: 0,
      secondsLeft: 5,
      state: "near" as const,
    };
    expect(ids({ forecast: near, refusal: "check tcb.status: OutOfDate." })).toEqual([
      "urgent evidence",
      "soon tcb",
    ]);
  });
});

describe("usage and lease", () => {
  const point = { t: 60, requests: 2, tokens_in: 10, tokens_out: 20, busy_seconds: 30, up: 1 };
  it("adds up several nodes step by step", () => {
    const merged = mergeUsage([
      { from: 0, step: 60, points: [point, { ...point, t: 120, up: 0 }] },
      { from: 0, step: 60, points: [{ ...point, t: 120 }] },
    ]);
    expect(merged?.points).toMatchObject([
      { t: 60, requests: 2 },
      { t: 120, requests: 4, tokens_out: 40, up: 0 },
    ]);
    const merge = (a: number | null, b: number | null) =>
      mergeUsage([a, b].map((up) => ({ from: 0, step: 60, points: [{ ...point, up }] })))?.points[0]?.up;
    expect([merge(null, 1), merge(1, null), merge(0, 1), merge(null, null)]).toEqual([1, 1, 0, null]);
    expect(mergeUsage([])).toBeNull();
  });
  it("shares are of the sampled time; nothing sampled is nothing known", () => {
    expect(usageTotals({ from: 0, step: 60, points: [point] })).toMatchObject({
      requests: 2,
      busyShare: 0.5,
      upShare: 1,
      ttftMs: null,
    });
    const before = { ...point, t: 0, requests: 0, busy_seconds: 0, up: null };
    expect(usageTotals({ from: 0, step: 60, points: [before, point] })).toMatchObject({
      busyShare: 0.5,
      upShare: 1,
    });
    expect(usageTotals({ from: 0, step: 60, points: [] })).toMatchObject({ busyShare: null, upShare: null });
  });
  it("says the time that is left", () => {
    expect([0, 59, 61, 3700, 90_000].map(timeLeft)).toEqual([
      "over",
      "59 s",
      "1 min 1 s",
      "1 h 1 min",
      "1 d 1 h",
    ]);
    expect(shareLeft(150, 100, 100)).toBe(0.5);
    expect(shareLeft(50, 100, 100)).toBe(0);
    expect(shareLeft(50, 0, 100)).toBeNull();
  });
});
