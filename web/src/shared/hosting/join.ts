// From a checked node to a lit slot: fresh evidence for a block, an auditor's approval, one transaction. The same steps renew a lease.
// Nothing is sent to the chain before the page itself has verified the evidence of this very join.

export type JoinStepId = "evidence" | "verify" | "approve" | "send" | "mined" | "live";
export type JoinStepStatus = "waiting" | "running" | "done" | "failed";

export interface JoinStep {
  readonly id: JoinStepId;
  readonly title: string;
  readonly status: JoinStepStatus;
  readonly detail: string;
  readonly next: string; // what to do when it failed
}

export interface JoinRequest {
  readonly url: string;
  readonly model: string;
  readonly slot: number;
  readonly key: string;
  readonly host: string;
  readonly weights: string;
}

export interface JoinEvidence {
  readonly key: string;
  readonly slot: number;
  readonly model: string;
  readonly weights: string;
  readonly host: string;
  readonly blockNumber: bigint;
  readonly blockHash: string;
  readonly reportData: string; // 32 bytes
  readonly raw: unknown; // as the node gave it, for the auditor
}

export interface Approval {
  readonly reportData: string;
  readonly expires: number;
  readonly quote: `0x${string}`;
}

export interface JoinPorts {
  readonly block: () => Promise<{ number: bigint; hash: string }>;
  readonly joinEvidence: (host: string, block: bigint) => Promise<JoinEvidence>;
  readonly expectedReportData: (evidence: JoinEvidence, blockHash: string) => string;
  readonly verifyQuote: (evidence: JoinEvidence) => Promise<{ ok: true } | { ok: false; reason: string }>;
  readonly approve: (evidence: JoinEvidence) => Promise<Approval>;
  readonly send: (request: JoinRequest, approval: Approval, block: bigint) => Promise<string>; // hash of the transaction
  readonly mined: (tx: string) => Promise<{ ok: boolean; block: bigint }>;
  readonly live: () => Promise<boolean>; // asks until the slot shows the node, or gives up with false
  readonly now: () => number;
}

export interface JoinResult {
  readonly ok: boolean;
  readonly tx: string | null;
  readonly steps: readonly JoinStep[];
}

const STEPS: readonly Pick<JoinStep, "id" | "title">[] = [
  { id: "evidence", title: "The node makes evidence for this join" },
  { id: "verify", title: "This page verifies it" },
  { id: "approve", title: "The auditor approves" },
  { id: "send", title: "You sign the transaction" },
  { id: "mined", title: "The chain takes it" },
  { id: "live", title: "The slot shows your node" },
];

export function freshSteps(): JoinStep[] {
  return STEPS.map((step) => ({ ...step, status: "waiting", detail: "", next: "" }));
}

export class JoinError extends Error {
  readonly next: string;
  constructor(message: string, next: string) {
    super(message);
    this.next = next;
  }
}

export async function runJoin(
  request: JoinRequest,
  ports: JoinPorts,
  publish: (steps: readonly JoinStep[]) => void,
): Promise<JoinResult> {
  const run = new Run(publish);
  try {
    const block = await run.step(
      "evidence",
      () => ports.block(),
      (b) => `for block ${b.number}`,
    );
    const evidence = await run.step(
      "evidence",
      () => ports.joinEvidence(request.host, block.number),
      (e) => `for block ${e.blockNumber}`,
    );
    await run.step(
      "verify",
      () => verify(request, evidence, block, ports),
      () => "report data, quote and measurement hold",
    );
    const approval = await run.step(
      "approve",
      () => approved(evidence, ports),
      (a) => `good until ${new Date(a.expires * 1000).toLocaleTimeString()}`,
    );
    const tx = await run.step(
      "send",
      () => ports.send(request, approval, block.number),
      (hash) => hash,
    );
    run.tx = tx;
    await run.step(
      "mined",
      () => mined(tx, ports),
      (m) => `in block ${m.block}`,
    );
    await run.step(
      "live",
      () => live(ports),
      () => "live",
    );
    return run.result(true);
  } catch {
    return run.result(false);
  }
}

class Run {
  private steps = freshSteps();
  tx: string | null = null;
  private readonly publish: (steps: readonly JoinStep[]) => void;
  constructor(publish: (steps: readonly JoinStep[]) => void) {
    this.publish = publish;
    publish(this.steps);
  }
  async step<T>(id: JoinStepId, work: () => Promise<T>, say: (value: T) => string): Promise<T> {
    this.set(id, "running", "", "");
    try {
      const value = await work();
      this.set(id, "done", say(value), "");
      return value;
    } catch (error) {
      const known = explainJoinError(error);
      this.set(id, "failed", known.text, known.next);
      throw error;
    }
  }
  result(ok: boolean): JoinResult {
    return { ok, tx: this.tx, steps: this.steps };
  }
  private set(id: JoinStepId, status: JoinStepStatus, detail: string, next: string): void {
    this.steps = this.steps.map((step) => (step.id === id ? { ...step, status, detail, next } : step));
    this.publish(this.steps);
  }
}

async function verify(
  request: JoinRequest,
  evidence: JoinEvidence,
  block: { number: bigint; hash: string },
  ports: JoinPorts,
): Promise<void> {
  const differs = firstDifference(request, evidence, block);
  if (differs)
    throw new JoinError(
      `The node made evidence for another ${differs}.`,
      "Check the node again; it may have been restarted.",
    );
  if (!same(evidence.reportData, ports.expectedReportData(evidence, block.hash))) {
    throw new JoinError(
      "The report data is not that of this host, key, weights and block.",
      "Check the node’s RPC: it must serve the same chain.",
    );
  }
  const verdict = await ports.verifyQuote(evidence);
  if (!verdict.ok) throw new JoinError(verdict.reason, "Run the checks again: they name the cure.");
}

function firstDifference(
  request: JoinRequest,
  evidence: JoinEvidence,
  block: { number: bigint; hash: string },
): string | null {
  if (!same(evidence.key, request.key)) return "key";
  if (!same(evidence.host, request.host)) return "wallet";
  if (!same(evidence.model, request.model)) return "model";
  if (evidence.slot !== request.slot) return "slot";
  if (!same(evidence.weights, request.weights)) return "shard";
  if (evidence.blockNumber !== block.number || !same(evidence.blockHash, block.hash)) return "block";
  return null;
}

async function approved(evidence: JoinEvidence, ports: JoinPorts): Promise<Approval> {
  const approval = await ports.approve(evidence);
  if (!same(approval.reportData, evidence.reportData))
    throw new JoinError(
      "The auditor approved other evidence than this.",
      "Try again; if it stays, the auditor is at fault.",
    );
  if (approval.expires <= ports.now())
    throw new JoinError("The approval has expired already.", "Check the clocks and try again.");
  return approval;
}

async function mined(tx: string, ports: JoinPorts): Promise<{ block: bigint }> {
  const result = await ports.mined(tx);
  if (!result.ok)
    throw new JoinError(
      "The transaction was reverted.",
      "No money was lost but the gas. Try again: evidence is good for 256 blocks.",
    );
  return result;
}

async function live(ports: JoinPorts): Promise<void> {
  if (!(await ports.live()))
    throw new JoinError(
      "The gateway does not list the node yet.",
      "It is joined on chain. Reload in a minute.",
    );
}

function same(a: string, b: string): boolean {
  return a.toLowerCase() === b.toLowerCase();
}

/** Errors of the gateway, the chain and this file carry their next step; others get the general one. */
export function explainJoinError(error: unknown): { text: string; next: string } {
  const text = error instanceof Error ? (error.message.split("\n")[0] ?? "").slice(0, 300) : String(error);
  const next = (error as { next?: unknown } | null)?.next;
  return {
    text,
    next:
      typeof next === "string" && next !== "" ? next : "Try again. If it stays, look into the node’s log.",
  };
}
