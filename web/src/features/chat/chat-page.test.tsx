import { screen } from "@testing-library/react";
import { expect, test } from "vitest";
import { renderPage, testConfig } from "@/shared/testing/render-page.tsx";
import { ChatPage } from "./chat-page.tsx";
import { whyBlocked } from "./chat-room.tsx";
import { walletStep } from "./use-engine.ts";
import { unsettled } from "./use-settlement.ts";
import { DEFAULT_PARAMETERS, newConversation, newReply, type Proof, withQuestion } from "./model/conversation.ts";

test("without a trust file nothing is sent, and the page says where to get one", () => {
  renderPage(<ChatPage />, { config: testConfig({ served_by: "gateway" }) });
  expect(screen.getByText("Nothing is sent without a trust file")).toBeTruthy();
  expect(screen.getByRole("link", { name: "Import a trust file" }).getAttribute("href")).toBe("/settings");
});

test("without a wallet the page asks for one", () => {
  renderPage(<ChatPage />);
  expect(screen.getByRole("button", { name: "Connect wallet" })).toBeTruthy();
});

test("nothing is sent before the route is verified", () => {
  expect(whyBlocked(undefined, true)).toMatch(/being verified/);
  expect(whyBlocked({ ok: false } as never, true)).toMatch(/nothing is sent/);
  expect(whyBlocked({ ok: true } as never, false)).toMatch(/wallet/);
  expect(whyBlocked({ ok: true } as never, true)).toBeNull();
});

test("the steps of a wallet are told, its failures are the error's own", () => {
  expect(walletStep({ step: "asking", does: "Buy credits" })).toBe("Buy credits: your wallet asks you. Look there.");
  expect(walletStep({ step: "idle" })).toBeNull();
});

test("only receipts that are not on chain yet are looked for", () => {
  const proof = { settled: null, receipt: "0x1" } as unknown as Proof;
  const at = (change: object) =>
    withQuestion(newConversation("c", "tiny", DEFAULT_PARAMETERS, 0), { id: "q", role: "user", text: "x", at: 0 }, { ...newReply("r", "tiny", "tab", 0), ...change });
  expect(unsettled(undefined)).toEqual([]);
  expect(unsettled(at({ proof }))).toHaveLength(1);
  expect(unsettled(at({ proof: { ...proof, settled: { tx: "", seq: "" } } }))).toEqual([]);
});
