import { expect, test } from "vitest";
// @ts-expect-error plain JavaScript, run by node as it is
import { importsOf, offence } from "./check-imports.mjs";

test("refuses an import that goes up", () => {
  expect(offence("shared/ui/button.tsx", "features/chat/page.tsx")).toMatch(/app -> features -> shared/);
  expect(offence("features/chat/page.tsx", "app/shell.tsx")).toMatch(/app -> features -> shared/);
});

test("refuses one feature in another", () => {
  expect(offence("features/chat/page.tsx", "features/pool/card.tsx")).toMatch(/no other feature/);
});

test("allows imports that go down or stay", () => {
  expect(offence("app/main.tsx", "features/chat/page.tsx")).toBeNull();
  expect(offence("features/chat/page.tsx", "shared/ui/button.tsx")).toBeNull();
  expect(offence("features/chat/page.tsx", "features/chat/list.tsx")).toBeNull();
});

test("finds every form of import", () => {
  const text = `import a from "./a";\nimport "./b.css";\nexport { c } from "@/c";\nconst d = () => import("./d");\nimport {\n  e,\n} from "./e";`;
  expect(importsOf(text)).toEqual(["./a", "./b.css", "@/c", "./d", "./e"]);
});
