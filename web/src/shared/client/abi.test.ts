// @vitest-environment node
// The calls here encode as the vectors of the contracts do.
import { readFileSync } from "node:fs";
import { type Abi, decodeFunctionResult, encodeFunctionData, toFunctionSignature } from "viem";
import { expect, test } from "vitest";
import { repositoryFile } from "../verify/testing/shared-folder";
import { ledgerAbi, registryAbi } from "./abi";

const vectors = JSON.parse(readFileSync(repositoryFile("contracts/test/vectors/typed-data.json"), "utf8"));
const methods = [...ledgerAbi, ...registryAbi];

test("every method encodes and decodes as the vectors say", () => {
  const compared = new Set<string>();
  for (const call of vectors.calls) {
    const name = String(call.function ?? call.name).replace(/\(.*/, "");
    const method = methods.find((item) => item.name === name);
    if (method === undefined) continue;
    const args = method.inputs.map((input: { name: string }, i: number) =>
      revive(
        Array.isArray(call.arguments)
          ? call.arguments[i]
          : (call.arguments[input.name] ?? Object.values(call.arguments)[i]),
      ),
    );
    expect(
      encodeFunctionData({ abi: [method] as unknown as Abi, functionName: name, args }),
      toFunctionSignature(method as never),
    ).toBe(call.data);
    if (method.outputs.length > 0 && call.answer)
      decodeFunctionResult({ abi: [method] as unknown as Abi, functionName: name, data: call.answer });
    compared.add(name);
  }
  expect([...compared].sort()).toEqual([...new Set(methods.map((method) => method.name))].sort());
});

function revive(value: unknown): unknown {
  if (typeof value === "string" && /^[0-9]+$/.test(value)) return BigInt(value);
  if (Array.isArray(value)) return value.map(revive);
  if (typeof value === "object" && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, revive(item)]));
  }
  return value;
}
