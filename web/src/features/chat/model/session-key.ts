// The session key that signs for a tab. It comes from a signature of the wallet, so that every browser with this wallet has the same one:
// a tab that was opened in one pays in the others too.
import { hkdfExpand, hkdfExtract } from "@/shared/verify/hashes.ts";
import { type Address, fromHex, type Hash, toHex, utf8 } from "@/shared/verify/bytes.ts";
import { type PrivateKey, privateKey } from "@/shared/verify/secp256k1.ts";
import type { SignMessage, Vault } from "@/shared/vault/vault.ts";

export interface SessionScope {
  readonly origin: string;
  readonly user: Address;
  readonly ledger: Address;
  readonly chainId: bigint;
}

// What the wallet signs: nothing in it changes from one browser to the next.
export function sessionMessage({ origin, user, ledger, chainId }: SessionScope): string {
  return [
    "TeeTee: make the key that pays from my tabs.",
    "",
    "This costs nothing. The key can spend what you set aside in tabs, and nothing else.",
    "Sign it only on the page named below.",
    `Page: ${origin}`,
    `Account: ${user}`,
    `Ledger: ${ledger}`,
    `Chain: ${chainId}`,
  ].join("\n");
}

// r and s alone: wallets write the last byte in several ways.
function secretOf(signature: string): Uint8Array {
  return hkdfExtract(utf8("teetee session v1"), fromHex(signature.replace(/^0x/, "").slice(0, 128).toLowerCase()));
}

// The wallet signs once; this browser keeps what follows from it, encrypted.
async function sessionSecret(vault: Vault, sign: SignMessage, scope: SessionScope): Promise<Uint8Array> {
  const name = `${scope.chainId} ${scope.ledger}`;
  const kept = await vault.get("session", name);
  if (kept !== undefined) return fromHex(kept);
  const secret = secretOf(await sign(sessionMessage(scope)));
  await vault.put("session", name, toHex(secret));
  return secret;
}

export async function sessionKey(vault: Vault, sign: SignMessage, scope: SessionScope, line: Hash): Promise<PrivateKey> {
  return privateKey(hkdfExpand(await sessionSecret(vault, sign, scope), utf8(line), 32));
}
