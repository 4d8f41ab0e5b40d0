import { render, screen } from "@testing-library/react";
import { expect, test } from "vitest";
import { languageOf, Markdown, textOf } from "./markdown.tsx";

test("never makes elements from HTML in the text", () => {
  const { container } = render(<Markdown text={'hi <img src=x onerror="alert(1)"> <script>alert(1)</script><b>x</b>'} />);
  expect(container.querySelector("script, img, b")).toBeNull();
  expect(container.innerHTML).not.toContain("onerror");
});

test("takes no script for a link and fetches no image", () => {
  const { container } = render(<Markdown text={"[a](javascript:alert(1)) ![pic](https://example.org/p.png)"} />);
  expect(container.querySelector('a[href^="javascript"]')).toBeNull();
  expect(container.querySelector("img")).toBeNull();
  expect(screen.getByText("pic").getAttribute("rel")).toContain("noreferrer");
});

test("shows code with its language and a button to copy it", () => {
  render(<Markdown text={"```python\nprint(1)\n```"} />);
  expect(screen.getByText("python")).toBeTruthy();
  expect(screen.getByText("print(1)")).toBeTruthy();
  expect(screen.getByRole("button", { name: "Copy code" })).toBeTruthy();
});

test("shows half of a code block while it streams", () => {
  render(<Markdown text={"text\n\n```js\nlet a = "} />);
  expect(screen.getByText("let a =")).toBeTruthy();
});

test("reads language and text of code", () => {
  expect(languageOf("language-c++")).toBe("c++");
  expect(languageOf(undefined)).toBe("");
  expect(textOf(["a", ["b"]])).toBe("ab");
});
