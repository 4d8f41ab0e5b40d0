import { expect, it } from "vitest";
import { urlProblem } from "./node-url.ts";

it.each([
  "",
  "  ",
  "node",
  "ftp://n:1",
  "http://u:p@n:1",
  "http://n:1/v1",
  "http://n:1/?a=b",
  "http://n:1/#x",
  "javascript:alert(1)",
])("refuses %j", (text) => {
  expect(urlProblem(text)).toMatch(/\S/);
});
it.each(["http://127.0.0.1:9100", "https://node.example.org", " https://node.example.org:9100/ "])(
  "takes %j",
  (text) => {
    expect(urlProblem(text)).toBeNull();
  },
);
