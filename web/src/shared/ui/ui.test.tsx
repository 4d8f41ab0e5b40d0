import { render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { MemoryRouter } from "react-router";
import { expect, test, vi } from "vitest";
import { Amount } from "./amount.tsx";
import { Button } from "./button.tsx";
import { layOut, niceCeiling } from "./chart-layout.ts";
import { type CheckItem, CheckList, progressWords } from "./check-list.tsx";
import { Dialog } from "./dialog.tsx";
import { TextField } from "./field.tsx";
import { Hash } from "./hash.tsx";
import { ErrorState } from "./states.tsx";
import { Segments } from "./tabs.tsx";
import { ToastProvider, useToast } from "./toast.tsx";

const checks: CheckItem[] = [
  { id: "a", title: "The node answers", status: "passed", facts: [{ label: "Address", value: "127.0.0.1" }] },
  {
    id: "b",
    title: "A genuine TEE",
    status: "failed",
    detail: "check tdx.debug: debug is set",
    cure: "Start it without debug.",
  },
  { id: "c", title: "Known answers", status: "skipped" },
];

test("a failed check shows its reason and its cure", () => {
  render(<CheckList label="Checks" checks={checks} />);
  expect(screen.getByText("check tdx.debug: debug is set")).toBeTruthy();
  expect(screen.getByText(/Start it without debug/)).toBeTruthy();
  expect(progressWords(checks)).toBe("3 of 3 checks done; failed: A genuine TEE");
});

test("a pending button takes no clicks", async () => {
  const click = vi.fn();
  render(
    <Button pending onClick={click}>
      Buy
    </Button>,
  );
  await userEvent.click(screen.getByRole("button", { name: "Buy" }));
  expect(click).not.toHaveBeenCalled();
});

test("an amount names its unit and its wei", () => {
  render(<Amount wei={1_500_000_000_000_000_000n} />);
  expect(screen.getByText("ETH").parentElement?.getAttribute("title")).toBe(
    "1\u202f500\u202f000\u202f000\u202f000\u202f000\u202f000 wei",
  );
});

test("a hash is short, whole in its title, and can be copied", async () => {
  const user = userEvent.setup();
  render(
    <MemoryRouter>
      <Hash value="0x1234567890abcdef1234567890abcdef12345678" label="address" />
    </MemoryRouter>,
  );
  expect(screen.getByTitle("0x1234567890abcdef1234567890abcdef12345678").textContent).toBe("0x1234…5678");
  await user.click(screen.getByRole("button", { name: "Copy address" }));
  expect(await navigator.clipboard.readText()).toBe("0x1234567890abcdef1234567890abcdef12345678");
});

test("a dialog closes with Escape", async () => {
  const close = vi.fn();
  render(
    <Dialog open onClose={close} title="Buy credits">
      <p>inside</p>
    </Dialog>,
  );
  expect(screen.getByRole("dialog", { name: "Buy credits" })).toBeTruthy();
  await userEvent.keyboard("{Escape}");
  expect(close).toHaveBeenCalled();
});

test("an input says its error", () => {
  render(<TextField label="Amount" error="not a number" />);
  const input = screen.getByLabelText("Amount");
  expect(input.getAttribute("aria-invalid")).toBe("true");
  expect(document.getElementById(input.getAttribute("aria-describedby") ?? "")?.textContent).toBe(
    "not a number",
  );
});

test("an error says what happened, why, and what to do", () => {
  render(<ErrorState problem={{ message: "No answer", cause: "timeout", next: "Try again" }} />);
  expect(screen.getByRole("alert").textContent).toBe("No answertimeoutTry again");
});

test("a segment is chosen", async () => {
  const choose = vi.fn();
  const options = [
    { id: "hour", title: "Hour" },
    { id: "day", title: "Day" },
  ] as const;
  render(<Segments label="Range" options={options} value="hour" onChange={choose} />);
  await userEvent.click(screen.getByLabelText("Day"));
  expect(choose).toHaveBeenCalledWith("day");
});

test("a chart has round ticks, gaps, and nothing to draw without values", () => {
  expect(niceCeiling(0)).toBe(1);
  expect(niceCeiling(7)).toBe(10);
  expect(niceCeiling(0.012)).toBeCloseTo(0.02);
  expect(layOut([{ x: 0, y: null }], 100, 50)).toBeNull();
  const chart = layOut(
    [
      { x: 0, y: 1 },
      { x: 1, y: null },
      { x: 2, y: 4 },
    ],
    640,
    190,
  );
  expect(chart?.line.match(/M/g)).toHaveLength(2);
  expect(chart?.ticks.map((tick) => tick.value)).toEqual([0, 2.5, 5]);
});

function Teller() {
  const { show } = useToast();
  return <Button onClick={() => show({ title: "Mined", text: "in block 7", tone: "ok" })}>Tell</Button>;
}

test("news appear, are announced, and can be dismissed", async () => {
  render(
    <ToastProvider>
      <Teller />
    </ToastProvider>,
  );
  await userEvent.click(screen.getByRole("button", { name: "Tell" }));
  expect(screen.getByText("Mined").closest("[aria-live]")).toBeTruthy();
  await userEvent.click(screen.getByRole("button", { name: "Dismiss" }));
  expect(screen.queryByText("Mined")).toBeNull();
});
