// One question, from the user's request to a verified receipt: route, payment, sealing, streaming, checking. The steps of
// src/client/asker.cc, as a stream of events for a page.
import { paymentJson } from "../seal/payment";
import { planHash, planHead, planJson } from "../seal/plan";
import { sealRequest } from "../seal/sealed";
import { toHex, type Wei } from "../verify/bytes";
import { newSecret } from "../verify/receipt";
import { Malformed } from "../verify/refusal";
import type { TrustFile } from "../verify/trust-file";
import type { Query } from "../verify/typed-data";
import { follow, Progress } from "./answer-events";
import type { AskEvent, AskHandle, AskOptions, AskRequest } from "./ask-types";
import type { BundleBase } from "./bundle";
import { CheckList } from "./check-list";
import { asClientError, ClientError } from "./client-error";
import { conclude } from "./conclude";
import { estimateCost, readBody } from "./estimate";
import {
  cancelExchange,
  isTransient,
  type Pending,
  parsePending,
  pendingText,
  type ReadOptions,
  resumeExchange,
  sendExchange,
} from "./exchange";
import type { GatewayClient } from "./gateway";
import { type Order, type Paid, payFor } from "./pay";
import { type Route, routeHead, unixNow } from "./route";
import type { RouteCache } from "./route-cache";
import type { Tabs } from "./tabs";
import { checkEvidence } from "./verify-bundle";

export type { Answer, AskEvent, AskHandle, AskOptions, AskRequest, PayWith } from "./ask-types";

const expirySeconds = 300;

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
  session.keys = undefined; // what an earlier round sent is over: a stop is meant for this one
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
  const others = tab.inFlight - most; // this request's own reservation still stands
  const more = (progress.need - tab.used - others) as Wei;
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
      yield* conclude(() => session.cancelled, { trust: route.trust, claims }, pending, progress, tabs);
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
    const resumable = session.keys !== undefined && (failure.kind === "cut" || isTransient(failure));
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
    yield* conclude(
      () => session.cancelled,
      { trust: sources.trust, claims },
      pending,
      progress,
      sources.tabs,
    );
  }
  return { events: guarded(session, events(), () => undefined), cancel: () => session.cancel() };
}
