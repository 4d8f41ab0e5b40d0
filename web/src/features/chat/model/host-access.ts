// A host's free chatting: its wallet signs once that a session key may ask for it until a time; the key signs each request.
import type { ChainWriter } from "@/shared/client/chain.ts";
import type { PayWith } from "@/shared/client/ask.ts";
import { sessionHash } from "@/shared/seal/payment.ts";
import type { Vault } from "@/shared/vault/vault.ts";
import { fromHexFixed, type Hash, toHex } from "@/shared/verify/bytes.ts";
import { addressOf, generatePrivateKey, parseSignature, privateKey } from "@/shared/verify/secp256k1.ts";

export type FreePay = Extract<PayWith, { kind: "free" }>;

const LASTS_SECONDS = 3600n;
const MARGIN_SECONDS = 600n;

interface KeptAccess {
  readonly session: string;
  readonly expires: string;
  readonly access: string;
}

function fromKept(text: string, host: FreePay["host"], now: bigint): FreePay | null {
  const kept = JSON.parse(text) as KeptAccess;
  const expires = BigInt(kept.expires);
  if (expires < now + MARGIN_SECONDS) return null;
  return { kind: "free", host, session: privateKey(fromHexFixed(kept.session, 32)), expires, access: parseSignature(kept.access) };
}

// The kept access while it is good for long enough, else a new one that the wallet signs.
export async function hostAccess(vault: Vault, writer: ChainWriter, model: Hash, now: bigint): Promise<FreePay> {
  const name = `${writer.address} ${model}`;
  const text = await vault.get("access", name);
  const known = text === undefined ? null : fromKept(text, writer.address, now);
  if (known) return known;
  const session = generatePrivateKey();
  const expires = now + LASTS_SECONDS;
  const access = await writer.signAccess({ host: writer.address, model, session: sessionHash(addressOf(session)), expires });
  await vault.put("access", name, JSON.stringify({ session: toHex(session), expires: expires.toString(), access }));
  return { kind: "free", host: writer.address, session, expires, access };
}
