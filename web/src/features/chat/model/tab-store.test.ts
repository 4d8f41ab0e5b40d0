// @vitest-environment jsdom
import "fake-indexeddb/auto";
import { expect, test } from "vitest";
import type { LineState } from "@/shared/client/tabs.ts";
import { VaultOpener } from "@/shared/vault/vault.ts";
import type { Address, Hash, Wei } from "@/shared/verify/bytes.ts";
import { lineFromText, lineText, VaultTabStore } from "./tab-store.ts";

const user = `0x${"11".repeat(20)}` as Address;
const line = `0x${"22".repeat(32)}` as Hash;
const state: LineState = {
  model: line,
  head: user,
  session: "33".repeat(32),
  epoch: 1,
  used: 10n ** 20n as Wei,
  inFlight: [{ request: "r", amount: 7n as Wei, until: 9 }],
};

test("a line comes back as it was, wei and all", () => {
  expect(lineFromText(lineText(state))).toEqual(state);
});

test("changes of one line come one after another, and none is lost", async () => {
  const vault = await new VaultOpener(user, "http://127.0.0.1:1").withPassphrase("a passphrase");
  if (!vault) throw new Error("no vault");
  const store = new VaultTabStore(vault);
  await store.update(user, line, () => ({ ...state, used: 0n as Wei }));
  const add = () => store.update(user, line, (before) => ({ ...(before ?? state), used: ((before?.used ?? 0n) + 1n) as Wei }));
  await Promise.all(Array.from({ length: 10 }, add));
  expect((await store.load(user, line))?.used).toBe(10n);
  expect(await store.lines(user)).toHaveLength(1);
  expect(await store.load(user, `0x${"44".repeat(32)}` as Hash)).toBeUndefined();
});
