// Paying for one request: a voucher of a tab, a query of its own on chain, or a host's free access.
import { freeRequestDigest, type Payment } from "../seal/payment";
import { planHead } from "../seal/plan";
import { fromHex, type Wei } from "../verify/bytes";
import { commitInput } from "../verify/receipt";
import { addressOf, signDigest } from "../verify/secp256k1";
import { ledgerDomain, type Query, typedDigest } from "../verify/typed-data";
import type { AskEvent, AskRequest, PayWith } from "./ask-types";
import { openCall, send } from "./chain";
import { ClientError } from "./client-error";
import type { Charge } from "./exchange";
import type { Route } from "./route";

const strictSeconds = 900n; // from opening to the deadline, if the model's timeout is shorter

export interface Paid {
  readonly payment: Payment;
  readonly charge: Charge;
  readonly query: Query | undefined;
}

export interface Order {
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

export async function* payFor(order: Order, opened: Query | undefined): AsyncGenerator<AskEvent, Paid> {
  const { pay } = order.request;
  if (pay.kind === "tab") return yield* payByTab(order, pay);
  if (pay.kind === "free") return payFree(order, pay);
  const query = opened ?? (yield* openQuery(order, pay));
  return { payment: { kind: "strict", query }, charge: { kind: "strict" }, query };
}
