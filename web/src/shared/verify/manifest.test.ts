// @vitest-environment node
// The worked example of docs/formats/manifest.md, and every other spelling of it.
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { toHex, utf8 } from "./bytes";
import { manifestHash, parseManifest, tensorLeaf } from "./manifest";
import { Malformed } from "./refusal";
import { expectOnlyRefusals } from "./testing/random";
import { repositoryFile } from "./testing/shared-folder";

const page = readFileSync(repositoryFile("docs/formats/manifest.md"), "utf8");

function blockAfter(mark: string): string {
  const block = page.slice(page.indexOf("```", page.indexOf(mark)));
  const text = block.slice(block.indexOf("\n") + 1);
  return text.slice(0, text.indexOf("\n```"));
}

const text = blockAfter("### Example: the document");
const parse = (document: string) => parseManifest(utf8(document));

function replaced(from: string | RegExp, to: string): string {
  const out = text.replace(from, to);
  expect(out).not.toBe(text);
  return out;
}

describe("a manifest", () => {
  test("is that of the worked example", () => {
    const manifest = parse(text);
    expect(manifest.slots.map((slot) => slot.blockCount)).toEqual([2, 1]);
    expect(manifestHash(utf8(text))).toBe(`0x${blockAfter("### Example: its hash")}`);
    const [first] = manifest.tensors;
    expect(first && toHex(tensorLeaf(first))).toBe(blockAfter("### Example: the leaf of blk.0.w"));
  });

  test("is refused in every other spelling, or when a relation is broken", () => {
    const others = [
      `${text}\n`,
      ` ${text}`,
      replaced('"n_tokens":4', '"n_tokens":4.0'),
      replaced('"n_tokens":4', '"n_tokens": 4'),
      replaced('"n_tokens":4', '"n_tokens":0'),
      replaced('"version":1', '"version":1,"x":1'),
      replaced('"version":1', '"version":2'),
      replaced('"profile":1', '"profile":2'),
      replaced('"name":"tiny"', '"name":"\\u0074iny"'),
      replaced('"seed":"0x', '"seed":"0X'),
      replaced('"dims":[2]', '"dims":[-2]'),
      replaced('"dims":[2]', '"dims":2'),
      replaced('"dims":[2]', '"dims":[3]'),
      replaced('"kats":[]', '"kats":{}'),
      replaced('"share":1,', ""),
      replaced('"share":1,', '"share":2,'),
      replaced('"n_layers":"3"', '"n_layers":"4"'),
      replaced('"n_layers":"3"', '"n_layers":"03"'),
      replaced('"file":"slot-2.gguf"', '"file":"slot-0.gguf"'),
      replaced('"file":"slot-2.gguf"', '"file":"../x"'),
      replaced('"tensors":["blk.0.w","blk.1.w",', '"tensors":["blk.1.w","blk.0.w",'),
      replaced('"tensors_root":"3be2', '"tensors_root":"3BE2'),
      replaced('"tensors_root":"3be2', '"tensors_root":"4be2'),
      replaced(/"weights_root":"1/, '"weights_root":"2'),
      "{}",
      "[]",
      "",
    ];
    for (const other of others) expect(() => parse(other), other.slice(0, 120)).toThrow(Malformed);
  });

  test("gives refusals only, whatever the bytes", () => {
    expectOnlyRefusals(parseManifest, [utf8(text)], 800);
  });
});
