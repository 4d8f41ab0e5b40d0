// @vitest-environment jsdom
import "fake-indexeddb/auto";
import { expect, test, vi } from "vitest";
import type { ChainWriter } from "@/shared/client/chain.ts";
import { VaultOpener } from "@/shared/vault/vault.ts";
import type { Address, Hash } from "@/shared/verify/bytes.ts";
import { addressOf, parseSignature } from "@/shared/verify/secp256k1.ts";
import { hostAccess } from "./host-access.ts";

const host = `0x${"11".repeat(20)}` as Address;
const model = `0x${"22".repeat(32)}` as Hash;

test("the wallet signs once; the same session key serves until it is nearly over", async () => {
  const vault = await new VaultOpener(host, "http://127.0.0.1:1").withPassphrase("a passphrase");
  if (!vault) throw new Error("no vault");
  const signAccess = vi.fn(async () => parseSignature("ab".repeat(64)));
  const writer = { address: host, write: vi.fn(), signAccess } as unknown as ChainWriter;
  const first = await hostAccess(vault, writer, model, 1_000n);
  const second = await hostAccess(vault, writer, model, 1_100n);
  expect(signAccess).toHaveBeenCalledTimes(1);
  expect(addressOf(second.session)).toBe(addressOf(first.session));
  expect(second.expires).toBe(4_600n);
  await hostAccess(vault, writer, model, 4_100n);
  expect(signAccess).toHaveBeenCalledTimes(2);
});
