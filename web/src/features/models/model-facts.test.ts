import { expect, test } from "vitest";
import type { TrustFile } from "@/shared/verify/trust-file.ts";
import { type CardModel, cardModel, organisations, sizeWords, slotsTaken, slotWords, speedWords, trustView } from "./model-facts.ts";

const id = `0x${"ab".repeat(32)}`;
const host: `0x${string}` = `0x${"11".repeat(20)}`;
const slot = { slot: 0, first_block: 0, blocks: 15, share: 15, bytes: 1000, live: 1, joined: 1, hosts: [host] };

function model(change: object = {}): CardModel {
  const teetee = { model: id, price_in: 1n, price_out: 2n, class: "unknown", slot_list: [], routes: 0, live: true, ...change };
  return cardModel({ id: "tiny", teetee } as never);
}

const trust = (models: [string, string][], evidenceClass = "simulated") => ({ models: new Map(models), evidenceClass }) as unknown as TrustFile;

test("what counts as trusted is the trust file's word, never the gateway's", () => {
  expect(trustView(model({ class: "production" }), null)).toBe("no-trust");
  expect(trustView(model({ class: "production" }), trust([]))).toBe("unlisted");
  expect(trustView(model({ class: "production" }), trust([["tiny", id]]))).toBe("simulated");
});

test("counts slots and organisations", () => {
  const listed = model({ slot_list: [slot, { ...slot, slot: 1, live: 0 }] });
  expect(slotsTaken(listed)).toEqual({ taken: 1, all: 2 });
  expect(organisations(listed)).toBe(1);
});

test("says what is not known", () => {
  expect(sizeWords(model())).toBe("size not known");
  expect(sizeWords(model({ parameters: 134_515_008, quantisation: "Q4_1" }))).toBe("135 M parameters, Q4_1");
  expect(slotWords({ ...slot, first_block: null })).toBe("Slot 0: layers not known");
  expect(slotWords(slot)).toBe("Slot 0: layers 0 to 14");
  expect(speedWords(model())).toBeNull();
  expect(speedWords(model({ speed: { tokens_per_second: 12.34, ttft_ms: 80, samples: 2, since: null } }))).toEqual({ rate: "12.3 tokens/s", first: "80 ms", samples: 2 });
});

test("a model without a name of its own goes by its id", () => {
  expect(model().name).toBe("tiny");
  expect(model({ name: "Tiny" }).name).toBe("Tiny");
});
