// @vitest-environment jsdom
import { verifyMessage } from "viem";
import { generatePrivateKey, privateKeyToAddress } from "viem/accounts";
import { beforeEach, expect, test, vi } from "vitest";
import { announceDemoWallet, DemoProvider, type DemoQuestion, readDemoWallet } from "./demo-wallet.ts";

const keys = [generatePrivateKey(), generatePrivateKey()] as const;
const accounts = readDemoWallet({
  accounts: keys.map((private_key, i) => ({ name: i === 0 ? "user" : "host1", address: privateKeyToAddress(private_key), private_key })),
});
const user = privateKeyToAddress(keys[0]);

beforeEach(() => localStorage.clear());

const provider = (answer: (question: DemoQuestion) => void) => new DemoProvider(accounts, "http://127.0.0.1:1", answer);
const yes = (question: DemoQuestion) => (question.kind === "choose" ? question.answer(user) : question.answer(true));

test("refuses a file of another form", () => {
  expect(() => readDemoWallet({ accounts: [{ name: "user", address: "0x1", private_key: "0x2" }] })).toThrow();
});

test("gives no account before its owner chose one", async () => {
  const wallet = provider((question) => question.kind === "choose" && question.answer(null));
  expect(await wallet.request({ method: "eth_accounts" })).toEqual([]);
  await expect(wallet.request({ method: "eth_requestAccounts" })).rejects.toMatchObject({ code: 4001 });
});

test("keeps the chosen account until it is revoked", async () => {
  expect(await provider(yes).request({ method: "eth_requestAccounts" })).toEqual([user]);
  const again = provider(() => undefined);
  expect(await again.request({ method: "eth_accounts" })).toEqual([user]);
  await again.request({ method: "wallet_revokePermissions" });
  expect(await provider(yes).request({ method: "eth_accounts" })).toEqual([]);
});

test("signs after a yes, shows what it signs, and refuses after a no", async () => {
  const asked: DemoQuestion[] = [];
  const wallet = provider((question) => {
    asked.push(question);
    yes(question);
  });
  await wallet.request({ method: "eth_requestAccounts" });
  const signature = await wallet.request({ method: "personal_sign", params: ["0x68656c6c6f", user] });
  expect(await verifyMessage({ address: user, message: "hello", signature: signature as `0x${string}` })).toBe(true);
  expect(asked[1]).toMatchObject({ kind: "sign", facts: [["Account", "user"], ["Message", "hello"]] });
  const stubborn = provider((question) => question.kind === "sign" && question.answer(false));
  await expect(stubborn.request({ method: "personal_sign", params: ["0x68656c6c6f", user] })).rejects.toMatchObject({ code: 4001 });
});

test("signs for no account but the connected one", async () => {
  const wallet = provider(yes);
  await wallet.request({ method: "eth_requestAccounts" });
  await expect(wallet.request({ method: "personal_sign", params: ["0x00", privateKeyToAddress(keys[1])] })).rejects.toMatchObject({ code: 4100 });
});

test("is for the development chain only", async () => {
  const wallet = provider(yes);
  expect(await wallet.request({ method: "eth_chainId" })).toBe("0x7a69");
  await expect(wallet.request({ method: "wallet_switchEthereumChain", params: [{ chainId: "0x1" }] })).rejects.toMatchObject({ code: 4902 });
});

test("announces itself to whoever asks", () => {
  const heard = vi.fn();
  window.addEventListener("eip6963:announceProvider", (event) => heard((event as CustomEvent).detail.info.name));
  announceDemoWallet(provider(yes));
  window.dispatchEvent(new Event("eip6963:requestProvider"));
  expect(heard.mock.calls).toEqual([["Demo wallet (development chain)"], ["Demo wallet (development chain)"]]);
});
