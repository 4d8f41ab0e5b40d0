import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { joinReportData } from "./make-join-ports.ts";

type Join = Record<"chainId" | "registry" | "host" | "key" | "weights" | "blockHash" | "reportData", string>;
const { joins } = JSON.parse(readFileSync("../contracts/test/vectors/typed-data.json", "utf8")) as {
  joins: Join[];
};

it("computes the report data of every vector", () => {
  expect(joins.length).toBeGreaterThan(1);
  for (const { chainId, registry, host, key, weights, blockHash, reportData } of joins) {
    expect(joinReportData(BigInt(chainId), registry, { host, key, weights }, blockHash)).toBe(reportData);
  }
});
