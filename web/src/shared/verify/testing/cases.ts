// Runs the shared attestation cases: each dcap case, its mutations applied, against its expected verdict. The same code
// in Node and in a browser; only `load` differs.
import { appraiseAttributes, appraiseTcb } from "../appraise";
import { fromHex, fromUtf8, toHex, utf8 } from "../bytes";
import { type Json, parseJson } from "../json";
import { quoteReportData } from "../quote";
import { isCheckId } from "../refusal";
import { intelRootSpkiHash } from "../trust-file";
import { type VerifiedQuote, verifyQuote } from "../verify-quote";
import { parseCertificate } from "../x509";

/** Reads a file of the shared folder `attestation`. */
export type Load = (path: string) => Promise<Uint8Array>;

interface Mutation {
  readonly op: string;
  readonly offset: number;
  readonly value: number & string;
  readonly len: number;
  readonly field: string;
  readonly old: string;
  readonly new: string;
  readonly from: string;
  readonly fields: readonly string[];
}

interface Expectation {
  readonly crypto: "ok" | "reject";
  readonly tcb_status: string;
  readonly platform: string;
  readonly module: string | null;
  readonly qe: string;
  readonly advisories?: readonly string[];
  readonly strict_policy: "accept" | "reject";
  readonly valid_window?: readonly [string, string];
  readonly fmspc?: string;
  readonly ppid?: string;
  readonly report_data?: string;
}

export interface Case {
  readonly id: string;
  readonly kind: string;
  readonly quote: string;
  readonly collateral: string;
  readonly now: string;
  readonly root?: string;
  readonly mutations: readonly Mutation[];
  readonly expect: Expectation;
}

export interface CaseResult {
  readonly id: string;
  /** what was found, in a line */
  readonly verdict: string;
  /** empty: it agrees */
  readonly disagreements: readonly string[];
}

interface Input {
  quote: Uint8Array;
  collateral: Record<string, string>;
}

// Quotes lie about as bytes or as hex text.
async function loadQuote(load: Load, path: string): Promise<Uint8Array> {
  const bytes = await load(path);
  try {
    return fromHex(fromUtf8(bytes).trimEnd());
  } catch {
    return bytes;
  }
}

async function loadCollateral(load: Load, path: string): Promise<Record<string, string>> {
  return JSON.parse(fromUtf8(await load(path)));
}

function xor(bytes: Uint8Array, mutation: Mutation): Uint8Array {
  const out = Uint8Array.from(bytes);
  out[mutation.offset] = (out[mutation.offset] as number) ^ mutation.value;
  return out;
}

async function mutate(load: Load, mutation: Mutation, input: Input): Promise<void> {
  const { field } = mutation;
  const old = input.collateral[field] ?? "";
  switch (mutation.op) {
    case "xor":
      input.quote = xor(input.quote, mutation);
      return;
    case "trunc":
      input.quote = input.quote.slice(0, mutation.len);
      return;
    case "xorhex":
      input.collateral[field] = toHex(xor(fromHex(old), mutation));
      return;
    case "set":
      input.collateral[field] = mutation.value;
      return;
    case "replace":
      if (!old.includes(mutation.old)) throw new Error("the text to replace is not there");
      input.collateral[field] = old.replace(mutation.old, () => mutation.new);
      return;
    case "copyfield": {
      const from = await loadCollateral(load, mutation.from);
      for (const name of mutation.fields) input.collateral[name] = from[name] as string;
      return;
    }
    default:
      throw new Error(`unknown mutation ${mutation.op}`);
  }
}

function passes(work: () => void): boolean {
  try {
    work();
    return true;
  } catch {
    return false;
  }
}

function strictPolicy(quote: VerifiedQuote): "accept" | "reject" {
  const accepted = passes(() => {
    appraiseAttributes(quote);
    appraiseTcb(quote, ["UpToDate"], 0n);
  });
  return accepted ? "accept" : "reject";
}

function compare(expect: Expectation, quote: VerifiedQuote): string[] {
  const pairs: [string, unknown, unknown][] = [
    ["status", quote.status, expect.tcb_status],
    ["platform", quote.platformStatus, expect.platform],
    ["module", quote.moduleStatus ?? null, expect.module],
    ["qe", quote.qeStatus, expect.qe],
    ["strict policy", strictPolicy(quote), expect.strict_policy],
  ];
  if (expect.advisories) pairs.push(["advisories", quote.advisories.join(), expect.advisories.join()]);
  if (expect.valid_window) {
    pairs.push(["window from", quote.window.notBefore, Date.parse(expect.valid_window[0]) / 1000]);
    pairs.push(["window to", quote.window.notAfter, Date.parse(expect.valid_window[1]) / 1000]);
  }
  if (expect.fmspc) pairs.push(["fmspc", toHex(quote.fmspc), expect.fmspc]);
  if (expect.ppid) pairs.push(["ppid", toHex(quote.ppid), expect.ppid]);
  if (expect.report_data)
    pairs.push(["report data", toHex(quoteReportData(quote.quote)), expect.report_data]);
  return pairs
    .filter(([, found, wanted]) => found !== wanted)
    .map(([what, found, wanted]) => `${what}: ${found}, not ${wanted}`);
}

export async function runCase(item: Case, load: Load): Promise<CaseResult> {
  const input = {
    quote: await loadQuote(load, item.quote),
    collateral: await loadCollateral(load, item.collateral),
  };
  for (const mutation of item.mutations) await mutate(load, mutation, input);
  const collateral: Json = parseJson(utf8(JSON.stringify(input.collateral)), { maxBytes: 4 << 20 });
  const now = Date.parse(item.now) / 1000;
  const disagreements: string[] = [];
  let roots = [intelRootSpkiHash];
  if (item.root !== undefined) {
    const underIntel = await verifyQuote(input.quote, collateral, roots, now);
    if (underIntel.ok || underIntel.refusal.check !== "pck.root")
      disagreements.push("accepted under Intel's root");
    roots = [parseCertificate(await load(item.root)).spkiHash];
  }
  const found = await verifyQuote(input.quote, collateral, roots, now);
  if (found.ok) {
    disagreements.push(
      ...(item.expect.crypto === "ok" ? compare(item.expect, found.value) : ["accepted, not rejected"]),
    );
    return {
      id: item.id,
      verdict: `${found.value.status}, strict ${strictPolicy(found.value)}`,
      disagreements,
    };
  }
  const { check, found: what } = found.refusal;
  if (item.expect.crypto === "ok") disagreements.push(`refused: ${check}: ${what}`);
  if (!isCheckId(check) || what.startsWith("the verifier failed"))
    disagreements.push(`no proper refusal: ${check}: ${what}`);
  return { id: item.id, verdict: `check ${check}: ${what}`, disagreements };
}

export async function runCases(load: Load): Promise<CaseResult[]> {
  const cases: Case[] = JSON.parse(fromUtf8(await load("cases.json")));
  const out: CaseResult[] = [];
  for (const item of cases) if (item.kind === "dcap") out.push(await runCase(item, load));
  return out;
}
