// @vitest-environment node
// Vectors that this code and src/protocol are both held to: tests/vectors/protocol/. sealed.json is written by the C++
// test, page.json by this one under TEETEE_WRITE_VECTORS=1; each side opens what the other one sealed.
import { readFileSync, writeFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { type Address, concat, fromHex, fromUtf8, type Hash, toHex, utf8, type Wei } from "../verify/bytes";
import { canonicalJson, fromPlain, type JsonObject, plainJson } from "../verify/json";
import { commitInput, commitOutput } from "../verify/receipt";
import { Malformed } from "../verify/refusal";
import { TestRandom } from "../verify/testing/random";
import { repositoryFile } from "../verify/testing/shared-folder";
import { makeChallenge } from "./challenge";
import { hpkeRecipient } from "./hpke";
import { freeRequestDigest, paymentJson, sessionHash } from "./payment";
import { planFromJson, planHash, planJson } from "./plan";
import {
  controlMessage,
  headerText,
  ResponseOpener,
  type SealedHeader,
  sealRequest,
} from "./sealed";
import { exchangeKeys, runSealedCases } from "./testing/cases";
import { openWire } from "./testing/open-wire";
import { x25519FromSecret } from "./x25519";

const folder = repositoryFile("tests/vectors/protocol");
const vectors = JSON.parse(readFileSync(`${folder}/sealed.json`, "utf8"));
const answer = fromHex(vectors.answer);
const header = JSON.parse(vectors.header);
const keys = exchangeKeys(vectors);

describe("what the C++ sealed", () => {
  // shared/verify/chromium.test.ts runs the same in a browser.
  test("opens here: the request, and the answer however it is cut; so does what the page sealed", async () => {
    const results = await runSealedCases(async (name) => new Uint8Array(readFileSync(`${folder}/${name}`)));
    expect(results.flatMap(({ id, disagreements }) => disagreements.map((text) => `${id}: ${text}`))).toEqual([]);
    expect(results).toHaveLength(6);
  });

  test("has the control messages, plan hash and commitments that are made here", () => {
    for (const control of vectors.controls) {
      expect(plainJson(controlMessage(keys, control.op, control.counter, control.from))).toEqual(control);
    }
    const plan = planFromJson(fromPlain(vectors.plan));
    expect(planHash(plan)).toBe(vectors.plan_hash);
    expect(canonicalJson(planJson(plan))).toBe(canonicalJson(fromPlain(vectors.plan)));
    const secret = fromHex(vectors.secret);
    expect(commitInput(secret, vectors.body)).toBe(vectors.input_commitment);
    expect(commitOutput(secret, vectors.outputs)).toBe(vectors.output_commitment);
    expect(freeRequestDigest(fromHex(header.request))).toBe(vectors.free_digest);
    expect(sessionHash(header.head)).toBe(vectors.session_hash);
  });
});

describe("an answer that was meddled with", () => {
  const chunkAt = (index: number) => {
    let at = 36;
    for (let i = 0; i < index; i++) at += 4 + new DataView(answer.buffer).getUint32(at, true);
    return at;
  };
  const cut = (from: number, to: number) => answer.slice(chunkAt(from), chunkAt(to));
  const refuses = async (bytes: Uint8Array) => {
    await expect(new ResponseOpener(keys).push(bytes)).rejects.toThrow(Malformed);
  };

  test("is refused: dropped, reordered, repeated and forged chunks, and what follows the last", async () => {
    const preamble = answer.slice(0, 36);
    await refuses(concat(preamble, cut(1, 3)));
    await refuses(concat(preamble, cut(1, 2), cut(0, 1), cut(2, 3)));
    await refuses(concat(preamble, cut(0, 1), cut(0, 1)));
    await refuses(concat(answer, cut(0, 1)));
    await refuses(concat(utf8("TTR2"), answer.slice(4)));
    await refuses(concat(preamble, fromHex("ffffffff")));
    const random = new TestRandom(9);
    for (let i = 0; i < 60; i++) {
      const changed = answer.slice();
      const at = random.below(answer.length);
      changed[at] = (changed[at] as number) ^ (1 << random.below(8));
      const opener = new ResponseOpener(keys);
      const opened = await opener.push(changed).then(
        () => opener.finished,
        () => false,
      );
      expect(opened).toBe(false);
    }
  });

  test("is known to be cut off: it did not finish", async () => {
    const opener = new ResponseOpener(keys);
    expect(await opener.push(answer.slice(0, chunkAt(2)))).toHaveLength(2);
    expect(opener.finished).toBe(false);
  });

  test("goes on from where it was, when resumed", async () => {
    const opener = new ResponseOpener(keys, 1);
    const events = await opener.push(concat(answer.slice(0, 36), cut(1, 3)));
    expect(plainJson(events)).toEqual(vectors.events.slice(1));
    expect(opener.finished).toBe(true);
  });

  test("gives refusals only, whatever the bytes, and stays dead", async () => {
    const random = new TestRandom(10);
    for (let i = 0; i < 200; i++) {
      const opener = new ResponseOpener(keys);
      const error = await opener.push(random.damage(answer)).catch((caught: unknown) => caught);
      if (error instanceof Error) {
        expect(error).toBeInstanceOf(Malformed);
        await expect(opener.push(new Uint8Array(1))).rejects.toThrow(Malformed);
      }
    }
  });
});

const pageHeader: SealedHeader = {
  boot: "01".repeat(16),
  expires: 1_800_000_000,
  head: `0x${"02".repeat(20)}` as Address,
  model: `0x${"03".repeat(32)}` as Hash,
  path: "/v1/completions",
  plan: "",
  request: "05".repeat(16),
};

function pageContent(): { plan: string; content: JsonObject } {
  const plan = planFromJson(
    fromPlain({
      model: pageHeader.model,
      nodes: [{ slot: 0, key: pageHeader.head, channel: "127.0.0.1:9", boot: pageHeader.boot }],
      policy: "06".repeat(32),
    }),
  );
  const query = {
    user: `0x${"07".repeat(20)}` as Address,
    model: pageHeader.model,
    head: pageHeader.head,
    input: `0x${"08".repeat(32)}` as Hash,
    maxCost: 123456789012345678901234567890n as Wei,
    deadline: 1_800_000_000n,
    nonce: 2n ** 63n - 25n,
  };
  const payment = paymentJson({ kind: "strict", query });
  return {
    plan: planHash(plan),
    content: { body: "caf\u00e9 \ud83d\ude00", plan: planJson(plan), payment, secret: "09".repeat(32) },
  };
}

async function writePageVectors(): Promise<void> {
  const secret = "0a".repeat(32);
  const key = await x25519FromSecret(fromHex(secret));
  const { plan, content } = pageContent();
  const sealed = await sealRequest({ ...pageHeader, plan }, key.publicKey, content);
  const control = plainJson(controlMessage(sealed.keys, "resume", 3, 4));
  const about = "written by web/src/shared/seal/vectors.test.ts";
  const out = {
    about,
    head_secret: secret,
    body: content["body"],
    wire: toHex(sealed.wire),
    keys: sealed.keys,
    control,
  };
  writeFileSync(`${folder}/page.json`, `${JSON.stringify(out, null, 2)}\n`);
}

describe("what the page sealed", () => {
  test("opens with the head's key alone, and is as it was written", async () => {
    if (process.env["TEETEE_WRITE_VECTORS"]) await writePageVectors();
    const page = JSON.parse(readFileSync(`${folder}/page.json`, "utf8"));
    const opened = await openWire(fromHex(page.wire), page.head_secret);
    const { plan, content } = pageContent();
    expect(opened.header).toBe(headerText({ ...pageHeader, plan }));
    expect(canonicalJson(opened.content)).toBe(canonicalJson(content));
    expect(plainJson(controlMessage(page.keys, "resume", 3, 4))).toEqual(page.control);
    await expect(openWire(fromHex(page.wire), "0b".repeat(32))).rejects.toThrow(Malformed);
  });

  test("hides its content and its exact size", async () => {
    const key = await x25519FromSecret(fromHex("0a".repeat(32)));
    const { plan } = pageContent();
    const sizes = await Promise.all(
      ["", "x".repeat(3000)].map(
        async (body) => (await sealRequest({ ...pageHeader, plan }, key.publicKey, { body })).wire.length,
      ),
    );
    expect(sizes[0]).toBe(sizes[1]);
    await expect(
      sealRequest({ ...pageHeader, plan }, key.publicKey, { body: "x".repeat(1 << 20) }),
    ).rejects.toThrow(Malformed);
  });
});

test("a challenge is answered by the holder of the key and nobody else", async () => {
  const node = `0x${"0c".repeat(20)}` as Address;
  const key = await x25519FromSecret(fromHex("0d".repeat(32)));
  const challenge = await makeChallenge(key.publicKey, node);
  const { wire: sent } = challenge;
  expect(fromUtf8(sent.subarray(0, 4))).toBe("TTC1");
  expect(sent).toHaveLength(4 + 32 + 48);
  const recipient = await hpkeRecipient(sent.subarray(4, 36), key, utf8("teetee challenge v1"));
  const random = await recipient.open(fromHex(node), sent.subarray(36));
  const { hmacSha256 } = await import("../verify/hashes");
  const mac = hmacSha256(recipient.export(utf8("teetee challenge answer v1"), 32), random);
  expect(challenge.isAnsweredBy(concat(utf8("TTA1"), mac))).toBe(true);
  expect(
    challenge.isAnsweredBy(
      concat(
        utf8("TTA1"),
        mac.map((byte) => byte ^ 1),
      ),
    ),
  ).toBe(false);
  expect(challenge.isAnsweredBy(new Uint8Array(0))).toBe(false);
});
