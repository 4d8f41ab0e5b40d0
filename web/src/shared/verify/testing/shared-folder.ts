// The shared data of the tests (Node only): $TEETEE_SHARED, else ../shared beside the repository.
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import type { Load } from "./cases";

const repository = resolve(import.meta.dirname, "../../../../..");
export const attestationFolder = join(
  process.env["TEETEE_SHARED"] ?? resolve(repository, "../shared"),
  "attestation",
);

/** False when there is no shared data: the test is then skipped aloud, or fails when the data is required. */
export function hasSharedData(): boolean {
  if (existsSync(join(attestationFolder, "cases.json"))) return true;
  const message = `no shared data at ${attestationFolder}`;
  if (process.env["TEETEE_REQUIRE_SHARED"] === "1") throw new Error(message);
  process.stderr.write(`SKIPPED: ${message}\n`);
  return false;
}

export const loadShared: Load = async (path) => new Uint8Array(await readFile(join(attestationFolder, path)));

export function repositoryFile(path: string): string {
  return join(repository, path);
}
