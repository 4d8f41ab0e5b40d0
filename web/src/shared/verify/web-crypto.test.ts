import { afterEach, expect, test, vi } from "vitest";
import { verifyP256 } from "./p256";

afterEach(() => {
  vi.unstubAllGlobals();
});

test("without a secure context the refusal says so, and does not blame the key", async () => {
  vi.stubGlobal("crypto", {});
  const verdict = verifyP256(new Uint8Array(64), new Uint8Array(1), new Uint8Array(64));
  await expect(verdict).rejects.toThrow(/open the page by https/);
});
