import { expect, it } from "vitest";
import { publicExplorers } from "@/shared/evidence/public-explorers.ts";
import { guesses, pathOf, readSearch } from "./search-text";

const hash = "ab".repeat(32);
const address = "cd".repeat(20);

it("refuses what can be nothing, with the reason", () => {
  expect(readSearch("   ").shape).toBe("empty");
  expect(readSearch("0x1234")).toMatchObject({
    shape: "refused",
    reason: expect.stringContaining("4 hex digits") as string,
  });
  expect(readSearch("x".repeat(300)).shape).toBe("refused");
});

it("tells hashes, addresses, batches and words apart", () => {
  expect(readSearch(` 0x${hash.toUpperCase()} `)).toEqual({ shape: "hash", value: `0x${hash}` });
  expect(readSearch(hash)).toEqual({ shape: "hash", value: `0x${hash}` });
  expect(readSearch(`0x${address}`)).toEqual({ shape: "address", value: `0x${address}` });
  expect(readSearch("smollm2-135m-instruct")).toEqual({ shape: "text", value: "smollm2-135m-instruct" });
  expect(readSearch("cafe")).toEqual({ shape: "text", value: "cafe" });
});

it("leads somewhere without the gateway", () => {
  expect(guesses(readSearch(hash)).map((m) => m.kind)).toEqual(["receipt", "query", "batch", "model"]);
  expect(guesses(readSearch(address)).map((m) => m.kind)).toEqual(["node", "address"]);
  expect(guesses(readSearch("words"))).toEqual([]);
  expect(pathOf("model", "a/b")).toBe("/explorer/model/a%2Fb");
});

it("links to public pages by hash only", () => {
  expect(
    publicExplorers(hash).every((link) => link.href.startsWith("https://") && link.href.endsWith(hash)),
  ).toBe(true);
  expect(publicExplorers("../x")).toEqual([]);
});
