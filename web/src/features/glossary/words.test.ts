import { expect, test } from "vitest";
import { anchorOf, findWords, WORDS } from "./words.ts";

test("each word stands once, and every 'see also' leads somewhere", () => {
  const names = WORDS.map((word) => word.name);
  expect(new Set(names).size).toBe(names.length);
  for (const word of WORDS) for (const other of word.also ?? []) expect(names, `${word.name} -> ${other}`).toContain(other);
});

test("finds words by name and by meaning", () => {
  expect(findWords("vouch").map((word) => word.name)).toContain("session key");
  expect(findWords("  TAB ").map((word) => word.name)).toContain("tab");
  expect(findWords("qqqq")).toEqual([]);
});

test("anchors have no spaces", () => {
  expect(anchorOf("trust file")).toBe("trust-file");
});
