// The head's signed release of a tab: with it Ledger.release ends the tab at once and gives back what is left, without the
// day that a close takes. docs/formats/typed-data.md, type Release.
import { paymentJson } from "../seal/payment";
import { planHash, planHead, planJson } from "../seal/plan";
import { sealRequest } from "../seal/sealed";
import { type Address, type Hash, toHex, type Wei } from "../verify/bytes";
import { expectObject, getAddress, getHash, getObject, getString, getUint, getWei } from "../verify/fields";
import type { Json } from "../verify/json";
import { newSecret } from "../verify/receipt";
import { type CompactSignature, parseSignature, signatureWords, verifyTyped } from "../verify/secp256k1";
import { ledgerDomain, lineOf } from "../verify/typed-data";
import { type ChainWriter, type Contracts, send } from "./chain";
import { ClientError, foreignText } from "./client-error";
import { readExchange } from "./exchange";
import { routeHead, unixNow } from "./route";
import type { RouteCache } from "./route-cache";
import type { Tabs } from "./tabs";

const expirySeconds = 300;

export interface SignedRelease {
  readonly user: Address;
  readonly model: Hash;
  readonly head: Address;
  readonly epoch: number;
  readonly used: Wei;
  readonly signature: CompactSignature;
}

function releaseFrom(event: Json): SignedRelease {
  const json = expectObject(event, "release");
  return {
    user: getAddress(json, "user"),
    model: getHash(json, "model"),
    head: getAddress(json, "head"),
    epoch: getUint(json, "epoch", 0xffffffff),
    used: getWei(json, "used"),
    signature: parseSignature(getString(json, "signature")),
  };
}

async function exchangeRelease(routes: RouteCache, tabs: Tabs, model: string): Promise<SignedRelease> {
  const route = await routes.get(model, true);
  const head = routeHead(route);
  const payment = await tabs.name(route.model, head.signer);
  const header = {
    boot: toHex(head.bootId),
    expires: (routes.sources.now ?? unixNow)() + expirySeconds,
    head: head.signer,
    model: route.model,
    path: "/teetee/release" as const,
    plan: planHash(route.plan),
    request: toHex(crypto.getRandomValues(new Uint8Array(16))),
  };
  const content = {
    body: "{}",
    plan: planJson(route.plan),
    payment: paymentJson(payment),
    secret: toHex(newSecret()),
  };
  const { wire, keys } = await sealRequest(header, head.hpkeKey, content);
  const { gateway } = routes.sources;
  const { signal } = new AbortController();
  let release: SignedRelease | undefined;
  for await (const event of readExchange({ gateway, keys, signal }, () => gateway.sealed(wire, signal))) {
    const json = expectObject(event, "event");
    const kind = getString(json, "t");
    if (kind === "error") {
      const text = foreignText(getString(getObject(json, "error"), "message"));
      throw new ClientError("head", `the head refused to release the tab: ${text}`, {
        next: "Wait until its last answers are settled, then try again; or close the tab, which takes a day.",
      });
    }
    if (kind === "body") release = releaseFrom(getObject(json, "data"));
  }
  if (release === undefined) throw new ClientError("head", "the head gave no release");
  const line = lineOf(route.model, planHead(route.plan).key);
  const { user, epoch, used, signature } = release;
  const domain = ledgerDomain(route.trust.chainId, route.trust.ledger);
  if (!verifyTyped(domain, "Release", { user, line, epoch, used }, head.signer, signature)) {
    throw new ClientError("refused", "the release is not signed by the head");
  }
  return release;
}

/** Asks the head to let the tab go, and ends it on chain; what is left becomes credits. Throws ClientError. */
export async function releaseTab(
  routes: RouteCache,
  tabs: Tabs,
  model: string,
  contracts: Contracts,
  writer: ChainWriter,
): Promise<Hash> {
  const release = await exchangeRelease(routes, tabs, model);
  const { r, vs } = signatureWords(release.signature);
  const args = [release.user, release.model, release.head, release.epoch, release.used, r, vs];
  return send(writer, contracts.ledgerCall("release", args), "release the tab");
}
