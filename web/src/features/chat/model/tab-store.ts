// Session keys and counts of tabs, in the vault. One change at a time, also between windows of this browser.
import type { LineState, TabStore } from "@/shared/client/tabs.ts";
import type { Vault } from "@/shared/vault/vault.ts";
import type { Address, Hash, Wei } from "@/shared/verify/bytes.ts";

// bigint is no JSON: wei as decimal strings.
export function lineText(state: LineState): string {
  const inFlight = state.inFlight.map((one) => ({ ...one, amount: one.amount.toString() }));
  return JSON.stringify({ ...state, used: state.used.toString(), inFlight });
}

export function lineFromText(text: string): LineState {
  const json = JSON.parse(text);
  const inFlight = json.inFlight.map((one: { amount: string }) => ({ ...one, amount: BigInt(one.amount) as Wei }));
  return { ...json, used: BigInt(json.used) as Wei, inFlight };
}

const waiting = new Map<string, Promise<unknown>>();

// The browser's own lock where there is one; else a queue in this window.
async function alone<T>(name: string, work: () => Promise<T>): Promise<T> {
  if (typeof navigator !== "undefined" && navigator.locks) return (await navigator.locks.request(name, work)) as T;
  const turn = (waiting.get(name) ?? Promise.resolve()).then(work, work);
  waiting.set(name, turn);
  return turn;
}

export class VaultTabStore implements TabStore {
  private readonly vault: Vault;

  constructor(vault: Vault) {
    this.vault = vault;
  }

  async load(user: Address, line: Hash): Promise<LineState | undefined> {
    const text = await this.vault.get("line", `${user} ${line}`);
    return text === undefined ? undefined : lineFromText(text);
  }

  update(user: Address, line: Hash, change: (state: LineState | undefined) => LineState): Promise<LineState> {
    return alone(`teetee line ${user} ${line}`, async () => {
      const before = await this.load(user, line);
      const after = change(before);
      if (after !== before) await this.vault.put("line", `${user} ${line}`, lineText(after));
      return after;
    });
  }

  async lines(user: Address): Promise<readonly LineState[]> {
    return (await this.vault.all("line")).filter(({ name }) => name.startsWith(`${user} `)).map(({ text }) => lineFromText(text));
  }
}
