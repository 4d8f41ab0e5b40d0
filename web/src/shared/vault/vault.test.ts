import "fake-indexeddb/auto";
import { IDBFactory } from "fake-indexeddb";
import { beforeEach, expect, test, vi } from "vitest";
import { openVaultKey, outerKey, randomBytes, sealText, unlockMessage, unsealText } from "./crypto.ts";
import { Database } from "./database.ts";
import { VaultOpener } from "./vault.ts";

const alice = "0xAAaaAAaaAAaaAAaaAAaaAAaaAAaaAAaaAAaaAAaa";
const sign = async (message: string) => `signature of ${message}`;

beforeEach(() => {
  vi.stubGlobal("indexedDB", new IDBFactory());
});

const openers = () => new VaultOpener(alice, "http://127.0.0.1:1");

test("a wallet's signature opens what it made, another does not", async () => {
  expect(await openers().state()).toEqual({ exists: false });
  const vault = await openers().withWallet(sign);
  await vault?.put("conversation", "c1", "hello");
  expect(await openers().state()).toEqual({ exists: true, source: "wallet" });
  expect(await (await openers().withWallet(sign))?.get("conversation", "c1")).toBe("hello");
  expect(await openers().withWallet(async () => "another")).toBeNull();
});

test("a passphrase opens what it made, another does not", async () => {
  await (await openers().withPassphrase("correct horse"))?.put("line", "l", "secret");
  expect(await (await openers().withPassphrase("correct horse"))?.get("line", "l")).toBe("secret");
  expect(await openers().withPassphrase("wrong horse")).toBeNull();
});

test("nothing readable lies in the database", async () => {
  const vault = await openers().withWallet(sign);
  await vault?.put("conversation", "c1", "the secret prompt");
  const db = await Database.open();
  const rows = await db.rows(alice.toLowerCase(), "conversation");
  expect(rows).toHaveLength(1);
  const bytes = new TextDecoder("latin1").decode(rows[0]?.sealed.data);
  expect(bytes).not.toContain("secret");
});

test("a record that was changed or moved is left out", async () => {
  const vault = await openers().withWallet(sign);
  await vault?.put("conversation", "c1", "one");
  await vault?.put("conversation", "c2", "two");
  const db = await Database.open();
  const [one] = await db.rows(alice.toLowerCase(), "conversation");
  if (!one) throw new Error("no row");
  await db.putRow({ ...one, id: one.id.replace("c1", "c2"), name: "c2" });
  expect(await vault?.all("conversation")).toMatchObject([{ name: "c1", text: "one" }]);
});

test("forgetting leaves nothing of the owner, and others' rows alone", async () => {
  const vault = await openers().withWallet(sign);
  await vault?.put("bundle", "b", "text");
  const bob = await new VaultOpener("0xbb", "http://127.0.0.1:1").withWallet(sign);
  await bob?.put("bundle", "b", "bob's");
  await openers().forget();
  expect(await openers().state()).toEqual({ exists: false });
  expect(await (await Database.open()).rows(alice.toLowerCase(), "bundle")).toEqual([]);
  expect(await bob?.get("bundle", "b")).toBe("bob's");
});

test("the message that is signed names page, account and salt", () => {
  const text = unlockMessage(alice, new Uint8Array([1, 255]), "http://127.0.0.1:1");
  expect(text).toContain("Page: http://127.0.0.1:1");
  expect(text).toContain(alice.toLowerCase());
  expect(text).toContain("Salt: 01ff");
});

test("a name is bound to its bytes, and a damaged header opens nothing", async () => {
  const salt = randomBytes(32);
  const key = await outerKey("wallet", "s", salt);
  const sealed = await sealText(key, "a", "text");
  await expect(unsealText(key, "b", sealed)).rejects.toThrow();
  expect(await openVaultKey({ owner: "o", source: "wallet", salt, wrapped: sealed }, "s")).toBeNull();
});
