// @vitest-environment node
import { describe, expect, test } from "vitest";
import { utf8 } from "./bytes";
import { expectOnlyRefusals } from "./testing/random";
import { findModel, intelRootSpkiHash, parseTrustFile, readTrustFile } from "./trust-file";

const root = "01".repeat(32);
const honest = {
  class: "simulated",
  chain_id: 31337,
  registry: `0x${"11".repeat(20)}`,
  ledger: `0x${"12".repeat(20)}`,
  roots: [root],
  measurements: [{ name: "test", mrtd: "02".repeat(48) }] as Record<string, string>[],
  models: { tiny: `0x${"11".repeat(32)}` } as Record<string, unknown>,
};
type Trust = Record<string, unknown>;
const parse = (json: unknown) => parseTrustFile(JSON.stringify(json));
const withMember = (key: string, value: unknown): Trust => ({ ...honest, [key]: value });
const hash = (json: Trust) => readTrustFile(JSON.stringify(json)).policyHash;

describe("a trust file", () => {
  test("is refused when it holds what it should not, or lacks what it should", () => {
    expect(parse(honest).ok).toBe(true);
    for (const key of Object.keys(honest)) expect(parse(withMember(key, undefined)).ok, key).toBe(false);
    const others = [
      withMember("extra", 1),
      withMember("class", "both"),
      withMember("registry", "0x1234"),
      withMember("roots", ["zz"]),
      withMember("roots", ["-----BEGIN CERTIFICATE-----"]),
      withMember("accepted_tcb", ["Fine"]),
      withMember("accepted_tcb", ["Revoked"]),
      withMember("models", { m: "0x12" }),
      withMember("measurements", [{ name: "n", mrtd: "02".repeat(48), rtmr4: "02".repeat(48) }]),
      withMember("chain_id", 31337.5),
      [],
    ];
    for (const other of others) expect(parse(other).ok, JSON.stringify(other)).toBe(false);
    expect(parseTrustFile("").ok).toBe(false);
  });

  test("keeps the classes apart", () => {
    const refused = (json: Trust) => {
      const result = parse(json);
      return !result.ok && result.problem.includes("check evidence.class");
    };
    expect(refused(withMember("chain_id", 1))).toBe(true);
    expect(refused(withMember("class", "production"))).toBe(true);
    expect(refused(withMember("roots", [root, intelRootSpkiHash]))).toBe(true);
    expect(refused({ ...honest, class: "production", roots: [root, intelRootSpkiHash] })).toBe(true);
    expect(parse({ ...honest, class: "production", chain_id: 1, roots: [intelRootSpkiHash] }).ok).toBe(true);
  });

  test("has a policy hash that ignores order and model names only", () => {
    const base = hash(honest);
    const reversed = Object.fromEntries(Object.entries(honest).reverse());
    expect(
      hash({
        ...reversed,
        roots: [root, root],
        accepted_tcb: ["UpToDate"],
        min_tcb_evaluation: 0,
        models: {},
      }),
    ).toBe(base);
    const changed = [
      withMember("registry", honest.ledger),
      withMember("ledger", honest.registry),
      withMember("roots", []),
      withMember("measurements", []),
      withMember("min_tcb_evaluation", 1),
      withMember("accepted_tcb", ["UpToDate", "OutOfDate"]),
    ];
    for (const other of changed) expect(hash(other)).not.toBe(base);
  });

  test("knows models by name and by id", () => {
    const trust = readTrustFile(JSON.stringify(honest));
    expect(findModel(trust, "tiny")).toEqual({ name: "tiny", id: honest.models["tiny"] });
    expect(findModel(trust, `0x${"11".repeat(32)}`)?.name).toBe("tiny");
    expect(findModel(trust, "other")).toBeUndefined();
  });

  test("gives refusals only, whatever the bytes", () => {
    expectOnlyRefusals(
      (bytes) => readTrustFile(new TextDecoder().decode(bytes)),
      [utf8(JSON.stringify(honest))],
    );
  });
});
