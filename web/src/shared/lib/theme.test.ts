// @vitest-environment jsdom
import { expect, test } from "vitest";
import { applyTheme, readTheme } from "./theme.ts";

test("keeps a chosen theme and forgets it for the system's", () => {
  applyTheme("dark");
  expect(readTheme()).toBe("dark");
  expect(document.documentElement.dataset["theme"]).toBe("dark");
  applyTheme("system");
  expect(readTheme()).toBe("system");
  expect(document.documentElement.dataset["theme"]).toBeUndefined();
});

test("takes what is not a theme for the system's", () => {
  localStorage.setItem("teetee.theme", "<b>");
  expect(readTheme()).toBe("system");
});
