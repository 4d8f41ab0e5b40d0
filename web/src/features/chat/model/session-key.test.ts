// @vitest-environment jsdom
import "fake-indexeddb/auto";
import { IDBFactory } from "fake-indexeddb";
import { expect, test, vi } from "vitest";
import { type Vault, VaultOpener } from "@/shared/vault/vault.ts";
import type { Address, Hash } from "@/shared/verify/bytes.ts";
import { addressOf } from "@/shared/verify/secp256k1.ts";
import { type SessionScope, sessionKey, sessionMessage } from "./session-key.ts";

const user = `0x${"11".repeat(20)}` as Address;
const scope: SessionScope = { origin: "http://127.0.0.1:1", user, ledger: `0x${"22".repeat(20)}` as Address, chainId: 31337n };
const [line, other] = ["33", "44"].map((digits) => `0x${digits.repeat(32)}` as Hash) as [Hash, Hash];

async function newBrowser(): Promise<Vault> {
  vi.stubGlobal("indexedDB", new IDBFactory());
  const vault = await new VaultOpener(user, scope.origin).withPassphrase("a passphrase");
  if (!vault) throw new Error("no vault");
  return vault;
}

// A wallet whose signature depends on the message, as a real one's does.
const wallet = (last = "1b") => vi.fn(async (message: string) => `0x${Buffer.from(message).toString("hex").slice(-128)}${last}`);

test("every browser with the wallet has the same key, however the wallet writes the last byte", async () => {
  const first = await sessionKey(await newBrowser(), wallet("1b"), scope, line);
  const second = await sessionKey(await newBrowser(), wallet("00"), scope, line);
  expect(addressOf(second)).toBe(addressOf(first));
});

test("the wallet signs once in a browser; lines, ledgers and wallets have keys of their own", async () => {
  const vault = await newBrowser();
  const sign = wallet();
  const key = await sessionKey(vault, sign, scope, line);
  expect(addressOf(await sessionKey(vault, sign, scope, line))).toBe(addressOf(key));
  const others = [await sessionKey(vault, sign, scope, other), await sessionKey(vault, sign, { ...scope, chainId: 1n }, line)];
  expect(new Set([key, ...others].map(addressOf)).size).toBe(3);
  expect(sign).toHaveBeenCalledTimes(2);
});

test("a wallet that refuses leaves nothing behind", async () => {
  const vault = await newBrowser();
  await expect(sessionKey(vault, () => Promise.reject(new Error("refused")), scope, line)).rejects.toThrow("refused");
  expect(await vault.all("session")).toEqual([]);
});

test("the message names page, account, ledger and chain", () => {
  for (const text of [scope.origin, user, scope.ledger, "Chain: 31337"]) expect(sessionMessage(scope)).toContain(text);
});
