import { screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, expect, test } from "vitest";
import { renderPage, testConfig, TRUST } from "@/shared/testing/render-page.tsx";
import { SettingsPage } from "./settings-page.tsx";

beforeEach(() => localStorage.clear());

async function importText(text: string): Promise<void> {
  await userEvent.click(screen.getByText("Import a trust file"));
  await userEvent.click(screen.getByLabelText("Or paste its text"));
  await userEvent.paste(text);
  const [check] = screen.getAllByRole("button", { name: "Check and use" });
  if (check) await userEvent.click(check);
}

test("a page of a gateway has no trust file until one is imported, and says what that means", async () => {
  renderPage(<SettingsPage />, { config: testConfig({ served_by: "gateway", trust: TRUST, rpc: null }) });
  expect(screen.getByText("No trust file")).toBeTruthy();
  expect(screen.getByText(/This page came from a gateway/)).toBeTruthy();
  await importText(JSON.stringify(TRUST));
  expect(await screen.findByText("tiny-model")).toBeTruthy();
  expect(screen.getByText("imported here")).toBeTruthy();
});

test("a trust file that is not in order is refused with the reason, and nothing is kept", async () => {
  renderPage(<SettingsPage />, { config: testConfig({ served_by: "gateway" }) });
  await importText(JSON.stringify({ ...TRUST, chain_id: 1 }));
  expect(await screen.findByText(/development chain 31337 only/)).toBeTruthy();
  expect(localStorage.getItem("teetee.trust")).toBeNull();
});

test("the server's own trust file is shown with its class", () => {
  renderPage(<SettingsPage />);
  expect(screen.getByText("simulated: protects nothing")).toBeTruthy();
  expect(screen.getByText("the server on this machine")).toBeTruthy();
});
