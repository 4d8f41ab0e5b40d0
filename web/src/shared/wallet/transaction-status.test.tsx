import { screen } from "@testing-library/react";
import { expect, test } from "vitest";
import { minedReverted, problemOf, wrongChain } from "../chain/problem.ts";
import { renderPage } from "../testing/render-page.tsx";
import { TransactionStatus } from "./transaction-status.tsx";

const hash = `0x${"77".repeat(32)}` as const;
const does = "Buy credits";

test("each step has its words", () => {
  const { unmount } = renderPage(<TransactionStatus state={{ step: "asking", does }} />);
  expect(screen.getByRole("status").textContent).toContain("Your wallet asks you");
  unmount();
  renderPage(<TransactionStatus state={{ step: "sent", does, hash }} />);
  expect(screen.getByText("0x7777…7777")).toBeTruthy();
});

test("a refusal in the wallet says that no money moved", () => {
  renderPage(<TransactionStatus state={{ step: "failed", does, problem: problemOf({ code: 4001 }) }} />);
  expect(screen.getByRole("alert").textContent).toContain("No money moved.");
});

test("a wrong chain offers to switch", () => {
  renderPage(<TransactionStatus state={{ step: "failed", does, problem: wrongChain() }} />);
  expect(screen.getByRole("button", { name: "Switch the wallet" })).toBeTruthy();
});

test("a transaction that was mined and refused names its hash", () => {
  renderPage(<TransactionStatus state={{ step: "failed", does, hash, problem: minedReverted() }} />);
  expect(screen.getByRole("alert").textContent).toContain("It moved nothing but its fee.");
  expect(screen.getByText("0x7777…7777")).toBeTruthy();
});
