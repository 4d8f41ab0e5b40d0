// @vitest-environment node
// RFC 9180 appendix A.1.1, RFC 7748 section 6.1, and the points of low order.
import { describe, expect, test } from "vitest";
import { fromHex, toHex, utf8 } from "../verify/bytes";
import { Malformed } from "../verify/refusal";
import { hpkeDeriveKeyPair, hpkeRecipient, hpkeSender } from "./hpke";
import { generateX25519, x25519FromSecret } from "./x25519";

const info = fromHex("4f6465206f6e2061204772656369616e2055726e");
const plaintext = fromHex("4265617574792069732074727574682c20747275746820626561757479");
const ephemeral = () =>
  hpkeDeriveKeyPair(fromHex("7268600d403fce431561aef583ee1613527cff655c1343f29812e66706df3234"));
const recipient = () =>
  hpkeDeriveKeyPair(fromHex("6db9df30aa07dd42ee5e8181afdb977e538f5e1fec8a06223f33f7013e525037"));

async function pair() {
  const key = await recipient();
  const sender = await hpkeSender(key.publicKey, info, await ephemeral());
  return { sender, receiver: await hpkeRecipient(sender.enc, key, info) };
}

describe("HPKE", () => {
  test("encrypts and exports as RFC 9180 A.1.1 says", async () => {
    const expected: Record<number, string> = {
      0: "f938558b5d72f1a23810b4be2ab4f84331acc02fc97babc53a52ae8218a355a96d8770ac83d07bea87e13c512a",
      1: "af2d7e9ac9ae7e270f46ba1f975be53c09f8d875bdc8535458c2494e8a6eab251c03d0c22a56b8ca42c2063b84",
      2: "498dfcabd92e8acedc281e85af1cb4e3e31c7dc394a1ca20e173cb72516491588d96a19ad4a683518973dcc180",
      4: "583bd32bc67a5994bb8ceaca813d369bca7b2a42408cddef5e22f880b631215a09fc0012bc69fccaa251c0246d",
      255: "7175db9717964058640a3a11fb9007941a5d1757fda1a6935c805c21af32505bf106deefec4a49ac38d71c9e0a",
      256: "957f9800542b0b8891badb026d79cc54597cb2d225b54c00c5238c25d05c30e3fbeda97d2e0e1aba483a2df9f2",
    };
    const { sender, receiver } = await pair();
    expect(toHex(sender.enc)).toBe("37fda3567bdbd628e88668c3c8d7e97d1d1253b6d4ea6d44c150f741f1bf4431");
    for (let i = 0; i <= 256; i++) {
      const aad = utf8(`Count-${i}`);
      const sealed = await sender.seal(aad, plaintext);
      if (expected[i] !== undefined) expect(toHex(sealed)).toBe(expected[i]);
      expect(toHex(await receiver.open(aad, sealed))).toBe(toHex(plaintext));
    }
    const exports: [string, string][] = [
      ["", "3853fe2b4035195a573ffc53856e77058e15d9ea064de3e59f4961d0095250ee"],
      ["00", "2e8f0b54673c7029649d4eb9d5e33bf1872cf76d623ff164ac185da9e88c21a5"],
      ["54657374436f6e74657874", "e9e43065102c3836401bed8c3c3c75ae46be1639869391d62c61f1ec7af54931"],
    ];
    for (const [label, value] of exports) {
      expect(toHex(sender.export(fromHex(label), 32))).toBe(value);
      expect(toHex(receiver.export(fromHex(label), 32))).toBe(value);
    }
  });

  test("refuses another order, other data, other keys; a refusal leaves the sequence alone", async () => {
    const { sender, receiver } = await pair();
    const first = await sender.seal(new Uint8Array(0), plaintext);
    const second = await sender.seal(new Uint8Array(0), plaintext);
    await expect(receiver.open(new Uint8Array(0), second)).rejects.toThrow(Malformed);
    await expect(receiver.open(utf8("other"), first)).rejects.toThrow(Malformed);
    await expect(receiver.open(new Uint8Array(0), first.subarray(0, 10))).rejects.toThrow(Malformed);
    await receiver.open(new Uint8Array(0), first);
    await receiver.open(new Uint8Array(0), second);
    const stranger = await hpkeRecipient(sender.enc, await generateX25519(), info);
    await expect(stranger.open(new Uint8Array(0), first)).rejects.toThrow(Malformed);
  });
});

describe("X25519", () => {
  test("agrees as RFC 7748 section 6.1 says", async () => {
    const alice = await x25519FromSecret(
      fromHex("77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a"),
    );
    const bob = await x25519FromSecret(
      fromHex("5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb"),
    );
    expect(toHex(alice.publicKey)).toBe("8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a");
    expect(toHex(bob.publicKey)).toBe("de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f");
    const agreed = "4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742";
    expect(toHex(await alice.agree(bob.publicKey))).toBe(agreed);
    expect(toHex(await bob.agree(alice.publicKey))).toBe(agreed);
  });

  test.each([
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0100000000000000000000000000000000000000000000000000000000000000",
    "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
    "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "01",
  ])("refuses the point %s", async (point) => {
    await expect(hpkeSender(fromHex(point), info)).rejects.toThrow(Malformed);
    await expect(hpkeRecipient(fromHex(point), await generateX25519(), info)).rejects.toThrow(Malformed);
  });
});
