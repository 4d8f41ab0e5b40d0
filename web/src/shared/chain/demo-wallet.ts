// A wallet for development: the accounts of `./dev up` as an EIP-6963 provider. Its keys come from the loopback server of the same machine
// and are worth nothing; it works on chain 31337 only, and it asks before it signs, like any wallet.
import * as v from "valibot";
import { type Address, type Hex, hexToString, isHex, numberToHex } from "viem";
import { privateKeyToAccount } from "viem/accounts";
import { DEMO_WALLET_ID } from "./demo-wallet-id.ts";

const CHAIN = numberToHex(31337);
const KEPT = "teetee.demo-account";

const schema = v.object({
  accounts: v.array(
    v.object({
      name: v.picklist(["visitor", "user", "host1", "host2"]),
      address: v.pipe(v.string(), v.regex(/^0x[0-9a-fA-F]{40}$/)),
      private_key: v.pipe(v.string(), v.regex(/^0x[0-9a-f]{64}$/)),
    }),
  ),
});

export interface DemoAccount {
  readonly name: string;
  readonly address: Address;
  readonly key: Hex;
}

export function readDemoWallet(json: unknown): DemoAccount[] {
  return v.parse(schema, json).accounts.map(({ name, private_key }) => {
    const key = private_key as Hex;
    return { name, key, address: privateKeyToAccount(key).address };
  });
}

// What the wallet asks its owner. `choose` is answered with an account's address, the others with true or false.
export type DemoQuestion =
  | { readonly kind: "choose"; readonly accounts: readonly DemoAccount[]; readonly answer: (address: Address | null) => void }
  | { readonly kind: "sign"; readonly title: string; readonly facts: readonly (readonly [string, string])[]; readonly answer: (yes: boolean) => void };

type Ask = (question: DemoQuestion) => void;
type Listener = (...args: never[]) => void;

class ProviderError extends Error {
  readonly code: number;
  constructor(code: number, message: string) {
    super(message);
    this.code = code;
  }
}

const refused = () => new ProviderError(4001, "User rejected the request.");

export class DemoProvider {
  private readonly accounts: readonly DemoAccount[];
  private readonly rpc: string;
  private readonly ask: Ask;
  private readonly listeners = new Map<string, Set<Listener>>();
  private current: DemoAccount | null;

  constructor(accounts: readonly DemoAccount[], rpc: string, ask: Ask) {
    this.accounts = accounts;
    this.rpc = rpc;
    this.ask = ask;
    const kept = localStorage.getItem(KEPT);
    this.current = accounts.find((account) => account.address === kept) ?? null;
  }

  on(event: string, listener: Listener): void {
    const set = this.listeners.get(event) ?? new Set();
    this.listeners.set(event, set.add(listener));
  }

  removeListener(event: string, listener: Listener): void {
    this.listeners.get(event)?.delete(listener);
  }

  async request({ method, params }: { method: string; params?: unknown }): Promise<unknown> {
    const list = Array.isArray(params) ? params : [];
    switch (method) {
      case "eth_requestAccounts":
        return [(this.current ?? (await this.choose())).address];
      case "wallet_requestPermissions":
        await this.choose();
        return [{ parentCapability: "eth_accounts" }];
      case "wallet_revokePermissions":
        this.set(null);
        return null;
      case "eth_accounts":
        return this.current ? [this.current.address] : [];
      case "eth_chainId":
        return CHAIN;
      case "wallet_switchEthereumChain":
        if ((list[0] as { chainId?: string } | undefined)?.chainId === CHAIN) return null;
        throw new ProviderError(4902, "The demo wallet is for the development chain only.");
      case "personal_sign":
        return this.signMessage(list[0] as Hex, list[1] as Address);
      case "eth_signTypedData_v4":
        return this.signTypedData(list[0] as Address, list[1] as string);
      case "eth_sendTransaction":
        return this.sendTransaction(list[0] as TransactionFields);
      default:
        return this.forward(method, list);
    }
  }

  private set(account: DemoAccount | null): void {
    this.current = account;
    if (account) localStorage.setItem(KEPT, account.address);
    else localStorage.removeItem(KEPT);
    for (const listener of this.listeners.get("accountsChanged") ?? []) (listener as (accounts: Address[]) => void)(account ? [account.address] : []);
  }

  private async choose(): Promise<DemoAccount> {
    const address = await new Promise<Address | null>((answer) => this.ask({ kind: "choose", accounts: this.accounts, answer }));
    const account = this.accounts.find((one) => one.address === address);
    if (!account) throw refused();
    this.set(account);
    return account;
  }

  private async signer(from: Address, title: string, facts: readonly (readonly [string, string])[]) {
    const account = this.accounts.find((one) => one.address.toLowerCase() === from?.toLowerCase());
    if (!account || account !== this.current) throw new ProviderError(4100, "The demo wallet is not connected with this account.");
    const yes = await new Promise<boolean>((answer) => this.ask({ kind: "sign", title, facts: [["Account", account.name], ...facts], answer }));
    if (!yes) throw refused();
    return privateKeyToAccount(account.key);
  }

  private async signMessage(message: Hex, from: Address): Promise<Hex> {
    const signer = await this.signer(from, "Sign a message", [["Message", isHex(message) ? hexToString(message) : message]]);
    return signer.signMessage({ message: isHex(message) ? { raw: message } : message });
  }

  private async signTypedData(from: Address, text: string): Promise<Hex> {
    const data = JSON.parse(text);
    const facts = Object.entries(data.message ?? {}).map(([name, value]) => [name, String(value)] as const);
    const signer = await this.signer(from, `Sign ${data.primaryType}`, facts);
    return signer.signTypedData(data);
  }

  private async sendTransaction(tx: TransactionFields): Promise<unknown> {
    const value = BigInt(tx.value ?? "0x0");
    const signer = await this.signer(tx.from, "Send a transaction", [
      ["To", tx.to ?? ""],
      ["Sends", `${Number(value) / 1e18} ETH`],
    ]);
    const [nonce, gas, block] = await Promise.all([
      this.forward("eth_getTransactionCount", [tx.from, "pending"]),
      tx.gas ?? this.forward("eth_estimateGas", [{ from: tx.from, to: tx.to, data: tx.data, value: tx.value }]),
      this.forward("eth_getBlockByNumber", ["latest", false]),
    ]);
    const baseFee = BigInt((block as { baseFeePerGas?: string } | null)?.baseFeePerGas ?? "0x0");
    const raw = await signer.signTransaction({
      chainId: 31337,
      to: tx.to,
      data: tx.data,
      value,
      nonce: Number(nonce),
      gas: (BigInt(gas as string) * 12n) / 10n,
      maxPriorityFeePerGas: 1_000_000_000n,
      maxFeePerGas: baseFee * 2n + 1_000_000_000n,
    });
    return this.forward("eth_sendRawTransaction", [raw]);
  }

  private async forward(method: string, params: unknown): Promise<unknown> {
    const response = await fetch(this.rpc, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ jsonrpc: "2.0", id: 1, method, params }),
    });
    const answer = (await response.json()) as { result?: unknown; error?: { code: number; message: string; data?: unknown } };
    if (answer.error) throw Object.assign(new ProviderError(answer.error.code, answer.error.message), { data: answer.error.data });
    return answer.result;
  }
}

interface TransactionFields {
  readonly from: Address;
  readonly to: Address;
  readonly data?: Hex;
  readonly value?: Hex;
  readonly gas?: Hex;
}

const ICON = `data:image/svg+xml,${encodeURIComponent(
  '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="8" fill="#8a5300"/><path d="M13 7h6M14 7v7l-5 9a2 2 0 0 0 2 3h10a2 2 0 0 0 2-3l-5-9V7" fill="none" stroke="#fff" stroke-width="2.2" stroke-linecap="round" stroke-linejoin="round"/></svg>',
)}`;


// Makes the wallet known to every library that asks, now and later; answers how to stop.
export function announceDemoWallet(provider: DemoProvider): () => void {
  const detail = Object.freeze({
    info: { uuid: crypto.randomUUID(), name: "Demo wallet (development chain)", icon: ICON, rdns: DEMO_WALLET_ID },
    provider,
  });
  const announce = () => window.dispatchEvent(new CustomEvent("eip6963:announceProvider", { detail }));
  window.addEventListener("eip6963:requestProvider", announce);
  announce();
  return () => window.removeEventListener("eip6963:requestProvider", announce);
}

export async function loadDemoWallet(rpc: string, ask: Ask): Promise<void> {
  const response = await fetch("/demo-wallet.json", { cache: "no-store", credentials: "omit" });
  if (!response.ok) throw new Error(`demo-wallet.json: the server answered ${response.status}`);
  announceDemoWallet(new DemoProvider(readDemoWallet(await response.json()), rpc, ask));
}
