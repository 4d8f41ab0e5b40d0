import { expect, test } from "vitest";
import type { TrustFile } from "@/shared/verify/trust-file.ts";
import { type ListedModel, readModels } from "./api/get-models.ts";
import { organisations, sizeWords, slotsTaken, slotWords, speedWords, trustView } from "./model-facts.ts";

const id = `0x${"ab".repeat(32)}`;
const host = `0x${"11".repeat(20)}`;
const slot = { slot: 0, first_block: 0, blocks: 15, share: 15, bytes: 1000, live: 1, joined: 1, hosts: [host] };

function model(change: object = {}): ListedModel {
  const teetee = { model: id, price_in: "1", price_out: "2", slots: 2, live: true, ...change };
  const [one] = readModels({ data: [{ id: "tiny", teetee }] });
  if (!one) throw new Error("no model");
  return one;
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
  expect(slotsTaken(model())).toEqual({ taken: 0, all: 2 });
  expect(organisations(listed)).toBe(1);
});

test("says what is not known", () => {
  expect(sizeWords(model())).toBe("size not known");
  expect(sizeWords(model({ parameters: 134_515_008, quantisation: "Q4_1" }))).toBe("135 M parameters, Q4_1");
  expect(slotWords({ ...slot, first_block: null })).toBe("Slot 0: layers not known");
  expect(slotWords(slot)).toBe("Slot 0: layers 0 to 14");
  expect(speedWords(model())).toBeNull();
  expect(speedWords(model({ speed: { tokens_per_second: 12.34, ttft_ms: null, samples: 2, since: null } }))).toEqual({ rate: "12.3 tokens/s", first: "not measured", samples: 2 });
});
