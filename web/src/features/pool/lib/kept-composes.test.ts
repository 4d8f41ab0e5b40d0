import { expect, it } from "vitest";
import { composeSlotKey, keepCompose, keptComposes } from "./kept-composes.ts";

function storage(): Storage {
  const kept = new Map<string, string>();
  const get = (key: string) => kept.get(key) ?? null;
  return {
    getItem: get,
    setItem: (key: string, value: string) => kept.set(key, value),
  } as unknown as Storage;
}

it("keeps the newest first, each once, per model, slot and wallet", () => {
  const own = storage();
  const key = composeSlotKey("0xAB", 1, "0xCD");
  expect(key).toBe(composeSlotKey("0xab", 1, "0xcd"));
  for (const hash of ["a", "b", "a"]) keepCompose(key, hash, own);
  expect(keptComposes(key, own)).toEqual(["a", "b"]);
  expect(keptComposes(composeSlotKey("0xab", 2, "0xcd"), own)).toEqual([]);
  for (let i = 0; i < 50; i += 1) keepCompose(key, `h${i}`, own);
  expect(keptComposes(key, own)).toHaveLength(20);
});

it("starts anew when what is kept cannot be read", () => {
  const own = storage();
  own.setItem("teetee.pool.composes", "{");
  expect(keptComposes("x", own)).toEqual([]);
});
