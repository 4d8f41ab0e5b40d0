import { expect, it } from "vitest";
import { canonicalKats, judgeKnownAnswers, parseKnownAnswerReply } from "./known-answer";

const kat = { n_tokens: 4, output_sha256: "ab".repeat(32), seed: "0x0000000000000007" };
const nonce = "0c".repeat(32);
const raw = { kats: [kat], rows_per_second: 12.5, nonce: `0x${nonce}`, signature: "1f".repeat(64) };

it("refuses answers of another form", () => {
  const bad = [
    null,
    [],
    {},
    { ...raw, kats: {} },
    { ...raw, nonce: "00" },
    { ...raw, signature: "zz" },
    { ...raw, rows_per_second: -1 },
    { ...raw, kats: [{ ...kat, seed: "7" }] },
    { ...raw, kats: [{ ...kat, n_tokens: 0.5 }] },
    { ...raw, kats: new Array(65).fill(kat) },
  ];
  for (const value of bad) expect(() => parseKnownAnswerReply(value)).toThrow();
});

it("refuses another nonce, another test, fewer tests and another bit", () => {
  const reply = parseKnownAnswerReply(raw);
  expect(judgeKnownAnswers([kat], reply, "0d".repeat(32))).toMatchObject({ ok: false });
  expect(judgeKnownAnswers([kat, kat], reply, nonce)).toMatchObject({ ok: false });
  expect(judgeKnownAnswers([{ ...kat, seed: "0x0000000000000008" }], reply, nonce)).toMatchObject({
    ok: false,
  });
  expect(judgeKnownAnswers([{ ...kat, output_sha256: `aa${"ab".repeat(31)}` }], reply, nonce)).toMatchObject({
    ok: false,
  });
  expect(judgeKnownAnswers([], { ...reply, kats: [] }, nonce)).toMatchObject({ ok: false });
});

it("accepts equal bits", () => {
  expect(judgeKnownAnswers([kat], parseKnownAnswerReply(raw), nonce)).toEqual({ ok: true, count: 1 });
});

it("writes what the node signs as canonical JSON", () => {
  expect(canonicalKats([kat, kat])).toBe(
    JSON.stringify(
      [kat, kat].map((k) => ({ n_tokens: k.n_tokens, output_sha256: k.output_sha256, seed: k.seed })),
    ),
  );
});
