import { expect, test } from "vitest";
import { ethPerMillion, formatEth, groups, parseEth, tokensFor } from "./amount.ts";

test("writes wei as ETH without losing that something is there", () => {
  expect(formatEth(0n)).toBe("0");
  expect(formatEth(1n)).toBe("<0.000001");
  expect(formatEth(10n ** 18n)).toBe("1");
  expect(formatEth(1_234_567_890_123_456_789n)).toBe("1.234567");
  expect(formatEth(-(10n ** 17n))).toBe("-0.1");
  expect(formatEth(1_234_567n * 10n ** 18n)).toBe("1\u202f234\u202f567");
});

test("reads ETH exactly and refuses what is not a number", () => {
  expect(parseEth("0.05")).toBe(50_000_000_000_000_000n);
  expect(parseEth(" 1 ")).toBe(10n ** 18n);
  expect(parseEth("0,5")).toBe(5n * 10n ** 17n);
  expect(parseEth("0.0000000000000000001")).toBeNull();
  for (const bad of ["", "-1", "1e3", "0x1", "1.", ".5", "NaN", "1 2"]) expect(parseEth(bad)).toBeNull();
});

test("counts tokens that a sum buys", () => {
  expect(tokensFor(100n, 3n)).toBe(33n);
  expect(tokensFor(100n, 0n)).toBeNull();
  expect(ethPerMillion(10n ** 9n)).toBe("0.001");
  expect(groups(1234567)).toBe("1\u202f234\u202f567");
});
