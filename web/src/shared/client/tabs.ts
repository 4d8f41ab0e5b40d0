// Tabs: prepaid credit on a line (model, head), spent by vouchers that a session key signs. Vouchers never cover more than
// was used plus what is in flight. The same rules as src/client/wallet.cc.
import type { TabPayment } from "../seal/payment";
import { type Address, fromHexFixed, type Hash, toHex, type Wei } from "../verify/bytes";

import { addressOf, generatePrivateKey, type PrivateKey, privateKey, signTyped } from "../verify/secp256k1";
import type { TrustFile } from "../verify/trust-file";
import { ledgerDomain, lineOf } from "../verify/typed-data";
import { type ChainWriter, type Contracts, send, type Tab } from "./chain";
import { ClientError } from "./client-error";
import { ethText } from "./receipt-check";
import { unixNow } from "./route";

/** A request that may still be charged for. */
export interface Reservation {
  readonly request: string;
  readonly amount: Wei;
  /** Unix seconds: after it nobody can be charged for it any more */
  readonly until: number;
}

/** What is kept of one line. Holds the session key: the store encrypts it. */
export interface LineState {
  readonly model: Hash;
  readonly head: Address;
  /** hex */
  readonly session: string;
  readonly epoch: number;
  readonly used: Wei;
  readonly inFlight: readonly Reservation[];
}

/** Where lines are kept. `update` is atomic, also between windows of the same browser. */
export interface TabStore {
  load(user: Address, line: Hash): Promise<LineState | undefined>;
  update(user: Address, line: Hash, change: (state: LineState | undefined) => LineState): Promise<LineState>;
  lines(user: Address): Promise<readonly LineState[]>;
}

/** For tests, and for a session that keeps nothing. */
export class MemoryTabStore implements TabStore {
  private readonly states = new Map<string, LineState>();

  async load(user: Address, line: Hash): Promise<LineState | undefined> {
    return this.states.get(`${user} ${line}`);
  }
  async update(
    user: Address,
    line: Hash,
    change: (state: LineState | undefined) => LineState,
  ): Promise<LineState> {
    const state = change(this.states.get(`${user} ${line}`));
    this.states.set(`${user} ${line}`, state);
    return state;
  }
  async lines(user: Address): Promise<readonly LineState[]> {
    return [...this.states].filter(([key]) => key.startsWith(`${user} `)).map(([, state]) => state);
  }
}

export interface TabVoucher {
  readonly payment: TabPayment;
  readonly line: Hash;
  readonly reservation: Reservation;
}

/** What a tab still needs before it covers a request. */
export interface Funding {
  /** moved from credits into the tab */
  readonly amount: Wei;
  /** bought first, since there are too few credits; 0 if there are enough */
  readonly buy: Wei;
}

export interface TabStatus {
  readonly line: Hash;
  readonly tab: Tab;
  readonly used: Wei;
  readonly inFlight: Wei;
}

/** 0.002 ETH: put into a tab at a time, unless more is needed. */
export const defaultTopUp = 2_000_000_000_000_000n as Wei;
const graceSeconds = 180; // a head keeps an answer for 120 s after the request's expiry

function sum(reservations: readonly Reservation[]): bigint {
  return reservations.reduce((total, item) => total + item.amount, 0n);
}

function current(state: LineState, now: number): readonly Reservation[] {
  return state.inFlight.filter((item) => item.until > now);
}

export interface TabsOptions {
  readonly trust: TrustFile;
  readonly contracts: Contracts;
  readonly user: Address;
  readonly store: TabStore;
  /** The session key of a line that the store does not know; a random one unless told. */
  readonly sessionKey?: (line: Hash) => Promise<PrivateKey>;
  readonly topUp?: Wei;
  readonly now?: () => number;
}

export class Tabs {
  readonly user: Address;
  private readonly options: TabsOptions;
  private readonly now: () => number;

  constructor(options: TabsOptions) {
    this.options = options;
    this.user = options.user;
    this.now = options.now ?? unixNow;
  }

  private update(line: Hash, change: (state: LineState) => LineState): Promise<LineState> {
    return this.options.store.update(this.user, line, (state) => {
      if (state === undefined) throw new ClientError("invalid", "no such line");
      return change(state);
    });
  }

  private async open(model: Hash, head: Address): Promise<LineState> {
    const { store, sessionKey = async () => generatePrivateKey() } = this.options;
    const line = lineOf(model, head);
    const known = await store.load(this.user, line);
    if (known !== undefined) return known;
    const session = toHex(await sessionKey(line));
    return store.update(this.user, line, (state) => state ?? { model, head, session, epoch: 0, used: 0n as Wei, inFlight: [] });
  }

  // What is counted here, brought up to what the chain says.
  private async synchronise(model: Hash, head: Address): Promise<{ state: LineState; tab: Tab; line: Hash }> {
    const line = lineOf(model, head);
    const known = await this.open(model, head);
    const tab = await this.options.contracts.tab(this.user, line);
    if (tab.signer !== undefined && tab.signer !== addressOf(keyOf(known))) {
      throw new ClientError("money", "the tab on this line is signed for by another session key", {
        next: "Close that tab, wait until it has ended, then open a new one; or use the browser that opened it.",
      });
    }
    const state = await this.update(line, (before) => {
      const used = tab.epoch === before.epoch ? before.used : 0n; // a new epoch starts from nothing
      return {
        ...before,
        epoch: tab.epoch,
        used: (tab.spent > used ? tab.spent : used) as Wei,
        inFlight: current(before, this.now()),
      };
    });
    return { state, tab, line };
  }

  /** What must be put into the tab before it covers `most` more; undefined: it does. */
  async needs(model: Hash, head: Address, most: Wei): Promise<Funding | undefined> {
    const { state, tab } = await this.synchronise(model, head);
    const wanted = state.used + sum(state.inFlight) + most;
    if (tab.signer !== undefined && tab.funded >= wanted && tab.closeAt === 0n) return undefined;
    const missing = wanted > tab.funded ? wanted - tab.funded : 1n;
    const topUp = this.options.topUp ?? defaultTopUp;
    const amount = missing > topUp ? missing : topUp;
    const credits = await this.options.contracts.credits(this.user);
    return { amount: amount as Wei, buy: (credits >= amount ? 0n : amount - credits) as Wei };
  }

  /** Buys what is missing and moves it into the tab: one or two transactions of the user's wallet. */
  async fund(model: Hash, head: Address, funding: Funding, writer: ChainWriter): Promise<void> {
    const { contracts } = this.options;
    if (funding.buy > 0n) {
      const ether = await contracts.reader.getBalance({ address: this.user });
      if (ether <= funding.buy) {
        const has = `account ${this.user} has ${ethText(ether as Wei)}`;
        throw new ClientError(
          "money",
          `${has}, and needs ${ethText(funding.buy)} more for credits (and some for gas)`,
          {
            next: "Send ether to this account, or choose a cheaper request.",
          },
        );
      }
      await send(writer, { ...contracts.ledgerCall("buy", [this.user]), value: funding.buy }, "buy credits");
    }
    const state = await this.open(model, head);
    const signer = addressOf(keyOf(state));
    await send(writer, contracts.ledgerCall("fund", [model, head, funding.amount, signer]), "fund the tab");
    await this.synchronise(model, head);
  }

  /** Signs for one request. `until`: its expiry. Throws ClientError when the tab does not hold enough. */
  async cover(model: Hash, head: Address, most: Wei, request: string, until: number): Promise<TabVoucher> {
    if ((await this.needs(model, head, most)) !== undefined) {
      throw new ClientError("money", `the tab does not hold ${ethText(most)} more`, {
        next: "Top up the tab, then try again.",
      });
    }
    const line = lineOf(model, head);
    const reservation = { request, amount: most, until: until + graceSeconds };
    const state = await this.update(line, (before) => ({
      ...before,
      inFlight: [...before.inFlight, reservation],
    }));
    const total = (state.used + sum(current(state, this.now()))) as Wei;
    return { payment: this.sign(state, line, total), line, reservation };
  }

  private sign(state: LineState, line: Hash, total: Wei): TabPayment {
    const { trust } = this.options;
    const voucher = { user: this.user, line, epoch: state.epoch, total };
    const signature = signTyped(
      ledgerDomain(trust.chainId, trust.ledger),
      "Voucher",
      voucher,
      keyOf(state),
    );
    return { kind: "tab", user: this.user, epoch: state.epoch, total, signature };
  }

  /**
   * The request is over: `cost` counts as used (0 when it failed). Throws when the cost is above what was reserved.
   * Once for each request: a second call changes nothing.
   */
  async settle(line: Hash, request: string, epoch: number, cost: Wei): Promise<void> {
    let above = false;
    await this.update(line, (state) => {
      const reservation = state.inFlight.find((item) => item.request === request);
      if (reservation === undefined) return state;
      const inFlight = state.inFlight.filter((item) => item !== reservation);
      above = cost > reservation.amount;
      if (epoch !== state.epoch || above) return { ...state, inFlight };
      return { ...state, inFlight, used: (state.used + cost) as Wei };
    });
    if (above) {
      const check = "receipt.cost";
      throw new ClientError("refused", `check ${check}: above what the voucher allowed`, { check });
    }
  }

  /** A voucher for what is used: names the tab in a request to release it. */
  async name(model: Hash, head: Address): Promise<TabPayment> {
    const { state, tab, line } = await this.synchronise(model, head);
    if (tab.signer === undefined) throw new ClientError("invalid", "there is no open tab on this line");
    return this.sign(state, line, state.used);
  }

  async status(model: Hash, head: Address): Promise<TabStatus> {
    const line = lineOf(model, head);
    const [tab, state] = await Promise.all([
      this.options.contracts.tab(this.user, line),
      this.options.store.load(this.user, line),
    ]);
    const inFlight = state === undefined ? 0n : sum(current(state, this.now()));
    return { line, tab, used: state?.used ?? (0n as Wei), inFlight: inFlight as Wei };
  }

  /** The lines on which this user has, or had, a tab. */
  lines(): Promise<readonly LineState[]> {
    return this.options.store.lines(this.user);
  }
}

function keyOf(state: LineState): PrivateKey {
  return privateKey(fromHexFixed(state.session, 32));
}
