import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { type ComposeInput, composeProblem, composeYaml, isPinnedImage } from "./compose";

const digest = "ab".repeat(32);
const input: ComposeInput = {
  image: `registry.example/teetee/node@sha256:${digest}`,
  target: "dstack",
  modelId: `0x${"11".repeat(32)}`,
  modelName: "tiny",
  modelParams: '{"manifest":"0x01","price":"$5 $$"}',
  trust: '{\n  "class": "simulated",\n\n  "roots": []\n}\n',
  slot: 1,
  shardFile: "slot-1.gguf",
  shardSha256: "cd".repeat(32),
  host: "0x3E167E35ad896860335DF93e5849026D654574B4",
  rpc: "https://rpc.example/v1",
  advertise: "node.example.org:9200",
  kvMegabytes: 128,
};

interface Parsed {
  services: {
    node: {
      image: string;
      command: string[];
      volumes: string[];
      configs: { source: string; target: string }[];
    };
  };
  configs: Record<string, { content: string }>;
  volumes: Record<string, unknown>;
}

const parsed = (change: Partial<ComposeInput> = {}): Parsed =>
  parse(composeYaml({ ...input, ...change })) as Parsed;

describe("composeYaml", () => {
  it("refuses an image that is not named by its digest", () => {
    for (const image of [
      "teetee/node:latest",
      "teetee/node",
      `node@sha256:${digest.slice(1)}`,
      `node@sha256:${digest.toUpperCase()}`,
    ]) {
      expect(isPinnedImage(image)).toBe(false);
      expect(() => composeYaml({ ...input, image })).toThrow(/digest/);
    }
  });

  it("refuses values that would change the file's meaning", () => {
    expect(composeProblem({ ...input, shardFile: "../slot-1.gguf" })).toMatch(/plain file/);
    expect(composeProblem({ ...input, host: "0x12" })).toMatch(/wallet/);
    expect(composeProblem({ ...input, rpc: 'http://x"\n' })).toMatch(/RPC/);
    expect(composeProblem({ ...input, advertise: "node.example.org" })).toMatch(/9200/);
    expect(composeProblem(input)).toBeNull();
  });

  it("parses, and names image, slot, wallet and chain", () => {
    const { node } = parsed().services;
    expect(node.image).toBe(input.image);
    expect(node.command).toContain(input.host);
    expect(node.command).toContain("/model/slot-1.gguf");
    expect(node.command).toContain(input.rpc);
    expect(node.command[node.command.indexOf("--advertise-channel") + 1]).toBe(input.advertise);
  });

  it("is complete on its own: every volume and config that it uses is declared, nothing is built or read from beside it", () => {
    const all = parsed();
    for (const { source } of all.services.node.configs) expect(all.configs).toHaveProperty(source);
    for (const volume of all.services.node.volumes) {
      const name = volume.split(":")[0] ?? "";
      if (!name.startsWith("/")) expect(all.volumes).toHaveProperty(name);
    }
    const text = composeYaml(input);
    expect(text).not.toMatch(/build:|env_file|extends|\.\//);
    expect(text.replaceAll("$$", "")).not.toContain("$");
  });

  it("carries the parameters and the trust file byte for byte", () => {
    const undouble = (content: string) => content.replaceAll("$$", "$").replace(/\n$/, "");
    expect(undouble(parsed().configs["model-params"]?.content ?? "")).toBe(input.modelParams);
    expect(undouble(parsed().configs["trust"]?.content ?? "")).toBe(input.trust.replace(/\n$/, ""));
  });

  it("keeps foreign text on its line", () => {
    const all = parsed({ modelName: "x\nservices: {}\n#" });
    expect(all.services.node.image).toBe(input.image);
  });

  it("gives each kind of machine its way to the hardware, and differs by host and slot", () => {
    expect(parsed().services.node.volumes).toContain("/var/run/dstack.sock:/var/run/dstack.sock");
    expect(parsed({ target: "bare" }).services.node.volumes.join()).toContain(
      "/sys/kernel/config/tsm/report",
    );
    expect(composeYaml({ ...input, slot: 0 })).not.toBe(composeYaml(input));
    expect(composeYaml({ ...input, host: `0x${"22".repeat(20)}` })).not.toBe(composeYaml(input));
  });
});
