// HPKE base mode (RFC 9180): DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, AES-128-GCM.
import { concat, u16be, utf8 } from "../verify/bytes";
import { hkdfExpand, hkdfExtract } from "../verify/hashes";
import { type AeadKey, aeadKey, sequenceNonce } from "./aead";
import { generateX25519, type X25519Key, x25519FromSecret } from "./x25519";

const version = utf8("HPKE-v1");
const kemSuite = concat(utf8("KEM"), u16be(0x20));
const hpkeSuite = concat(utf8("HPKE"), u16be(0x20), u16be(1), u16be(1));
const none = new Uint8Array(0);

function labeledExtract(suite: Uint8Array, salt: Uint8Array, label: string, input: Uint8Array): Uint8Array {
  return hkdfExtract(salt, concat(version, suite, utf8(label), input));
}

function labeledExpand(
  suite: Uint8Array,
  key: Uint8Array,
  label: string,
  info: Uint8Array,
  size: number,
): Uint8Array {
  return hkdfExpand(key, concat(u16be(size), version, suite, utf8(label), info), size);
}

function kemSecret(agreed: Uint8Array, enc: Uint8Array, recipient: Uint8Array): Uint8Array {
  const key = labeledExtract(kemSuite, none, "eae_prk", agreed);
  return labeledExpand(kemSuite, key, "shared_secret", concat(enc, recipient), 32);
}

class HpkeContext {
  readonly enc: Uint8Array;
  private readonly key: AeadKey;
  private readonly baseNonce: Uint8Array;
  private readonly exporter: Uint8Array;
  private sequence = 0;

  private constructor(enc: Uint8Array, key: AeadKey, baseNonce: Uint8Array, exporter: Uint8Array) {
    this.enc = enc;
    this.key = key;
    this.baseNonce = baseNonce;
    this.exporter = exporter;
  }

  static async make(enc: Uint8Array, shared: Uint8Array, info: Uint8Array): Promise<HpkeContext> {
    const pskIdHash = labeledExtract(hpkeSuite, none, "psk_id_hash", none);
    const infoHash = labeledExtract(hpkeSuite, none, "info_hash", info);
    const context = concat(Uint8Array.of(0), pskIdHash, infoHash);
    const secret = labeledExtract(hpkeSuite, shared, "secret", none);
    const key = await aeadKey(labeledExpand(hpkeSuite, secret, "key", context, 16));
    const baseNonce = labeledExpand(hpkeSuite, secret, "base_nonce", context, 12);
    return new HpkeContext(enc, key, baseNonce, labeledExpand(hpkeSuite, secret, "exp", context, 32));
  }

  export(label: Uint8Array, size: number): Uint8Array {
    return labeledExpand(hpkeSuite, this.exporter, "sec", label, size);
  }

  async seal(aad: Uint8Array, plaintext: Uint8Array): Promise<Uint8Array> {
    return this.key.seal(sequenceNonce(this.baseNonce, this.sequence++), aad, plaintext);
  }

  async open(aad: Uint8Array, ciphertext: Uint8Array): Promise<Uint8Array> {
    const out = await this.key.open(sequenceNonce(this.baseNonce, this.sequence), aad, ciphertext);
    this.sequence++;
    return out;
  }
}

export type { HpkeContext };

/** Throws Malformed when the recipient's key is no good. */
export async function hpkeSender(
  recipient: Uint8Array,
  info: Uint8Array,
  ephemeral?: X25519Key,
): Promise<HpkeContext> {
  const key = ephemeral ?? (await generateX25519());
  const agreed = await key.agree(recipient);
  return HpkeContext.make(key.publicKey, kemSecret(agreed, key.publicKey, recipient), info);
}

export async function hpkeRecipient(
  enc: Uint8Array,
  recipient: X25519Key,
  info: Uint8Array,
): Promise<HpkeContext> {
  const agreed = await recipient.agree(enc);
  return HpkeContext.make(enc, kemSecret(agreed, enc, recipient.publicKey), info);
}

/** RFC 9180 section 7.1.3. */
export function hpkeDeriveKeyPair(input: Uint8Array): Promise<X25519Key> {
  const key = labeledExtract(kemSuite, none, "dkp_prk", input);
  return x25519FromSecret(labeledExpand(kemSuite, key, "sk", none, 32));
}
