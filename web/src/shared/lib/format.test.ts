import { expect, test } from "vitest";
import { formatBytes, formatCount, formatDuration, formatMs, formatShare, shortHash } from "./format.ts";

test("shortens hashes and leaves short ones", () => {
  expect(shortHash("0x1234567890abcdef1234")).toBe("0x1234…1234");
  expect(shortHash("0x12345678")).toBe("0x12345678");
});

test("writes numbers with units", () => {
  expect(formatCount(134_515_008)).toBe("135 M");
  expect(formatCount(1234)).toBe("1\u202f234");
  expect(formatBytes(95 * 1024 * 1024)).toBe("95 MiB");
  expect(formatBytes(512)).toBe("512 B");
  expect(formatMs(83.4)).toBe("83 ms");
  expect(formatMs(1500)).toBe("1.5 s");
  expect(formatShare(0.4267)).toBe("42.7 %");
});

test("writes durations with two units at most", () => {
  expect(formatDuration(-5)).toBe("0 s");
  expect(formatDuration(59)).toBe("59 s");
  expect(formatDuration(3725)).toBe("1 h 2 min");
  expect(formatDuration(90_000)).toBe("1 d 1 h");
});
