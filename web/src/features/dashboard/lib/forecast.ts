// When the collateral behind a node's evidence runs out, read from the collateral itself. What it cannot say: whether the vendor publishes a
// new level tomorrow; no server of a vendor is asked from a page.

export interface CollateralTexts {
  readonly tcb_info: string;
  readonly qe_identity: string;
}

export interface Forecast {
  readonly nextUpdate: number; // unix seconds; the earlier of the two
  readonly tcbEvaluation: number;
  readonly qeEvaluation: number;
  readonly issued: number;
  readonly secondsLeft: number;
  readonly state: "fine" | "near" | "over";
}

export const NEAR_SECONDS = 7 * 86_400;

export function forecastOf(collateral: CollateralTexts, now: number): Forecast {
  const tcb = fieldsOf(collateral.tcb_info, "TCB info");
  const qe = fieldsOf(collateral.qe_identity, "QE identity");
  const nextUpdate = Math.min(tcb.nextUpdate, qe.nextUpdate);
  const secondsLeft = nextUpdate - now;
  return {
    nextUpdate,
    tcbEvaluation: tcb.evaluation,
    qeEvaluation: qe.evaluation,
    issued: Math.max(tcb.issued, qe.issued),
    secondsLeft,
    state: secondsLeft <= 0 ? "over" : secondsLeft < NEAR_SECONDS ? "near" : "fine",
  };
}

function fieldsOf(text: string, what: string): { nextUpdate: number; issued: number; evaluation: number } {
  const value: unknown = JSON.parse(text);
  if (typeof value !== "object" || value === null) throw new Error(`${what}: no object`);
  const fields = value as Record<string, unknown>;
  const evaluation = fields["tcbEvaluationDataNumber"];
  if (typeof evaluation !== "number" || !Number.isSafeInteger(evaluation))
    throw new Error(`${what}: no tcbEvaluationDataNumber`);
  return {
    nextUpdate: seconds(fields["nextUpdate"], what),
    issued: seconds(fields["issueDate"], what),
    evaluation,
  };
}

function seconds(value: unknown, what: string): number {
  const time = typeof value === "string" ? Date.parse(value) : NaN;
  if (!Number.isFinite(time)) throw new Error(`${what}: no date`);
  return Math.floor(time / 1000);
}
