// @vitest-environment node
// The C++ verifier's table of lies, told anew by its own test on every run: each platform, quote and claim that lies about
// one field gets the very check here that it gets there, and the honest ones are accepted by both.
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { fromHex, utf8 } from "./bytes";
import { verifyEvidence } from "./peer";
import { repositoryFile } from "./testing/shared-folder";
import { readTrustFile } from "./trust-file";

const program = repositoryFile("build/bin/attest_test");

function isBuilt(): boolean {
  if (existsSync(program)) return true;
  if (process.env["TEETEE_REQUIRE_BUILD"] === "1")
    throw new Error(`${program} is not built: run ./dev build`);
  process.stderr.write(`SKIPPED: ${program} is not built\n`);
  return false;
}

interface Lie {
  readonly test: string;
  readonly trust: string;
  readonly evidence: string;
  readonly collateral: string;
  readonly now: number;
  /** empty: accepted */
  readonly check: string;
}

function recordLies(): Lie[] {
  const folder = mkdtempSync(join(tmpdir(), "teetee-lies-"));
  try {
    const file = join(folder, "verdicts.jsonl");
    execFileSync(program, ["--gtest_brief=1"], {
      cwd: repositoryFile("."),
      env: { ...process.env, TEETEE_RECORD_VERDICTS: file },
    });
    const lines = readFileSync(file, "utf8").trimEnd().split("\n");
    return lines.map((line) => JSON.parse(line));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

test.skipIf(!isBuilt())(
  "judges every lie as the C++ verifier does",
  async () => {
    const lies = recordLies();
    const differences: string[] = [];
    for (const lie of lies) {
      const trust = readTrustFile(lie.trust);
      const found = await verifyEvidence(fromHex(lie.evidence), utf8(lie.collateral), trust, lie.now);
      const check = found.ok ? "" : found.refusal.check;
      if (check !== lie.check) differences.push(`${lie.test}: '${check}' here, '${lie.check}' there`);
    }
    expect(differences).toEqual([]);
    const checks = new Set(lies.map((lie) => lie.check));
    expect(checks.size).toBeGreaterThanOrEqual(20);
    expect(checks.has("")).toBe(true);
    process.stdout.write(`  ${lies.length} pieces of evidence, ${checks.size} verdicts\n`);
  },
  60_000,
);
