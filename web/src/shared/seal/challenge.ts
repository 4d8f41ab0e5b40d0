// Proof that a node holds the HPKE key of its claims: it opens 32 random bytes that were sealed to that key.
// docs/design/0008-pages.md, docs/formats/sealed-request.md section 5. Whoever relays it can do nothing but refuse.
import { type Address, concat, equalBytes, fromHexFixed, utf8 } from "../verify/bytes";
import { hmacSha256 } from "../verify/hashes";
import { hpkeSender } from "./hpke";
import type { X25519Key } from "./x25519";

const info = utf8("teetee challenge v1");
const exportAnswer = utf8("teetee challenge answer v1");
const answerMagic = utf8("TTA1");

export interface Challenge {
  /** body of POST /v1/teetee/challenge */
  readonly wire: Uint8Array;
  /** Is this the answer of the holder of the key? */
  readonly isAnsweredBy: (answer: Uint8Array) => boolean;
}

/** Throws Malformed when the node's key is no good. `random` and `ephemeral` are for tests. */
export async function makeChallenge(
  hpkeKey: Uint8Array,
  node: Address,
  random: Uint8Array = crypto.getRandomValues(new Uint8Array(32)),
  ephemeral?: X25519Key,
): Promise<Challenge> {
  const sender = await hpkeSender(hpkeKey, info, ephemeral);
  const sealed = await sender.seal(fromHexFixed(node, 20), random);
  const expected = concat(answerMagic, hmacSha256(sender.export(exportAnswer, 32), random));
  return {
    wire: concat(utf8("TTC1"), sender.enc, sealed),
    isAnsweredBy: (answer) => equalBytes(answer, expected),
  };
}
