// The checks of a node before it joins: which there are, who sees each, and what they say. State only; run-checks.ts fills it.

export type CheckStatus = "waiting" | "running" | "passed" | "failed" | "skipped";
export type SeenBy = "page" | "gateway";

export interface Fact {
  readonly label: string;
  readonly value: string;
  readonly code?: boolean;
}

export interface Check {
  readonly id: string;
  readonly group: string;
  readonly title: string;
  readonly seenBy: SeenBy;
  readonly status: CheckStatus;
  readonly detail: string;
  readonly cure: string;
  readonly facts: readonly Fact[];
}

export type CheckUpdate = Partial<Pick<Check, "detail" | "cure" | "facts">> & {
  readonly status: CheckStatus;
};

interface Definition {
  readonly id: string;
  readonly group: string;
  readonly title: string;
  readonly seenBy: SeenBy;
  readonly cure: string;
}

const REACH = "Reaching the node";
const HARDWARE = "Hardware and code";
const IDENTITY = "Who it is";
const MODEL = "Model and weights";

export const CHECKS: readonly Definition[] = [
  {
    id: "node.address",
    group: REACH,
    title: "The address may be dialled",
    seenBy: "gateway",
    cure: "Use a public name or address. Private and loopback addresses work on a development chain only.",
  },
  {
    id: "node.reachable",
    group: REACH,
    title: "The node answers",
    seenBy: "gateway",
    cure: "Check that the machine runs, that port 9100 is open, and that the URL has no path behind the port.",
  },
  {
    id: "node.identity",
    group: REACH,
    title: "It says that it serves this slot",
    seenBy: "gateway",
    cure: "Start the node with the file that this page made for the chosen model and slot.",
  },
  {
    id: "node.tls",
    group: REACH,
    title: "Its attested channel opens",
    seenBy: "gateway",
    cure: "Open port 9200 and give its public address as --advertise-channel.",
  },
  {
    id: "node.speed",
    group: REACH,
    title: "It answers fast enough",
    seenBy: "gateway",
    cure: "Choose a machine nearer to the others, or one with more cores.",
  },
  {
    id: "hardware.quote",
    group: HARDWARE,
    title: "A genuine TEE, up to the vendor’s root",
    seenBy: "page",
    cure: "Run the node inside a TDX guest; renew its collateral.",
  },
  {
    id: "hardware.tcb",
    group: HARDWARE,
    title: "Firmware and microcode are current",
    seenBy: "page",
    cure: "Update firmware, microcode and the TDX module of the machine, or ask your cloud to; then restart the node.",
  },
  {
    id: "hardware.measurement",
    group: HARDWARE,
    title: "It runs a release that you trust",
    seenBy: "page",
    cure: "Start the node from the image named by its digest; do not rebuild or change it.",
  },
  {
    id: "hardware.compose",
    group: HARDWARE,
    title: "It was started from this very file",
    seenBy: "page",
    cure: "Deploy the app-compose.json of this page unchanged, for this wallet, model and slot.",
  },
  {
    id: "key.hpke",
    group: IDENTITY,
    title: "It holds the key that prompts are sealed to",
    seenBy: "page",
    cure: "Restart the node, and make sure that the URL leads to this very node and to no other.",
  },
  {
    id: "claims.host",
    group: IDENTITY,
    title: "It pays your wallet",
    seenBy: "page",
    cure: "Start the node with --host and the address of the wallet that is connected here.",
  },
  {
    id: "claims.place",
    group: IDENTITY,
    title: "It serves the chosen model and slot",
    seenBy: "page",
    cure: "Start the node with the shard and the parameters of the chosen model and slot.",
  },
  {
    id: "claims.chain",
    group: IDENTITY,
    title: "It uses your chain and contracts",
    seenBy: "page",
    cure: "Give the node the same trust file, and an RPC of the same chain.",
  },
  {
    id: "claims.age",
    group: IDENTITY,
    title: "Its evidence is fresh",
    seenBy: "page",
    cure: "Check the clock and the RPC of the node: the newest block that it names must be younger than two hours.",
  },
  {
    id: "model.manifest",
    group: MODEL,
    title: "Its manifest is that of the chain",
    seenBy: "page",
    cure: "Take manifest.json of this model; the chain holds its SHA-256.",
  },
  {
    id: "model.weights",
    group: MODEL,
    title: "Its weights are those of the slot",
    seenBy: "page",
    cure: "Copy the slot’s shard file again and compare its SHA-256 with the manifest.",
  },
  {
    id: "model.answer",
    group: MODEL,
    title: "It computes the known answers, bit for bit",
    seenBy: "page",
    cure: "The machine computes wrongly or serves other weights: test its memory, copy the shard again.",
  },
  {
    id: "model.speed",
    group: MODEL,
    title: "How fast it computes",
    seenBy: "page",
    cure: "Give the node more cores.",
  },
];

export type CheckList = readonly Check[];

export function freshChecks(): CheckList {
  return CHECKS.map((d) => ({ ...d, status: "waiting", detail: "", facts: [] }));
}

export function updateCheck(list: CheckList, id: string, update: CheckUpdate): CheckList {
  return list.map((check) => (check.id === id ? { ...check, ...withoutEmptyCure(update) } : check));
}

// A failed check always names a cure: that of whoever saw it, or the usual one.
function withoutEmptyCure(update: CheckUpdate): CheckUpdate {
  if (update.cure !== undefined && update.cure !== "") return update;
  const { cure: _cure, ...rest } = update;
  return rest;
}

// Whatever was not reached is said to be skipped; nothing stays "running" after the end.
export function endChecks(list: CheckList, why: string): CheckList {
  return list.map((check) =>
    check.status === "waiting" || check.status === "running"
      ? { ...check, status: "skipped", detail: why }
      : check,
  );
}

// Simulated nodes may have no compose file ("not measured"); the node of slot 0 has no channel to dial.
const MAY_BE_SKIPPED: ReadonlySet<string> = new Set(["hardware.compose", "node.tls"]);

// Joining is offered only when each check passed.
export function mayJoin(list: CheckList): boolean {
  return (
    list.length > 0 &&
    list.every(
      (check) => check.status === "passed" || (MAY_BE_SKIPPED.has(check.id) && check.status === "skipped"),
    )
  );
}

export function firstFailure(list: CheckList): Check | null {
  return list.find((check) => check.status === "failed") ?? null;
}

export interface Progress {
  readonly done: number;
  readonly failed: number;
  readonly total: number;
}

export function progressOf(list: CheckList): Progress {
  const done = list.filter((check) => check.status !== "waiting" && check.status !== "running").length;
  const failed = list.filter((check) => check.status === "failed").length;
  return { done, failed, total: list.length };
}

// Which line of the list a refusal of the verifier belongs to.
export function lineOfRefusal(checkId: string): string {
  if (checkId === "measurement") return "hardware.measurement";
  if (
    checkId === "tcb.status" ||
    checkId === "tcb.evaluation" ||
    checkId === "tcb.level" ||
    checkId === "module.level" ||
    checkId === "qe.level"
  )
    return "hardware.tcb";
  if (checkId === "claims.chain" || checkId === "claims.policy") return "claims.chain";
  if (checkId === "claims.age") return "claims.age";
  return "hardware.quote";
}

const CURES: Readonly<Record<string, string>> = {
  "tdx.debug": "The TEE was started in debug mode, so the host can read its memory. Start it without debug.",
  "evidence.class":
    "The node shows simulated evidence and your trust file asks for real hardware, or the other way round. Use matching ones.",
  "pck.root":
    "The quote ends in a root that your trust file does not list. On a development machine use the trust file of that machine.",
  "pck.revoked": "The vendor revoked this machine’s certificate. Ask the vendor or your cloud for a new one.",
  "tcb.dates": "The collateral is out of date: let the node fetch it again.",
  "qe.dates": "The collateral is out of date: let the node fetch it again.",
  "crl.root": "The revocation list is missing or out of date: let the node fetch its collateral again.",
  "crl.pck": "The revocation list is missing or out of date: let the node fetch its collateral again.",
  "tcb.fmspc": "The collateral is for another platform: let the node fetch that of its own.",
  "tdx.attributes":
    "The guest was started with attributes that are not accepted (SEPT_VE_DISABLE must be set, MIGRATABLE clear).",
  "tdx.service_td": "A service TD is bound to the guest; start it without.",
  "tcb.status":
    "The machine lacks security updates that the vendor has published. Update firmware and microcode, then restart.",
  "tcb.evaluation": "The collateral is older than your trust file asks for: let the node fetch it again.",
  measurement:
    "The code is none of the releases in your trust file. Start the released image, or trust this build if it is your own.",
  report_data: "The quote was not made for these claims: it may belong to another node.",
  "claims.policy": "The node enforces another trust policy than yours. Give both the same trust file.",
  "claims.chain": "The node was started for another chain or other contracts.",
  "claims.age": "The newest block that the node names is too old. Check its RPC and its clock.",
};

export function cureOf(checkId: string): string {
  return CURES[checkId] ?? "";
}
