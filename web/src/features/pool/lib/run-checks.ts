// Runs the checks of one node in order and publishes the list after each step. What talks to gateway, chain and verifier comes in through
// CheckPorts, so that this file is only the rules: what each answer must be, and what is not reached when something before it failed.
import { judgeMrConfigId } from "./app-compose";
import {
  CHECKS,
  type CheckList,
  type CheckStatus,
  type CheckUpdate,
  cureOf,
  endChecks,
  type Fact,
  freshChecks,
  lineOfRefusal,
  updateCheck,
} from "./check-list";
import {
  judgeKnownAnswers,
  type KnownAnswer,
  type KnownAnswerReply,
  parseKnownAnswerReply,
} from "./known-answer";

export interface GatewayEvent {
  readonly check: string;
  readonly status: CheckStatus;
  readonly detail: string;
  readonly cure: string;
  readonly data: Readonly<Record<string, unknown>>;
}

export interface JudgedClaims {
  readonly host: string;
  readonly model: string;
  readonly slot: number;
  readonly signer: string;
  readonly weights: string;
  readonly hpkeKey: Uint8Array;
  readonly tlsKeyHash: string; // hex
  readonly block: bigint;
  readonly blockHash: string;
  readonly blockTime: number;
}

export interface GoodEvidence {
  readonly ok: true;
  readonly simulated: boolean;
  readonly claims: JudgedClaims;
  readonly mrConfigId: string;
  readonly passed: readonly { readonly id: string; readonly text: string }[];
  readonly hardware: readonly Fact[];
  readonly tcb: readonly Fact[];
  readonly tcbText: string;
  readonly measurement: readonly Fact[];
  readonly measurementText: string;
}

export type EvidenceVerdict =
  | GoodEvidence
  | { readonly ok: false; readonly check: string; readonly reason: string };

export interface CheckTarget {
  readonly url: string;
  readonly model: string;
  readonly slot: number;
  readonly host: string;
  readonly weights: string; // the slot's root, from parameters that hash to the model id
  readonly manifestHash: string;
  readonly knownAnswers: readonly KnownAnswer[];
  readonly composeHashes: readonly string[]; // of the files that this page made for this slot and wallet
}

export interface CheckPorts {
  readonly gatewayChecks: (onEvent: (event: GatewayEvent) => void) => Promise<void>;
  readonly judgeEvidence: () => Promise<EvidenceVerdict>;
  readonly proveHpke: (
    claims: JudgedClaims,
  ) => Promise<{ ok: boolean; reason: string; facts: readonly Fact[] }>;
  readonly chainManifest: () => Promise<string>; // Registry.info(model).manifest
  readonly nodeManifestHash: () => Promise<string>;
  readonly blockHash: (block: bigint) => Promise<string | null>;
  readonly knownAnswer: (nonce: string) => Promise<unknown>;
  readonly knownAnswerSigner: (nonce: string, reply: KnownAnswerReply) => Promise<string>; // address
  readonly nonce: () => string;
}

export interface CheckOutcome {
  readonly list: CheckList;
  readonly evidence: GoodEvidence | null;
}

const GATEWAY_LINES: ReadonlySet<string> = new Set(
  CHECKS.filter((c) => c.seenBy === "gateway").map((c) => c.id),
);

type Publish = (list: CheckList) => void;

export async function runChecks(
  target: CheckTarget,
  ports: CheckPorts,
  publish: Publish,
): Promise<CheckOutcome> {
  const board = new Board(publish);
  await runGatewayChecks(board, ports);
  if (board.statusOf("node.reachable") !== "passed") {
    return { list: board.end("Not reached: the node could not be reached."), evidence: null };
  }
  const evidence = await runEvidence(board, target, ports);
  if (evidence) await runIdentity(board, target, ports, evidence);
  await runModel(board, target, ports, evidence);
  return { list: board.end(evidence ? "Not reached." : "Not reached: its evidence was refused."), evidence };
}

class Board {
  private list: CheckList = freshChecks();
  private readonly publish: Publish;
  constructor(publish: Publish) {
    this.publish = publish;
    publish(this.list);
  }
  set(id: string, update: CheckUpdate): void {
    this.list = updateCheck(this.list, id, update);
    this.publish(this.list);
  }
  factOf(id: string, label: string): string | null {
    return (
      this.list.find((check) => check.id === id)?.facts.find((fact) => fact.label === label)?.value ?? null
    );
  }
  statusOf(id: string): CheckStatus | undefined {
    return this.list.find((check) => check.id === id)?.status;
  }
  // A step that throws fails its own line and no other.
  async step(id: string, run: () => Promise<CheckUpdate>): Promise<boolean> {
    this.set(id, { status: "running" });
    const update = await run().catch(
      (error: unknown): CheckUpdate => ({ status: "failed", detail: messageOf(error) }),
    );
    this.set(id, update);
    return update.status === "passed";
  }
  end(why: string): CheckList {
    this.list = endChecks(this.list, why);
    this.publish(this.list);
    return this.list;
  }
}

async function runGatewayChecks(board: Board, ports: CheckPorts): Promise<void> {
  board.set("node.address", { status: "running" });
  try {
    await ports.gatewayChecks((event) => {
      if (!GATEWAY_LINES.has(event.check)) return; // the gateway speaks for nothing that this page can see itself
      board.set(event.check, {
        status: event.status,
        detail: event.detail,
        cure: event.cure,
        facts: factsOf(event.data),
      });
    });
  } catch (error) {
    const first = board.statusOf("node.address") === "running" ? "node.address" : "node.reachable";
    board.set(first, {
      status: "failed",
      detail: messageOf(error),
      cure: "The gateway could not be asked. Try again, or use another gateway in the settings.",
    });
  }
}

async function runEvidence(
  board: Board,
  target: CheckTarget,
  ports: CheckPorts,
): Promise<GoodEvidence | null> {
  board.set("hardware.quote", { status: "running" });
  let verdict: EvidenceVerdict;
  try {
    verdict = await ports.judgeEvidence();
  } catch (error) {
    board.set("hardware.quote", { status: "failed", detail: messageOf(error) });
    return null;
  }
  if (!verdict.ok) {
    refuse(board, verdict.check, verdict.reason);
    return null;
  }
  board.set("hardware.quote", {
    status: "passed",
    detail: hardwareText(verdict),
    facts: [...verdict.hardware, ...verdict.passed.map((p) => ({ label: p.id, value: p.text }))],
  });
  board.set("hardware.tcb", { status: "passed", detail: verdict.tcbText, facts: verdict.tcb });
  board.set("hardware.measurement", {
    status: "passed",
    detail: verdict.measurementText,
    facts: verdict.measurement,
  });
  board.set("hardware.compose", composeUpdate(verdict, target.composeHashes));
  return verdict;
}

// The line of the failed check fails; lines that the verifier passes before it are known to hold.
function refuse(board: Board, check: string, reason: string): void {
  const line = lineOfRefusal(check);
  const before: Readonly<Record<string, readonly string[]>> = {
    "hardware.tcb": check === "tcb.status" || check === "tcb.evaluation" ? ["hardware.quote"] : [],
    "hardware.measurement": ["hardware.quote", "hardware.tcb"],
    "claims.chain": ["hardware.quote", "hardware.tcb", "hardware.measurement"],
    "claims.age": ["hardware.quote", "hardware.tcb", "hardware.measurement", "claims.chain"],
  };
  if (line !== "hardware.quote") board.set("hardware.quote", { status: "waiting" });
  for (const id of before[line] ?? [])
    board.set(id, { status: "passed", detail: "Holds; the refusal came after it." });
  board.set(line, {
    status: "failed",
    detail: reason,
    cure: cureOf(check),
    facts: [{ label: "Check", value: check, code: true }],
  });
}

function hardwareText(verdict: GoodEvidence): string {
  return verdict.simulated
    ? "SIMULATED: signed by a development machine, worth nothing to anybody else."
    : "Intel TDX, signed up to the vendor’s root certificate.";
}

function composeUpdate(verdict: GoodEvidence, hashes: readonly string[]): CheckUpdate {
  const facts: Fact[] = [
    { label: "MRCONFIGID", value: verdict.mrConfigId, code: true },
    ...hashes.map((h) => ({ label: "Compose hash of this page", value: h, code: true })),
  ];
  const verdicts = hashes.map((hash) => judgeMrConfigId(verdict.mrConfigId, hash));
  if (verdicts.some((v) => v.kind === "equal"))
    return { status: "passed", detail: "The quote shows the compose hash of this page.", facts };
  if (judgeMrConfigId(verdict.mrConfigId, "").kind === "not-measured") {
    const status = verdict.simulated ? "skipped" : "failed";
    return { status, detail: "Not measured: the node was not started from a compose file.", facts };
  }
  return { status: "failed", detail: "The quote shows another compose hash than any file made here.", facts };
}

async function runIdentity(
  board: Board,
  target: CheckTarget,
  ports: CheckPorts,
  evidence: GoodEvidence,
): Promise<void> {
  const claims = evidence.claims;
  board.set(
    "claims.host",
    equality(
      claims.host,
      target.host,
      "The evidence names your wallet as the one that is paid.",
      "The evidence names another wallet",
    ),
  );
  board.set("claims.place", place(claims, target));
  compareTlsKey(board, claims);
  board.set("claims.age", {
    status: "passed",
    detail: `Names block ${claims.block}.`,
    facts: [
      { label: "Block", value: String(claims.block) },
      { label: "Time of the block", value: new Date(claims.blockTime * 1000).toISOString() },
    ],
  });
  await board.step("claims.chain", async () => {
    const hash = await ports.blockHash(claims.block);
    const facts: Fact[] = [
      { label: "Hash of the block, as claimed", value: claims.blockHash, code: true },
      { label: "By your RPC", value: hash ?? "unknown block", code: true },
    ];
    const same = hash !== null && sameHex(hash, claims.blockHash);
    return {
      status: same ? "passed" : "failed",
      detail: same
        ? "Chain, registry and block are yours."
        : "Your RPC does not know the block that the node names.",
      facts,
    };
  });
  await board.step("key.hpke", async () => {
    const proof = await ports.proveHpke(claims);
    return {
      status: proof.ok ? "passed" : "failed",
      detail: proof.ok ? "It opened a challenge that only this key can open." : proof.reason,
      facts: proof.facts,
    };
  });
}

// The gateway saw a TLS key on the channel; the evidence names the right one.
function compareTlsKey(board: Board, claims: JudgedClaims): void {
  const seen = board.factOf("node.tls", "spki sha256");
  if (board.statusOf("node.tls") !== "passed" || seen === null) return;
  const facts: Fact[] = [
    { label: "Key that the gateway saw (SHA-256)", value: seen, code: true },
    { label: "Key that the evidence names", value: claims.tlsKeyHash, code: true },
  ];
  const same = sameHex(seen, claims.tlsKeyHash);
  const detail = same
    ? "The channel shows the TLS key that the evidence names."
    : "The channel shows another TLS key than the evidence names.";
  board.set("node.tls", { status: same ? "passed" : "failed", detail, facts });
}

function place(claims: JudgedClaims, target: CheckTarget): CheckUpdate {
  const facts: Fact[] = [
    { label: "Model", value: claims.model, code: true },
    { label: "Slot", value: String(claims.slot) },
  ];
  if (!sameHex(claims.model, target.model))
    return { status: "failed", detail: "The evidence names another model.", facts };
  if (claims.slot !== target.slot)
    return {
      status: "failed",
      detail: `The evidence names slot ${claims.slot}, you chose slot ${target.slot}.`,
      facts,
    };
  return { status: "passed", detail: `Slot ${claims.slot} of the chosen model.`, facts };
}

async function runModel(
  board: Board,
  target: CheckTarget,
  ports: CheckPorts,
  evidence: GoodEvidence | null,
): Promise<void> {
  await board.step("model.manifest", async () => {
    const [chain, node] = await Promise.all([ports.chainManifest(), ports.nodeManifestHash()]);
    const facts: Fact[] = [
      { label: "On chain", value: chain, code: true },
      { label: "From the node", value: node, code: true },
      { label: "Of the model id", value: target.manifestHash, code: true },
    ];
    const same = sameHex(chain, node) && sameHex(chain, target.manifestHash);
    return {
      status: same ? "passed" : "failed",
      detail: same ? "The same bytes everywhere." : "The node’s manifest is not the one on chain.",
      facts,
    };
  });
  if (!evidence) return;
  board.set(
    "model.weights",
    equality(
      evidence.claims.weights,
      target.weights,
      "The attested root of its tensors is that of the manifest and of the chain.",
      "The attested weights are not those of the slot",
    ),
  );
  await runKnownAnswer(board, target, ports, evidence);
}

async function runKnownAnswer(
  board: Board,
  target: CheckTarget,
  ports: CheckPorts,
  evidence: GoodEvidence,
): Promise<void> {
  let speed = 0;
  const good = await board.step("model.answer", async () => {
    const nonce = ports.nonce();
    const raw = await ports.knownAnswer(nonce);
    const reply = parseKnownAnswerReply(raw);
    speed = reply.rows_per_second;
    const signer = await ports.knownAnswerSigner(nonce, reply);
    const facts: Fact[] = [
      { label: "Signed by", value: signer, code: true },
      ...reply.kats.map((kat) => ({
        label: `Test ${kat.seed}, ${kat.n_tokens} tokens`,
        value: kat.output_sha256,
        code: true,
      })),
    ];
    if (!sameHex(signer, evidence.claims.signer))
      return { status: "failed", detail: "The answer is not signed by the attested key.", facts };
    const verdict = judgeKnownAnswers(target.knownAnswers, reply, nonce);
    return verdict.ok
      ? { status: "passed", detail: `${verdict.count} tests, each bit equal.`, facts }
      : { status: "failed", detail: `${verdict.reason}.`, facts };
  });
  if (good) board.set("model.speed", speedUpdate(speed));
}

function speedUpdate(rows: number): CheckUpdate {
  const facts: Fact[] = [{ label: "Tokens a second through this slot", value: rows.toFixed(1) }];
  if (rows <= 0) return { status: "failed", detail: "The node did not say how fast it computed.", facts };
  return {
    status: "passed",
    detail: `${rows.toFixed(rows < 10 ? 1 : 0)} tokens a second through this slot, by the node’s own signed test.`,
    facts,
  };
}

function equality(found: string, expected: string, good: string, bad: string): CheckUpdate {
  const same = sameHex(found, expected);
  const facts: Fact[] = [
    { label: "Attested", value: found, code: true },
    { label: "Expected", value: expected, code: true },
  ];
  return {
    status: same ? "passed" : "failed",
    detail: same ? good : `${bad}: ${found.slice(0, 12)}…`,
    facts,
  };
}

function factsOf(data: Readonly<Record<string, unknown>>): Fact[] {
  return Object.entries(data)
    .filter(
      ([, value]) => typeof value === "string" || typeof value === "number" || typeof value === "boolean",
    )
    .map(([label, value]) => ({
      label: label.replaceAll("_", " "),
      value: String(value),
      code: typeof value === "string" && value.startsWith("0x"),
    }));
}

function sameHex(a: string, b: string): boolean {
  return a.toLowerCase().replace(/^0x/, "") === b.toLowerCase().replace(/^0x/, "");
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
