import {
  concat,
  hexToBytes,
  keccak256,
  serializeCompactSignature,
  signatureToCompactSignature,
  toBytes,
} from "viem";
import { privateKeyToAccount, sign } from "viem/accounts";
import { expect, it } from "vitest";
import { recoverKnownAnswerSigner } from "./recover-signer.ts";

const key = `0x${"12".repeat(32)}` as const;
const nonce = "0c".repeat(32);
const kats = [{ n_tokens: 4, output_sha256: "ab".repeat(32), seed: "0x0000000000000007" }];

async function signed(): Promise<string> {
  const text = `[{"n_tokens":4,"output_sha256":"${"ab".repeat(32)}","seed":"0x0000000000000007"}]`;
  const hash = keccak256(
    concat([toBytes("teetee known answer v1"), hexToBytes(`0x${nonce}`), toBytes(text)]),
  );
  return serializeCompactSignature(signatureToCompactSignature(await sign({ hash, privateKey: key }))).slice(
    2,
  );
}

it("names the signer, and another one when anything differs", async () => {
  const signer = privateKeyToAccount(key).address;
  const reply = { kats, rows_per_second: 1, nonce, signature: await signed() };
  expect(await recoverKnownAnswerSigner(nonce, reply)).toBe(signer);
  expect(await recoverKnownAnswerSigner("0d".repeat(32), reply)).not.toBe(signer);
  const other = [{ n_tokens: 5, output_sha256: "ab".repeat(32), seed: "0x0000000000000007" }];
  expect(await recoverKnownAnswerSigner(nonce, { ...reply, kats: other })).not.toBe(signer);
});
