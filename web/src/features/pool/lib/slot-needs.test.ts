import { expect, it } from "vitest";
import { kvBytesPerPosition, kvMegabytesFor, shapeOfSlot, slotNeeds } from "./slot-needs";

const manifest = {
  config: { n_kv_heads: "3", head_dim: "64", context_length: "8192", hidden_dim: "576" },
  tensors: [
    { name: "a", bytes: 1000 },
    { name: "b", bytes: 500 },
    { name: "c", bytes: 7 },
  ],
  slots: [
    { block_count: 15, tensors: ["a", "c"] },
    { block_count: 15, tensors: ["b", "a"] },
  ],
};

it("sums a slot's own tensors, a shared one in each slot", () => {
  expect(shapeOfSlot(manifest, 0)?.weightBytes).toBe(1007);
  expect(shapeOfSlot(manifest, 1)?.weightBytes).toBe(1500);
  expect(shapeOfSlot(manifest, 2)).toBeNull();
});

it("counts keys and values of every block in f16", () => {
  const shape = shapeOfSlot(manifest, 0);
  if (!shape) throw new Error("no shape");
  expect(kvBytesPerPosition(shape)).toBe(15 * 3 * 64 * 2 * 2);
  const needs = slotNeeds(shape);
  expect(needs.kvBytes).toBe(kvMegabytesFor(shape) * 2 ** 20);
  expect(needs.totalBytes).toBeGreaterThan(needs.weightBytes + needs.kvBytes);
  expect(needs.recommendedBytes).toBeGreaterThanOrEqual(needs.totalBytes);
  expect(Math.log2(needs.recommendedBytes) % 1).toBe(0);
  expect(needs.networkBytesPerToken).toBe(2304);
});
