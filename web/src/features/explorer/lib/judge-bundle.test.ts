import { expect, it } from "vitest";
import { evidenceAt } from "./evidence-at.ts";
import { judgeBundle, promptOf } from "./judge-bundle.ts";
import { recordWords } from "./record-words.ts";

it("refuses what is no bundle", async () => {
  const judges = { gateway: "http://127.0.0.1:1", trust: null, reader: null };
  for (const text of ["", "{}", '{"kind":"teetee-bundle","v":2}', "[]"]) {
    await expect(judgeBundle(new TextEncoder().encode(text), judges)).rejects.toThrow();
  }
});

it("shows the question whatever the request's form", () => {
  expect(
    promptOf(
      '{"messages":[{"role":"user","content":"Hi"},{"role":"assistant","content":[{"type":"text","text":"Yo"}]}]}',
    ),
  ).toBe("user: Hi\n\nassistant: Yo");
  expect(promptOf('{"prompt":"Once"}')).toBe("Once");
  expect(promptOf("not json")).toBe("not json");
});

it("takes the evidence that was in force", () => {
  const kept = [{ at: 10 }, { at: 30 }, { at: 20 }];
  expect(evidenceAt(kept, 25)).toEqual({ at: 20 });
  expect(evidenceAt(kept, null)).toEqual({ at: 30 });
  expect(evidenceAt(kept, 5)).toEqual({ at: 10 });
  expect(evidenceAt([], 5)).toBeNull();
});

it("says each state of a query", () => {
  const word = (n: number) => `0x${n.toString(16).padStart(64, "0")}`;
  expect([0, 1, 2].map((n) => recordWords(word(n)).state)).toEqual(["not opened", "open", "refunded"]);
  expect(recordWords(`0x${"ab".repeat(32)}`).state).toBe("settled");
});
