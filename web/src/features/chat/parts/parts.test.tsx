import { render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test, vi } from "vitest";
import type { CheckResult } from "@/shared/client/check-list.ts";
import { DEFAULT_PARAMETERS, newConversation, newReply, withQuestion } from "../model/conversation.ts";
import { Composer } from "./composer.tsx";
import { ReplyView } from "./message.tsx";
import { ParametersDialog } from "./parameters-dialog.tsx";
import { refundState } from "./refund.tsx";
import { routeChecks } from "./route-lock.tsx";
import { tabPhase } from "./tab-panel.tsx";
import { spoken } from "./thread.tsx";

const noop = () => undefined;

test("Enter sends, Shift+Enter breaks the line, nothing is sent while blocked", async () => {
  const send = vi.fn();
  const { rerender } = render(<Composer blocked={null} running={false} onSend={send} onStop={noop} />);
  const box = screen.getByLabelText("Your question");
  await userEvent.type(box, "one{Shift>}{Enter}{/Shift}two{Enter}");
  expect(send).toHaveBeenCalledWith("one\ntwo");
  rerender(<Composer blocked="The route is not verified, so nothing is sent." running={false} onSend={send} onStop={noop} />);
  await userEvent.type(box, "three{Enter}");
  expect(send).toHaveBeenCalledTimes(1);
  expect(screen.getByRole("status").textContent).toMatch(/nothing is sent/);
});

test("while an answer comes there is a button to stop it", async () => {
  const stop = vi.fn();
  render(<Composer blocked={null} running onSend={noop} onStop={stop} />);
  await userEvent.click(screen.getByRole("button", { name: "Stop" }));
  expect(stop).toHaveBeenCalled();
});

test("an interrupted answer can be fetched, and says that it costs nothing more", async () => {
  const resume = vi.fn();
  render(<ReplyView reply={{ ...newReply("r", "tiny", "tab", 0), state: "interrupted" }} busy={false} onRegenerate={noop} onResume={resume} />);
  expect(screen.getByText(/costs nothing more/)).toBeTruthy();
  await userEvent.click(screen.getByRole("button", { name: "Fetch the answer" }));
  expect(resume).toHaveBeenCalled();
});

test("screen readers hear the whole answer once, not its pieces", () => {
  const empty = newConversation("c", "tiny", DEFAULT_PARAMETERS, 0);
  const question = { id: "q", role: "user", text: "x", at: 0 } as const;
  const at = (change: object) => withQuestion(empty, question, { ...newReply("r", "tiny", "tab", 0), ...change });
  expect(spoken(at({ state: "streaming", text: "Par" }))).toBe("The answer is coming.");
  expect(spoken(at({ state: "done", text: "Paris" }))).toBe("Answer: Paris");
  expect(spoken(empty)).toBe("");
});

test("a seed that is no number is not taken", async () => {
  const change = vi.fn();
  render(<ParametersDialog parameters={DEFAULT_PARAMETERS} onClose={noop} onChange={change} />);
  await userEvent.type(screen.getByLabelText("Seed"), "abc");
  expect((screen.getByRole("button", { name: "Use these" }) as HTMLButtonElement).disabled).toBe(true);
  await userEvent.clear(screen.getByLabelText("Seed"));
  await userEvent.type(screen.getByLabelText("Seed"), "7");
  await userEvent.click(screen.getByRole("button", { name: "Use these" }));
  expect(change).toHaveBeenCalledWith({ ...DEFAULT_PARAMETERS, seed: "7" });
});

test("a refund is offered after the deadline of an open query and never else", () => {
  expect(refundState(undefined, 10n, 20n)).toBe("unknown");
  expect(refundState(0n, 10n, 20n)).toBe("unknown");
  expect(refundState(1n, 10n, 10n)).toBe("waiting");
  expect(refundState(1n, 10n, 11n)).toBe("ready");
  expect(refundState(2n, 10n, 11n)).toBe("refunded");
  expect(refundState(2n ** 255n, 10n, 11n)).toBe("settled");
});

test("checks of a route stand under the model or their slot", () => {
  const checks: CheckResult[] = [
    { id: "model.id", passed: true, text: "the parameters hash to the id" },
    { id: "node.key", passed: false, text: "slot 1: the evidence names the plan's key", slot: 1 },
  ];
  expect(routeChecks(checks)).toMatchObject([
    { group: "Model", status: "passed", title: "The parameters hash to the id" },
    { group: "Slot 1", status: "failed", title: "The evidence names the plan's key" },
  ]);
});

test("a tab is open, closing for a day, then over", () => {
  const at = (signer: string | undefined, closeAt: bigint) => ({ tab: { signer, closeAt } }) as never;
  expect(tabPhase(null, 0)).toBe("none");
  expect(tabPhase(at(undefined, 0n), 0)).toBe("none");
  expect(tabPhase(at("0x1", 0n), 5)).toBe("open");
  expect(tabPhase(at("0x1", 10n), 9)).toBe("closing");
  expect(tabPhase(at("0x1", 10n), 10)).toBe("over");
});
