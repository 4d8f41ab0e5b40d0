// @vitest-environment node
// Every dcap case of the shared data, in Node. chromium.test.ts runs the same in a browser.
import { expect, test } from "vitest";
import { runCases } from "./testing/cases";
import { hasSharedData, loadShared } from "./testing/shared-folder";

test.skipIf(!hasSharedData())(
  "agrees with every dcap case of the shared data",
  async () => {
    const results = await runCases(loadShared);
    expect(results.filter((result) => result.disagreements.length > 0)).toEqual([]);
    expect(results.length).toBeGreaterThanOrEqual(70);
    process.stdout.write(results.map((result) => `  ${result.id}: ${result.verdict}\n`).join(""));
  },
  60_000,
);
