import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import {
  appComposeText,
  appName,
  composeHash,
  judgeMrConfigId,
  makeAppCompose,
  mrConfigIdOf,
} from "./app-compose";

describe("app-compose.json", () => {
  it("holds the compose file byte for byte and has sorted keys without space", () => {
    const text = appComposeText("Tiny slot 1", "services: {}\n# ü\n");
    const fields = JSON.parse(text) as Record<string, unknown>;
    expect(fields["docker_compose_file"]).toBe("services: {}\n# ü\n");
    expect(Object.keys(fields)).toEqual(Object.keys(fields).toSorted());
    expect(text).toBe(JSON.stringify(fields));
    expect(fields["public_logs"]).toBe(false);
    expect(fields["allowed_envs"]).toEqual([]);
  });

  it("has as compose hash the SHA-256 of its very bytes", async () => {
    const made = await makeAppCompose("tiny", "services: {}\n# ü\n");
    expect(made.hash).toBe(createHash("sha256").update(Buffer.from(made.text, "utf8")).digest("hex"));
    expect(await composeHash("")).toBe("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    expect((await makeAppCompose("tiny", "services: {}\n#")).hash).not.toBe(made.hash);
  });

  it("makes plain names", () => {
    expect(appName("SmolLM2 135M/Instruct slot 1")).toBe("smollm2-135m-instruct-slot-1");
    expect(appName("…")).toBe("teetee-node");
  });
});

describe("MRCONFIGID", () => {
  const hash = "5a".repeat(32);
  it("is 01, the hash and 15 zero bytes", () => {
    expect(mrConfigIdOf(hash)).toBe(`01${hash}${"0".repeat(30)}`);
    expect(mrConfigIdOf(hash)).toHaveLength(96);
  });
  it("is refused for another hash, another kind or a tail that is not zero", () => {
    const good = mrConfigIdOf(hash);
    for (const bad of [mrConfigIdOf("5b".repeat(32)), `02${good.slice(2)}`, `${good.slice(0, -1)}1`, ""]) {
      expect(judgeMrConfigId(bad || "11", hash).kind).toBe("other");
    }
  });
  it("says equal and not measured", () => {
    expect(judgeMrConfigId(`0x${mrConfigIdOf(hash).toUpperCase()}`, hash).kind).toBe("equal");
    expect(judgeMrConfigId("00".repeat(48), hash).kind).toBe("not-measured");
  });
});
