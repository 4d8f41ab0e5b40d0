// @vitest-environment node
// The dcap cases and the sealed vectors in real Chromium: its WebCrypto, its Date, its TextDecoder.
import { resolve } from "node:path";
import { expect, test } from "vitest";
import { inChromium } from "./testing/chromium";
import { attestationFolder, hasSharedData, repositoryFile } from "./testing/shared-folder";

const entry = resolve(import.meta.dirname, "testing/browser.ts");

test.skipIf(!hasSharedData())(
  "agrees with every dcap case in Chromium",
  async () => {
    const results = await inChromium(entry, { attestation: attestationFolder }, (page) =>
      page.evaluate(() => globalThis.runDcapCases()),
    );
    expect(results.filter((result) => result.disagreements.length > 0)).toEqual([]);
    expect(results.length).toBeGreaterThanOrEqual(70);
    process.stdout.write(`  Chromium: ${results.length} dcap cases agree\n`);
  },
  120_000,
);

test("opens every sealed vector in Chromium", async () => {
  const results = await inChromium(entry, { protocol: repositoryFile("tests/vectors/protocol") }, (page) =>
    page.evaluate(() => globalThis.runSealedVectors()),
  );
  expect(results.filter((result) => result.disagreements.length > 0)).toEqual([]);
  expect(results).toHaveLength(6);
}, 60_000);
