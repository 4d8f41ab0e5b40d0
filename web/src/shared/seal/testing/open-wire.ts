// For tests: the head's side of a sealed request.
import { fromHex, fromUtf8, utf8 } from "../../verify/bytes";
import { type Json, parseJson } from "../../verify/json";
import { hpkeRecipient } from "../hpke";
import { unpad } from "../sealed";
import { x25519FromSecret } from "../x25519";

/** `secret`: hex of the head's X25519 key. Throws Malformed when it does not open. */
export async function openWire(
  bytes: Uint8Array,
  secret: string,
): Promise<{ header: string; content: Json }> {
  const size = new DataView(bytes.buffer, bytes.byteOffset).getUint32(4, true);
  const aad = bytes.subarray(8, 8 + size);
  const key = await x25519FromSecret(fromHex(secret));
  const recipient = await hpkeRecipient(
    bytes.subarray(8 + size, 40 + size),
    key,
    utf8("teetee sealed request v1"),
  );
  const plain = await recipient.open(aad, bytes.subarray(44 + size));
  return { header: fromUtf8(aad), content: parseJson(unpad(plain)) };
}
