import { expect, test } from "vitest";
import { readConfig } from "./get-config.ts";

const good = {
  v: 1,
  served_by: "web",
  gateway: "http://127.0.0.1:8080/",
  rpc: "http://127.0.0.1:8545",
  chain_id: 31337,
  registry: "0x5FbDB2315678afecb367f032d93F642f64180aa3",
  ledger: "0xe7f1725E7734CE288F8367e1Bb143E90bb3F0512",
  from_block: 0,
  trust: { class: "simulated" },
  demo_wallet: true,
  image: null,
  auditor: true,
};

test("reads what `teetee web` says", () => {
  const config = readConfig(good);
  expect(config.gateway).toBe("http://127.0.0.1:8080");
  expect(config.registry).toBe("0x5fbdb2315678afecb367f032d93f642f64180aa3");
  expect(config.trustText).toBe('{"class":"simulated"}');
  expect(config.demoWallet).toBe(true);
});

test("takes no trust file and no demo wallet from a gateway", () => {
  const config = readConfig({ ...good, served_by: "gateway" });
  expect(config.trustText).toBeNull();
  expect(config.demoWallet).toBe(false);
});

test("has no demo wallet on another chain", () => {
  expect(readConfig({ ...good, chain_id: 1 }).demoWallet).toBe(false);
});

test("refuses another version, a bad address, a script for a URL", () => {
  expect(() => readConfig({ ...good, v: 2 })).toThrow(/\(v\)/);
  expect(() => readConfig({ ...good, ledger: "0x12" })).toThrow(/\(ledger\)/);
  expect(() => readConfig({ ...good, rpc: "javascript:alert(1)" })).toThrow(/\(rpc\)/);
  expect(() => readConfig(null)).toThrow(/another form/);
});
