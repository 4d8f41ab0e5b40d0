import { screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { generatePrivateKey, privateKeyToAddress } from "viem/accounts";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { announceDemoWallet, DemoProvider, readDemoWallet } from "../chain/demo-wallet.ts";
import { renderPage } from "../testing/render-page.tsx";
import { askDemoWallet } from "./demo-questions.ts";
import { DemoWalletDialog } from "./demo-wallet-dialog.tsx";
import { WalletButton } from "./wallet-button.tsx";
import { useWalletDialogs } from "./wallet-context.tsx";

const key = generatePrivateKey();
const address = privateKeyToAddress(key);
const accounts = readDemoWallet({ accounts: [{ name: "visitor", address, private_key: key }] });

// A chain whose Ledger knows 2 ETH of credits and whose accounts hold 10.
const chain: typeof fetch = async (_input, init) => {
  const { id, method } = JSON.parse(String(init?.body)) as { id: number; method: string };
  const answers: Record<string, unknown> = {
    eth_chainId: "0x7a69",
    eth_blockNumber: "0x1",
    eth_getBalance: "0x8ac7230489e80000",
    eth_call: `0x${(2n * 10n ** 18n).toString(16).padStart(64, "0")}`,
  };
  return new Response(JSON.stringify({ jsonrpc: "2.0", id, result: answers[method] ?? null }));
};

beforeEach(() => {
  localStorage.clear();
  vi.stubGlobal("fetch", chain);
});
let stopAnnouncing: () => void = () => undefined;

afterEach(() => {
  stopAnnouncing();
  vi.unstubAllGlobals();
});

function Buyer() {
  const dialogs = useWalletDialogs();
  return (
    <button type="button" onClick={dialogs.buy}>
      open buy
    </button>
  );
}

function start() {
  stopAnnouncing = announceDemoWallet(new DemoProvider(accounts, "http://127.0.0.1:1", askDemoWallet));
  renderPage(
    <>
      <WalletButton />
      <Buyer />
      <DemoWalletDialog />
    </>,
  );
}

async function connect(): Promise<void> {
  await userEvent.click(screen.getByRole("button", { name: /Connect/ }));
  await userEvent.click(await screen.findByRole("button", { name: /Demo wallet/ }));
  await userEvent.click(await screen.findByRole("button", { name: /New user/ }));
  await screen.findByText("2");
}

test("a wallet that announced itself is offered, marked as demo money, and connects", async () => {
  start();
  await userEvent.click(screen.getByRole("button", { name: /Connect/ }));
  expect(await screen.findByText("demo money")).toBeTruthy();
  await userEvent.click(screen.getByRole("button", { name: /Demo wallet/ }));
  expect(await screen.findByText("development chain, demo money")).toBeTruthy();
  await userEvent.click(screen.getByRole("button", { name: /New user/ }));
  await waitFor(() => expect(screen.getByTestId("balance").textContent).toContain("2"));
});

test("a sum that is no sum, or more than there is, cannot be bought", async () => {
  start();
  await connect();
  await userEvent.click(screen.getByRole("button", { name: "open buy" }));
  const sum = await screen.findByLabelText("Sum");
  const button = screen.getByRole("button", { name: "Buy credits" }) as HTMLButtonElement;
  await userEvent.clear(sum);
  await userEvent.type(sum, "abc");
  expect(screen.getByText("Write a sum in ETH, such as 0.05.")).toBeTruthy();
  expect(button.disabled).toBe(true);
  await userEvent.clear(sum);
  await userEvent.type(sum, "11");
  expect(await screen.findByText("This is more than the wallet holds.")).toBeTruthy();
  await userEvent.clear(sum);
  await userEvent.type(sum, "1.5");
  expect(button.disabled).toBe(false);
});

test("without a wallet nothing can be bought", async () => {
  start();
  await userEvent.click(screen.getByRole("button", { name: "open buy" }));
  expect(await screen.findByText("No wallet is connected")).toBeTruthy();
});
