import { expect, test } from "vitest";
// @ts-expect-error plain JavaScript, run by node as it is
import { firstLoad, fontsOf, inlineParts } from "./check-budget.mjs";

test("counts what the entry imports at once and not what it loads later", () => {
  const manifest = {
    "index.html": { file: "a.js", isEntry: true, imports: ["_b"], dynamicImports: ["late"], css: ["a.css"] },
    _b: { file: "b.js", imports: ["index.html"] },
    late: { file: "late.js", isDynamicEntry: true },
  };
  expect(firstLoad(manifest).sort()).toEqual(["a.css", "a.js", "b.js"]);
});

test("finds inline scripts, styles and handlers", () => {
  expect(inlineParts(`<script>x()</script>`)).toHaveLength(1);
  expect(inlineParts(`<p style="color:red">`)).toHaveLength(1);
  expect(inlineParts(`<b onclick="x()">`)).toHaveLength(1);
  expect(inlineParts(`<script type="module" src="/a.js"></script><link rel="stylesheet" href="/a.css">`)).toEqual([]);
});

test("counts the Latin font", () => {
  expect(fontsOf("src:url(/assets/inter-latin-wght-normal-x.woff2)format(y),url(/assets/inter-greek-wght-normal-x.woff2)")).toEqual([
    "assets/inter-latin-wght-normal-x.woff2",
  ]);
});
