// @vitest-environment node
import { describe, expect, test } from "vitest";
import { utf8 } from "./bytes";
import { canonicalJson, dumpJson, type Json, parseJson, plainJson } from "./json";
import { Malformed } from "./refusal";
import { expectOnlyRefusals } from "./testing/random";

describe("parseJson", () => {
  test.each([
    "",
    " ",
    "{",
    "[1,]",
    '{"a":1,}',
    "01",
    "1.",
    ".5",
    "+1",
    "-",
    "nul",
    '"\n"',
    '"\\x"',
    '"\\u12"',
    '"\\ud800"',
    "1 2",
    "[1}",
    '{"a":1,"a":2}',
    '{"a":1,"\\u0061":2}',
    "{a:1}",
    "'a'",
    "1e999",
    "\ufeff1",
    "//\n1",
    "NaN",
    '"',
  ])("refuses %j", (text) => {
    expect(() => parseJson(text)).toThrow(Malformed);
  });

  test("refuses what is not UTF-8, too deep or too long", () => {
    expect(() => parseJson(Uint8Array.of(0x22, 0xff, 0x22))).toThrow(Malformed);
    expect(() => parseJson("[".repeat(40) + "]".repeat(40))).toThrow(Malformed);
    expect(() => parseJson("[]  ", { maxBytes: 3 })).toThrow(Malformed);
    expect(parseJson("[[1]]", { maxDepth: 2 })).toEqual([[1n]]);
    expect(() => parseJson("[[1]]", { maxDepth: 1 })).toThrow(Malformed);
  });

  test("keeps all digits of integers and tells them from other numbers", () => {
    expect(parseJson("[9007199254740993,-1,4.0,1e2,0]")).toEqual([9007199254740993n, -1n, 4, 100, 0n]);
    expect(dumpJson(parseJson("18446744073709551615"))).toBe("18446744073709551615");
  });

  test("has no prototype to run into", () => {
    const value = parseJson('{"__proto__":1,"constructor":{"x":2}}');
    expect(dumpJson(value)).toBe('{"__proto__":1,"constructor":{"x":2}}');
    expect(plainJson(parseJson('[{"a":[1,"x",null,true]}]'))).toEqual([{ a: [1, "x", null, true] }]);
  });

  test("agrees with JSON.parse on what both accept", () => {
    const text = '{"a":[1,2.5,"\\u00e9\\ud83d\\ude00\\n",true,null,{}],"b":-0.001}';
    expect(plainJson(parseJson(text))).toEqual(JSON.parse(text));
  });

  test("gives refusals only, whatever the bytes", () => {
    expectOnlyRefusals(
      (bytes) => parseJson(bytes),
      [utf8('{"a":[1,2.5,"\\u00e9",true,null,{}],"b":-0.001}')],
    );
  });
});

test("canonicalJson sorts by UTF-16 code units and writes numbers as ECMAScript does", () => {
  const value: Json = parseJson(
    '{"\u20ac":1,"\\r":2,"1":3,"\ud83d\ude00":4,"\ufb33":5,"a":[0.000001,1e21,1e-7]}',
  );
  expect(canonicalJson(value)).toBe(
    '{"\\r":2,"1":3,"a":[0.000001,1e+21,1e-7],"\u20ac":1,"\ud83d\ude00":4,"\ufb33":5}',
  );
});
