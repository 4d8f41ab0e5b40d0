// @vitest-environment node
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { allChecks } from "./checks";
import { repositoryFile } from "./testing/shared-folder";

test("the table of checks is that of docs/formats/evidence.md", () => {
  const page = readFileSync(repositoryFile("docs/formats/evidence.md"), "utf8");
  const rows = [...page.matchAll(/^\| `([a-z_.]+)` \| (.*?) \| \w+ \|$/gm)];
  expect(allChecks).toEqual(rows.map(([, id, meaning]) => ({ id, meaning })));
});
