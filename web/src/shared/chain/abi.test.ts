// The written ABI against the interfaces' source: every signature that the pages use stands there with the same types.
import { readFileSync } from "node:fs";
import { type Abi, toFunctionSignature } from "viem";
import { expect, test } from "vitest";
import { ledgerAbi, registryAbi } from "./abi.ts";

const sourceOf = (name: string) => readFileSync(`../contracts/src/interfaces/${name}`, "utf8").replace(/\/\/.*$/gm, "");

interface Declared {
  readonly kind: string;
  readonly name: string;
  readonly types: readonly string[];
}

// Functions, events and errors of an interface, with the bare types of their inputs.
function declarations(source: string): Declared[] {
  const found = source.matchAll(/\b(function|event|error)\s+(\w+)\s*\(([^)]*)\)/g);
  return [...found].map(([, kind = "", name = "", inputs = ""]) => ({ kind, name, types: inputs.split(",").map(bareType).filter(Boolean) }));
}

function bareType(input: string): string {
  const [type = "", ...words] = input.trim().split(/\s+/);
  return words.includes("indexed") ? `${type} indexed` : type;
}

interface Input {
  readonly type: string;
  readonly internalType?: string | undefined;
  readonly indexed?: boolean | undefined;
}

function written(input: Input): string {
  const struct = input.internalType?.split(" ").at(-1) ?? "struct";
  const type = input.type.startsWith("tuple") ? struct + input.type.slice(5) : input.type;
  return input.indexed ? `${type} indexed` : type;
}

// Struct names are lost in the parsed ABI, so a tuple matches any struct.
const same = (a: string, b: string) => a === b || (a.startsWith("struct") && /^[A-Z]/.test(b) && a.endsWith("[]") === b.endsWith("[]"));

test.each([
  ["ILedger.sol", ledgerAbi as Abi],
  ["IRegistry.sol", registryAbi as Abi],
])("%s declares all that the pages use", (file, abi) => {
  const declared = declarations(sourceOf(file));
  expect(declared.length).toBeGreaterThan(15);
  for (const item of abi) {
    if (item.type !== "function" && item.type !== "event" && item.type !== "error") continue;
    const types = (item.inputs as readonly Input[]).map(written);
    const match = declared.find((d) => d.kind === item.type && d.name === item.name && d.types.length === types.length && types.every((type, i) => same(type, d.types[i] ?? "")));
    expect(match, `${item.type} ${item.name}(${types.join(",")}) in ${file}`).toBeDefined();
  }
});

test("structs have the members of the source, in its order", () => {
  const struct = /struct Receipt \{([^}]*)\}/.exec(sourceOf("ILedger.sol"))?.[1] ?? "";
  const types = struct.split(";").map((line) => line.trim().split(/\s+/)[0] ?? "").filter(Boolean);
  const verify = ledgerAbi.find((item) => item.type === "function" && item.name === "verifyReceipt");
  if (verify?.type !== "function") throw new Error("no verifyReceipt");
  expect(toFunctionSignature(verify)).toBe(`verifyReceipt((${types.join(",")}),uint64,bytes32[])`);
});
