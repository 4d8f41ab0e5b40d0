// What chromium.test.ts runs inside the browser: the same cases, loaded from the page's own origin.
import { type CaseResult, type Load, runCases } from "./cases";

const load: Load = async (path) => {
  const response = await fetch(`/attestation/${path}`);
  if (!response.ok) throw new Error(`${path}: HTTP status ${response.status}`);
  return new Uint8Array(await response.arrayBuffer());
};

declare global {
  var runDcapCases: () => Promise<CaseResult[]>;
}

globalThis.runDcapCases = () => runCases(load);
