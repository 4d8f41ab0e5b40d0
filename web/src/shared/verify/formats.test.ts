// @vitest-environment node
// The worked examples of docs/formats/evidence.md.
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { fromHex, toHex } from "./bytes";
import {
  certificateReportData,
  decodeClaims,
  decodeEvidence,
  encodeEvidence,
  joinReportData,
} from "./claims";
import { Malformed } from "./refusal";
import { expectOnlyRefusals } from "./testing/random";
import { repositoryFile } from "./testing/shared-folder";

function worked() {
  const page = readFileSync(repositoryFile("docs/formats/evidence.md"), "utf8");
  const block = page.slice(page.indexOf("```json vectors") + 15);
  return JSON.parse(block.slice(0, block.indexOf("```")));
}

const example = worked();
const claimsBytes = fromHex(example.claims);

describe("claims", () => {
  test("are those of the worked example", () => {
    const claims = decodeClaims(claimsBytes);
    const { fields } = example;
    expect(claims).toMatchObject({
      host: `0x${fields.host}`,
      slot: fields.slot,
      blockNumber: BigInt(fields.block),
      model: `0x${fields.model}`,
      signer: `0x${fields.signer}`,
      weightsRoot: `0x${fields.weights}`,
      chainId: BigInt(fields["chain-id"]),
      registry: `0x${fields.registry}`,
      blockHash: `0x${fields["block-hash"]}`,
      blockTime: BigInt(fields["block-time"]),
    });
    expect(toHex(claims.policyHash)).toBe(fields.policy);
    expect(toHex(claims.bootId)).toBe(fields["boot-id"]);
    expect(toHex(claims.hpkeKey)).toBe(fields["hpke-key"]);
    expect(toHex(claims.tlsKeyHash)).toBe(fields.tls_key_hash);
    expect(toHex(certificateReportData(claimsBytes))).toBe(example.certificate_report_data);
    expect(toHex(joinReportData(fromHex(example.join.digest)))).toBe(example.join.report_data);
  });

  test("refuse a longer form of a number, another order, a byte too many, a prefix", () => {
    const replaced = (from: string, to: string) => fromHex(example.claims.replace(from, to));
    const others = [
      replaced("64736c6f7401", "64736c6f741801"),
      replaced("ae64686f7374", "af64686f7374"),
      replaced("64686f7374", "64686f7375"),
      fromHex(`${example.claims}00`),
    ];
    for (const bytes of others) expect(() => decodeClaims(bytes)).toThrow(Malformed);
    for (let size = 0; size < claimsBytes.length; size++) {
      expect(() => decodeClaims(claimsBytes.subarray(0, size))).toThrow(Malformed);
    }
  });

  test("give refusals only, whatever the bytes", () => {
    expectOnlyRefusals(decodeClaims, [claimsBytes]);
  });
});

describe("the evidence extension", () => {
  const bytes = fromHex(example.extension);
  test("is that of the worked example", () => {
    const evidence = decodeEvidence(bytes);
    expect(toHex(evidence.quote)).toBe(example.quote);
    expect(toHex(evidence.claims)).toBe(example.claims);
    expect(toHex(encodeEvidence(evidence))).toBe(example.extension);
  });
  test("gives refusals only, whatever the bytes", () => {
    expect(() => decodeEvidence(new Uint8Array(70_000))).toThrow(Malformed);
    expectOnlyRefusals(decodeEvidence, [bytes]);
  });
});
