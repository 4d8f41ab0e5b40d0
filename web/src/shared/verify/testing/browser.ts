// What chromium.test.ts runs inside the browser: the same cases, loaded from the page's own origin.
import { runSealedCases } from "../../seal/testing/cases";
import { type CaseResult, type Load, runCases } from "./cases";

const loadFrom =
  (folder: string): Load =>
  async (path) => {
    const response = await fetch(`/${folder}/${path}`);
    if (!response.ok) throw new Error(`${path}: HTTP status ${response.status}`);
    return new Uint8Array(await response.arrayBuffer());
  };

declare global {
  var runDcapCases: () => Promise<CaseResult[]>;
  var runSealedVectors: () => Promise<CaseResult[]>;
}

globalThis.runDcapCases = () => runCases(loadFrom("attestation"));
globalThis.runSealedVectors = () => runSealedCases(loadFrom("protocol"));
