// The known answers of a slot: what the manifest promises against what the node has just computed, and that the node's own key signed it for
// our nonce. Source: docs/design/0008-pages.md, "Node".

export interface KnownAnswer {
  readonly seed: string;
  readonly n_tokens: number;
  readonly output_sha256: string;
}

export interface KnownAnswerReply {
  readonly kats: readonly KnownAnswer[];
  readonly rows_per_second: number;
  readonly nonce: string;
  readonly signature: string;
}

export type KnownAnswerVerdict =
  | { readonly ok: true; readonly count: number }
  | { readonly ok: false; readonly reason: string };

export function parseKnownAnswerReply(value: unknown): KnownAnswerReply {
  const object = asObject(value, "answer");
  const kats = object["kats"];
  if (!Array.isArray(kats) || kats.length > 64) throw new Error('known answers: "kats" is no short list');
  return {
    kats: kats.map(parseKat),
    rows_per_second: asNumber(object["rows_per_second"], "rows_per_second"),
    nonce: asHex(object["nonce"], 32, "nonce"),
    signature: asHex(object["signature"], 64, "signature"),
  };
}

// Canonical JSON of the list (RFC 8785): the node signs these bytes.
export function canonicalKats(kats: readonly KnownAnswer[]): string {
  const item = (kat: KnownAnswer) =>
    `{"n_tokens":${kat.n_tokens},"output_sha256":${JSON.stringify(kat.output_sha256)},"seed":${JSON.stringify(kat.seed)}}`;
  return `[${kats.map(item).join(",")}]`;
}

export function judgeKnownAnswers(
  expected: readonly KnownAnswer[],
  reply: KnownAnswerReply,
  nonce: string,
): KnownAnswerVerdict {
  if (expected.length === 0) return { ok: false, reason: "the manifest holds no known answer for this slot" };
  if (stripHex(reply.nonce) !== stripHex(nonce))
    return { ok: false, reason: "the answer is for another question (nonce)" };
  if (reply.kats.length !== expected.length)
    return { ok: false, reason: `the node answered ${reply.kats.length} of ${expected.length} tests` };
  for (const [index, want] of expected.entries()) {
    const got = reply.kats[index];
    if (!got || got.seed !== want.seed || got.n_tokens !== want.n_tokens)
      return { ok: false, reason: `test ${index + 1}: the node computed another test` };
    if (got.output_sha256 !== want.output_sha256) {
      return {
        ok: false,
        reason: `test ${index + 1}: expected ${short(want.output_sha256)}, the node computed ${short(got.output_sha256)}`,
      };
    }
  }
  return { ok: true, count: expected.length };
}

function short(hash: string): string {
  return `${hash.slice(0, 12)}…`;
}

function stripHex(text: string): string {
  return text.toLowerCase().replace(/^0x/, "");
}

function parseKat(value: unknown): KnownAnswer {
  const object = asObject(value, "known answer");
  const seed = object["seed"];
  if (typeof seed !== "string" || !/^0x[0-9a-f]{16}$/.test(seed)) throw new Error("known answer: bad seed");
  const n = asNumber(object["n_tokens"], "n_tokens");
  if (!Number.isSafeInteger(n) || n < 1) throw new Error("known answer: bad n_tokens");
  return { seed, n_tokens: n, output_sha256: asHex(object["output_sha256"], 32, "output_sha256") };
}

function asObject(value: unknown, what: string): Record<string, unknown> {
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw new Error(`${what}: no object`);
  return value as Record<string, unknown>;
}

function asNumber(value: unknown, what: string): number {
  if (typeof value !== "number" || !Number.isFinite(value) || value < 0)
    throw new Error(`${what}: no number`);
  return value;
}

function asHex(value: unknown, bytes: number, what: string): string {
  if (typeof value !== "string") throw new Error(`${what}: no text`);
  const hex = stripHex(value);
  if (!new RegExp(`^[0-9a-f]{${bytes * 2}}$`).test(hex))
    throw new Error(`${what}: not ${bytes} bytes of hex`);
  return hex;
}
