// One question, from the user's request to a verified receipt: route, payment, sealing, streaming, checking. The steps of
// src/client/asker.cc, as a stream of events for a page.
import { freeRequestDigest, type Payment, paymentJson } from "../seal/payment";
import { planHash, planHead, planJson } from "../seal/plan";
import { type SealedPath, sealRequest } from "../seal/sealed";
import { type Address, fromHex, type Hash, toHex, type Wei } from "../verify/bytes";
import type { Claims } from "../verify/claims";
import { expectObject, getObject, getString, getUint, getWei, optional } from "../verify/fields";
import { isArray, isObject, type Json, plainJson } from "../verify/json";
import { commitInput, newSecret, type ReceiptDocument, receiptDocumentFromJson } from "../verify/receipt";
import { Malformed } from "../verify/refusal";
import { addressOf, type CompactSignature, type PrivateKey, signDigest } from "../verify/secp256k1";
import type { TrustFile } from "../verify/trust-file";
import { ledgerDomain, type Query, typedDigest } from "../verify/typed-data";
import { type Bundle, type BundleBase, bundleText } from "./bundle";
import { type ChainWriter, type Contracts, openCall, send } from "./chain";
import { CheckList } from "./check-list";
import { asClientError, ClientError, foreignText } from "./client-error";
import { estimateCost, readBody } from "./estimate";
import {
  type Charge,
  cancelExchange,
  type Pending,
  parsePending,
  pendingText,
  type ReadOptions,
  resumeExchange,
  sendExchange,
} from "./exchange";
import type { GatewayClient } from "./gateway";
import { checkReceipt } from "./receipt-check";
import { type Route, routeHead, unixNow } from "./route";
import type { RouteCache } from "./route-cache";
import type { Funding, Tabs } from "./tabs";
import { checkEvidence } from "./verify-bundle";

const expirySeconds = 300;
const strictSeconds = 900n; // from opening to the deadline, if the model's timeout is shorter

export type PayWith =
  | {
      readonly kind: "tab";
      readonly tabs: Tabs;
      /** for topping up; without it, or when `confirm` says no, an empty tab is an error */
      readonly writer?: ChainWriter;
      readonly confirm?: (funding: Funding) => Promise<boolean>;
    }
  | { readonly kind: "strict"; readonly contracts: Contracts; readonly writer: ChainWriter }
  | {
      readonly kind: "free";
      readonly host: Address;
      readonly session: PrivateKey;
      /** Unix seconds */
      readonly expires: bigint;
      readonly access: CompactSignature;
    };

export interface AskRequest {
  readonly path: Exclude<SealedPath, "/teetee/release">;
  /** the OpenAI request as its bytes stand; it names the model by the trust file's name or by id */
  readonly body: string;
  readonly pay: PayWith;
}

export interface Answer {
  /** by choice */
  readonly texts: readonly string[];
  readonly cost: Wei;
  readonly tokensIn: number;
  readonly tokensOut: number;
  readonly cancelled: boolean;
  /** the whole answer when it was not streamed */
  readonly body: unknown;
  readonly bundle: Bundle;
  /** the file for `teetee verify` */
  readonly bundleText: string;
}

export type AskEvent =
  | { readonly t: "route"; readonly route: Route }
  | { readonly t: "funding"; readonly funding: Funding }
  /** a strict query stands open on chain: keep it, it can be refunded after its deadline */
  | { readonly t: "query"; readonly query: Query; readonly id: Hash }
  /** keep it until done or error: resumeAsk goes on from it after a reload */
  | { readonly t: "sent"; readonly request: string; readonly pending: string }
  | { readonly t: "chunk"; readonly data: unknown }
  | { readonly t: "text"; readonly choice: number; readonly text: string }
  | { readonly t: "usage"; readonly tokensIn: number; readonly tokensOut: number }
  | { readonly t: "again"; readonly why: string }
  | { readonly t: "receipt"; readonly document: ReceiptDocument; readonly checks: CheckList }
  | { readonly t: "done"; readonly answer: Answer }
  /** `resumable`: resumeAsk may be tried with what was kept */
  | {
      readonly t: "error";
      readonly error: ClientError;
      readonly resumable: boolean;
      readonly checks?: CheckList;
    };

export interface AskHandle {
  readonly events: AsyncGenerator<AskEvent>;
  /** Stops the answer; the events go on to the receipt of what was delivered. Before anything was sent: it is not sent. */
  readonly cancel: () => Promise<void>;
}

export interface AskOptions {
  readonly now?: () => number;
  readonly pauses?: readonly number[];
}

// What one attempt has seen of its answer.
class Progress {
  readonly texts: string[] = [];
  receipt: ReceiptDocument | undefined;
  body: unknown;
  status = 200;
  error: ClientError | undefined;
  need: Wei | undefined;
  streamed = false;
  done = false;
}

class Session {
  readonly abort = new AbortController();
  cancelled = false;
  keys: Pending["keys"] | undefined;
  readonly gateway: GatewayClient;
  readonly options: AskOptions;

  constructor(gateway: GatewayClient, options: AskOptions) {
    this.gateway = gateway;
    this.options = options;
  }

  get now(): number {
    return (this.options.now ?? unixNow)();
  }

  readOptions(keys: Pending["keys"]): ReadOptions {
    const { pauses } = this.options;
    const base = { gateway: this.gateway, keys, signal: this.abort.signal };
    return pauses === undefined ? base : { ...base, pauses };
  }

  async cancel(): Promise<void> {
    if (this.cancelled) return;
    this.cancelled = true;
    if (this.keys === undefined)
      this.abort.abort(new ClientError("invalid", "stopped before anything was sent"));
    else await cancelExchange(this.gateway, this.keys);
  }

  expectWanted(): void {
    if (this.cancelled) throw new ClientError("invalid", "stopped before anything was sent");
  }
}

// ------------------------------------------------------------------ the answer's events

function choiceText(choice: Json): { index: number; text: string } | undefined {
  if (!isObject(choice)) return undefined;
  const index = optional(choice, "index") === undefined ? 0 : getUint(choice, "index", 63);
  const holder = optional(choice, "delta") ?? optional(choice, "message");
  const text =
    holder === undefined
      ? optional(choice, "text")
      : isObject(holder)
        ? optional(holder, "content")
        : undefined;
  return typeof text === "string" ? { index, text } : undefined;
}

function* takeTexts(data: Json, progress: Progress): Generator<AskEvent> {
  const choices = isObject(data) ? optional(data, "choices") : undefined;
  for (const choice of isArray(choices) ? choices : []) {
    const found = choiceText(choice);
    if (found === undefined) continue;
    while (progress.texts.length <= found.index) progress.texts.push("");
    progress.texts[found.index] += found.text;
    if (found.text !== "") yield { t: "text", choice: found.index, text: found.text };
  }
}

function* takeUsage(data: Json): Generator<AskEvent> {
  const usage = isObject(data) ? optional(data, "usage") : undefined;
  if (!isObject(usage)) return;
  yield {
    t: "usage",
    tokensIn: getUint(usage, "prompt_tokens"),
    tokensOut: getUint(usage, "completion_tokens"),
  };
}

function headError(event: Json, progress: Progress): void {
  const json = expectObject(event, "event");
  const error = getObject(json, "error");
  progress.status = optional(json, "status") === undefined ? 500 : getUint(json, "status", 999);
  if (optional(json, "need") !== undefined) progress.need = getWei(json, "need");
  const code = optional(error, "code");
  progress.error = new ClientError("head", foreignText(getString(error, "message")), {
    status: progress.status,
    ...(typeof code === "string" ? { code: foreignText(code) } : {}),
    next:
      progress.status === 402
        ? "Nothing was charged. Top up, or ask for less."
        : "Nothing was charged for this. Try again.",
  });
}

function* takeEvent(event: Json, progress: Progress): Generator<AskEvent> {
  const json = expectObject(event, "event");
  switch (getString(json, "t")) {
    case "chunk": {
      const data = getObject(json, "data");
      progress.streamed = true;
      yield { t: "chunk", data: plainJson(data) };
      yield* takeTexts(data, progress);
      yield* takeUsage(data);
      return;
    }
    case "body": {
      const data = getObject(json, "data");
      progress.body = plainJson(data);
      yield* takeTexts(data, progress);
      yield* takeUsage(data);
      return;
    }
    case "error":
      headError(event, progress);
      return;
    case "receipt":
      progress.receipt = receiptDocumentFromJson(getObject(json, "receipt"));
      return;
    case "done":
      progress.done = true;
      return;
    default:
      return; // kinds to come
  }
}

async function* follow(events: AsyncGenerator<Json>, progress: Progress): AsyncGenerator<AskEvent> {
  for await (const event of events) yield* takeEvent(event, progress);
}

// ------------------------------------------------------------------ its end

interface Judge {
  readonly trust: TrustFile;
  /** of the plan's nodes, as verified, by slot */
  readonly claims: readonly Claims[];
}

// A receipt that does not verify is an error: the answer must not be trusted.
async function* conclude(
  session: Session,
  judge: Judge,
  pending: Pending,
  progress: Progress,
  tabs: Tabs | undefined,
): AsyncGenerator<AskEvent> {
  const { charge, keys, base } = pending;
  const cost = progress.receipt?.receipt.cost ?? (0n as Wei);
  const over = progress.done || progress.receipt !== undefined;
  if (charge.kind === "tab" && over) await tabs?.settle(charge.line, keys.request, charge.epoch, cost);
  if (progress.error !== undefined) {
    yield { t: "error", error: progress.error, resumable: false };
    return;
  }
  if (progress.receipt === undefined) {
    const check = "receipt.present";
    throw new ClientError("refused", `check ${check}: the head gave an answer without a receipt`, { check });
  }
  const domain = ledgerDomain(judge.trust.chainId, judge.trust.ledger);
  const checks = checkReceipt(progress.receipt, {
    ...base,
    trust: judge.trust,
    request: keys.request,
    outputs: progress.texts,
    claims: judge.claims,
    mode: charge.kind,
    strictQuery: base.query === undefined ? undefined : typedDigest(domain, "Query", base.query),
  });
  yield { t: "receipt", document: progress.receipt, checks };
  if (!checks.passed) {
    const failure = checks.failure;
    const error = new ClientError("refused", `check ${failure?.id}: ${failure?.text}`, {
      check: failure?.id ?? "",
      next: "Do not trust this answer. Keep the bundle: it shows what the head signed.",
    });
    yield { t: "error", error, resumable: false, checks };
    return;
  }
  const bundle: Bundle = {
    ...base,
    receipt: progress.receipt,
    outputs: progress.texts,
    settlement: undefined,
  };
  const { tokensIn, tokensOut } = progress.receipt.receipt;
  const answer = {
    texts: progress.texts,
    cost,
    tokensIn,
    tokensOut,
    cancelled: session.cancelled,
    body: progress.body,
    bundle,
    bundleText: bundleText(bundle),
  };
  yield { t: "done", answer };
}

// ------------------------------------------------------------------ paying

interface Paid {
  readonly payment: Payment;
  readonly charge: Charge;
  readonly query: Query | undefined;
}

interface Order {
  readonly request: AskRequest;
  readonly route: Route;
  readonly most: Wei;
  /** hex, 16 bytes */
  readonly id: string;
  readonly secret: Uint8Array;
  readonly expires: number;
}

async function* payByTab(
  order: Order,
  pay: Extract<PayWith, { kind: "tab" }>,
): AsyncGenerator<AskEvent, Paid> {
  const { model, plan } = order.route;
  const head = planHead(plan).key;
  const funding = await pay.tabs.needs(model, head, order.most);
  if (funding !== undefined) {
    yield { t: "funding", funding };
    const agreed = pay.writer !== undefined && (pay.confirm === undefined || (await pay.confirm(funding)));
    if (pay.writer === undefined || !agreed) {
      throw new ClientError("money", "the tab does not hold enough for this request", {
        next: "Top up the tab, then try again.",
      });
    }
    await pay.tabs.fund(model, head, funding, pay.writer);
  }
  const { payment, line, reservation } = await pay.tabs.cover(
    model,
    head,
    order.most,
    order.id,
    order.expires,
  );
  const { user, epoch } = payment;
  return {
    payment,
    charge: { kind: "tab", user, line, epoch, reserved: reservation.amount },
    query: undefined,
  };
}

function randomNonce(): bigint {
  const [high = 0, low = 0] = crypto.getRandomValues(new Uint32Array(2));
  return (BigInt(high >>> 1) << 32n) | BigInt(low); // JSON readers elsewhere know 63 bits
}

async function* openQuery(
  order: Order,
  pay: Extract<PayWith, { kind: "strict" }>,
): AsyncGenerator<AskEvent, Query> {
  const { contracts, writer } = pay;
  const { route } = order;
  // The exact need is not known beforehand; what is not used comes back when the query is settled.
  const maxCost = ((order.most * 3n + 1n) / 2n) as Wei;
  const credits = await contracts.credits(writer.address);
  if (credits < maxCost) {
    const missing = maxCost - credits;
    const ether = await contracts.reader.getBalance({ address: writer.address });
    if (ether <= missing) {
      throw new ClientError("money", "the account holds too little ether for this query", {
        next: "Send ether to this account.",
      });
    }
    yield { t: "funding", funding: { amount: maxCost, buy: missing as Wei } };
    await send(writer, { ...contracts.ledgerCall("buy", [writer.address]), value: missing }, "buy credits");
  }
  const timeout = (await contracts.timeoutOf(route.model)) + 60n;
  const query = {
    user: writer.address,
    model: route.model,
    head: planHead(route.plan).key,
    input: commitInput(order.secret, order.request.body),
    maxCost,
    deadline: (await contracts.latestTime()) + (timeout > strictSeconds ? timeout : strictSeconds),
    nonce: randomNonce(),
  };
  await send(writer, openCall(contracts, query), "open the query");
  const { trust } = route;
  yield { t: "query", query, id: typedDigest(ledgerDomain(trust.chainId, trust.ledger), "Query", query) };
  return query;
}

function payFree(order: Order, pay: Extract<PayWith, { kind: "free" }>): Paid {
  const { host, session, expires, access } = pay;
  const signature = signDigest(freeRequestDigest(fromHex(order.id)), session);
  const payment = { kind: "free", host, session: addressOf(session), expires, access, signature } as const;
  return { payment, charge: { kind: "free" }, query: undefined };
}

async function* payFor(order: Order, opened: Query | undefined): AsyncGenerator<AskEvent, Paid> {
  const { pay } = order.request;
  if (pay.kind === "tab") return yield* payByTab(order, pay);
  if (pay.kind === "free") return payFree(order, pay);
  const query = opened ?? (yield* openQuery(order, pay));
  return { payment: { kind: "strict", query }, charge: { kind: "strict" }, query };
}

// ------------------------------------------------------------------ asking

async function seal(order: Order, paid: Paid): Promise<Pending> {
  const { route, request, secret, expires, id } = order;
  const head = routeHead(route);
  const header = {
    boot: toHex(head.bootId),
    expires,
    head: head.signer,
    model: route.model,
    path: request.path,
    plan: planHash(route.plan),
    request: id,
  };
  const payment = paymentJson(paid.payment);
  const content = { body: request.body, plan: planJson(route.plan), payment, secret: toHex(secret) };
  const { wire, keys } = await sealRequest(header, head.hpkeKey, content);
  const base: BundleBase = {
    secret,
    body: request.body,
    plan: route.plan,
    model: route.model,
    params: route.params,
    manifest: route.manifestText,
    evidence: route.nodes.map(({ slot, key, shown }) => ({
      slot,
      key,
      evidence: shown.evidence,
      collateral: shown.collateral,
    })),
    trust: route.trust.text,
    checkedAt: route.verifiedAt,
    query: paid.query,
  };
  return { base, wire, keys, expires, charge: paid.charge };
}

// What is carried from one attempt to the next.
interface Attempt {
  readonly secret: Uint8Array;
  query: Query | undefined;
  most: Wei;
}

async function* exchange(
  session: Session,
  request: AskRequest,
  route: Route,
  attempt: Attempt,
  progress: Progress,
): AsyncGenerator<AskEvent, Pending> {
  const id = toHex(crypto.getRandomValues(new Uint8Array(16)));
  const { secret, most } = attempt;
  const order = { request, route, most, id, secret, expires: session.now + expirySeconds };
  session.expectWanted();
  const paid = yield* payFor(order, attempt.query);
  attempt.query = paid.query;
  const pending = await seal(order, paid);
  session.expectWanted();
  session.keys = pending.keys;
  yield { t: "sent", request: id, pending: pendingText(pending) };
  yield* follow(sendExchange(session.readOptions(pending.keys), pending.wire), progress);
  return pending;
}

// The head named the voucher total that would do; more than the limit is not signed for.
async function raised(
  request: AskRequest,
  route: Route,
  progress: Progress,
  most: Wei,
  limit: Wei,
): Promise<Wei | undefined> {
  if (request.pay.kind !== "tab" || progress.status !== 402 || progress.need === undefined) return undefined;
  const tab = await request.pay.tabs.status(route.model, planHead(route.plan).key);
  const more = (progress.need - tab.used - tab.inFlight) as Wei;
  return more > most && more <= limit ? more : undefined;
}

function isStale(error: ClientError): boolean {
  const { status } = error.details;
  return status === 409 || (error.kind === "unauthenticated" && status === 404);
}

function tabsOf(request: AskRequest): Tabs | undefined {
  return request.pay.kind === "tab" ? request.pay.tabs : undefined;
}

// One route; true: the node was restarted, verify it anew and try once more.
async function* tryRoute(
  session: Session,
  request: AskRequest,
  route: Route,
  attempt: Attempt,
): AsyncGenerator<AskEvent, boolean> {
  const { most, limit } = estimateCost(request.body, route.params);
  attempt.most = most;
  const tabs = tabsOf(request);
  for (let round = 0; ; round++) {
    const progress = new Progress();
    let pending: Pending;
    try {
      pending = yield* exchange(session, request, route, attempt, progress);
    } catch (error) {
      const failure = asClientError(error, "ask");
      if (isStale(failure) && !progress.streamed) {
        if (session.keys !== undefined) await releaseReservation(tabs, route, session.keys.request);
        return true;
      }
      throw failure;
    }
    const more =
      round === 0 && !progress.streamed
        ? await raised(request, route, progress, attempt.most, limit)
        : undefined;
    if (more === undefined && progress.error !== undefined && isStale(progress.error) && !progress.streamed) {
      await releaseReservation(tabs, route, pending.keys.request);
      return true;
    }
    if (more === undefined) {
      const claims = route.nodes.map((node) => node.peer.claims);
      yield* conclude(session, { trust: route.trust, claims }, pending, progress, tabs);
      return false;
    }
    await releaseReservation(tabs, route, pending.keys.request);
    attempt.most = more;
    yield { t: "again", why: "the head needs a larger voucher for this request" };
  }
}

async function releaseReservation(tabs: Tabs | undefined, route: Route, request: string): Promise<void> {
  if (tabs === undefined) return;
  const status = await tabs.status(route.model, planHead(route.plan).key);
  await tabs.settle(status.line, request, status.tab.epoch, 0n as Wei);
}

async function* run(session: Session, routes: RouteCache, request: AskRequest): AsyncGenerator<AskEvent> {
  const { model } = readBody(request.body);
  const attempt: Attempt = { secret: newSecret(), query: undefined, most: 0n as Wei };
  for (let round = 0; ; round++) {
    const route = await routes.get(model, round > 0);
    if (attempt.query !== undefined && attempt.query.head !== planHead(route.plan).key) {
      throw new ClientError("head", "the head of the opened query does not serve any more", {
        next: "Refund the query after its deadline, then ask again.",
      });
    }
    yield { t: "route", route };
    const stale = yield* tryRoute(session, request, route, attempt);
    if (!stale) return;
    routes.forget(model);
    if (round > 0)
      throw new ClientError("unreachable", "the head was restarted twice in a row", { next: "Try again." });
    yield { t: "again", why: "the head was restarted: it is verified anew" };
  }
}

// Errors become the last event.
async function* guarded(
  session: Session,
  events: AsyncGenerator<AskEvent>,
  onError: () => void,
): AsyncGenerator<AskEvent> {
  try {
    yield* events;
  } catch (error) {
    onError();
    const failure =
      error instanceof Malformed && session.keys === undefined
        ? new ClientError("invalid", error.message)
        : asClientError(error, "ask");
    const resumable =
      session.keys !== undefined && (failure.kind === "cut" || failure.kind === "unreachable");
    yield { t: "error", error: failure, resumable };
  } finally {
    session.abort.abort(new ClientError("invalid", "left"));
  }
}

/** Never throws: the last event is "done" or "error". Ending the generator early leaves the answer to be resumed. */
export function ask(routes: RouteCache, request: AskRequest, options: AskOptions = {}): AskHandle {
  const session = new Session(routes.sources.gateway, options);
  const forget = () => {
    try {
      routes.forget(readBody(request.body).model);
    } catch {
      // no model, no route
    }
  };
  return { events: guarded(session, run(session, routes, request), forget), cancel: () => session.cancel() };
}

/**
 * Goes on with a request of before a reload, from what the "sent" event carried. The events come from the answer's
 * beginning. The evidence is judged once more, at the time when it was judged before.
 */
export function resumeAsk(
  sources: { readonly gateway: GatewayClient; readonly trust: TrustFile; readonly tabs?: Tabs },
  pendingTextOfBefore: string,
  options: AskOptions = {},
): AskHandle {
  const session = new Session(sources.gateway, options);
  async function* events(): AsyncGenerator<AskEvent> {
    const pending = parsePending(pendingTextOfBefore);
    session.keys = pending.keys;
    if (pending.base.plan.policy !== sources.trust.policyHash) {
      throw new ClientError("invalid", "the request was made under another trust file");
    }
    const checks = new CheckList();
    const claims = await checkEvidence(pending.base, sources.trust, checks);
    checks.expectPassed();
    const progress = new Progress();
    yield* follow(resumeExchange(session.readOptions(pending.keys), pending, session.now), progress);
    yield* conclude(session, { trust: sources.trust, claims }, pending, progress, sources.tabs);
  }
  return { events: guarded(session, events(), () => undefined), cancel: () => session.cancel() };
}
