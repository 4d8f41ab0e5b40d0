// A verified way to a model: every node of the plan has shown evidence that the user's trust file accepts, for the shard
// that the model id names. Nothing is sealed to a head before a Route exists.
import type { Plan } from "../seal/plan";
import { type Address, type Hash, parseHash, toHex, utf8 } from "../verify/bytes";
import type { Claims } from "../verify/claims";
import { type Manifest, manifestHash, parseManifest } from "../verify/manifest";
import { type ModelParams, modelId } from "../verify/model-params";
import { checkClaimsAge, type VerifiedPeer, verifyEvidence } from "../verify/peer";
import { Malformed, Refused } from "../verify/refusal";
import { findModel, type TrustFile } from "../verify/trust-file";
import type { ChainReader } from "./chain";
import { CheckList } from "./check-list";
import { asClientError, ClientError, foreignText } from "./client-error";
import type { GatewayClient, ListedNode, ShownEvidence } from "./gateway";

export interface RouteNode {
  readonly slot: number;
  readonly key: Address;
  readonly listed: ListedNode;
  readonly shown: ShownEvidence;
  readonly peer: VerifiedPeer;
}

export interface Route {
  readonly trust: TrustFile;
  readonly model: Hash;
  /** as the trust file names it */
  readonly name: string;
  readonly params: ModelParams;
  readonly manifest: Manifest;
  readonly manifestText: string;
  readonly plan: Plan;
  /** one per slot; the first is the head */
  readonly nodes: readonly RouteNode[];
  readonly checks: CheckList;
  /** Unix seconds */
  readonly verifiedAt: number;
}

/** A node that was offered and not taken. */
export interface RejectedNode {
  readonly node: ListedNode;
  readonly error: ClientError;
}

export type RouteResult =
  | { readonly ok: true; readonly route: Route; readonly rejected: readonly RejectedNode[] }
  | {
      readonly ok: false;
      readonly error: ClientError;
      readonly checks: CheckList;
      readonly rejected: readonly RejectedNode[];
    };

export interface RouteSources {
  readonly gateway: GatewayClient;
  readonly trust: TrustFile;
  /** where the blocks of claims are looked up; without it only their age is checked, and that is said */
  readonly chain?: ChainReader;
  /** Unix seconds */
  readonly now?: () => number;
  /** for tests */
  readonly shuffle?: <T>(items: readonly T[]) => T[];
}

export function unixNow(): number {
  return Math.floor(Date.now() / 1000);
}

function shuffled<T>(items: readonly T[]): T[] {
  const out = [...items];
  const random = crypto.getRandomValues(new Uint32Array(out.length));
  for (let i = out.length - 1; i > 0; i--) {
    const j = (random[i] as number) % (i + 1);
    [out[i], out[j]] = [out[j] as T, out[i] as T];
  }
  return out;
}

/**
 * The facts of a model under an id: parameters hash to the id, the manifest is theirs, its slots are theirs. Adds to
 * `checks`; throws ClientError at the first that fails.
 */
export function checkModel(id: Hash, params: ModelParams, manifestText: string, checks: CheckList): Manifest {
  const document = utf8(manifestText);
  checks.add("model.id", modelId(params) === id, "the model's parameters hash to the id that was asked for");
  checks.add(
    "model.manifest",
    manifestHash(document) === params.manifest,
    "the manifest is the one that the model id names",
  );
  checks.expectPassed();
  let manifest: Manifest;
  try {
    manifest = parseManifest(document);
  } catch (error) {
    if (!(error instanceof Malformed)) throw error;
    checks.add("model.manifest", false, error.message);
    throw new ClientError("refused", `check model.manifest: ${error.message}`, { check: "model.manifest" });
  }
  const same =
    manifest.slots.length === params.slots.length &&
    manifest.slots.every((slot, i) => {
      const wanted = params.slots[i];
      return slot.weightsRoot === wanted?.weights && slot.share === wanted.share;
    });
  checks.add("model.weights", same, "every slot's weights root and share is the manifest's");
  checks.expectPassed();
  return manifest;
}

export interface WantedNode {
  readonly slot: number;
  readonly key: Address;
  readonly model: Hash;
  readonly params: ModelParams;
}

/** A node's claims against what the plan wants of it. Adds to `checks`. */
export function checkNode(peer: VerifiedPeer, wanted: WantedNode, checks: CheckList): void {
  const { claims } = peer;
  const { slot } = wanted;
  const at = `slot ${slot}: `;
  const verdict = `TCB status ${peer.quote.status}, release '${peer.release}', class ${peer.evidenceClass}`;
  checks.add("node.evidence", true, `${at}quote verified up to its root, ${verdict}`, slot);
  checks.add("node.key", claims.signer === wanted.key, `${at}the evidence names the plan's key`, slot);
  const sameModel = claims.model === wanted.model && claims.slot === slot;
  checks.add("node.model", sameModel, `${at}the evidence names this model and slot`, slot);
  const weights = wanted.params.slots[slot]?.weights;
  checks.add(
    "node.weights",
    claims.weightsRoot === weights,
    `${at}the shard's weights root is the model's`,
    slot,
  );
}

async function checkBlock(chain: ChainReader, claims: Claims): Promise<boolean> {
  try {
    const block = await chain.getBlock({ blockNumber: claims.blockNumber });
    return (
      block.hash !== null &&
      parseHash(block.hash) === claims.blockHash &&
      block.timestamp === claims.blockTime
    );
  } catch (error) {
    if (error instanceof Error && /not ?found/i.test(`${error.name} ${error.message}`)) return false;
    throw new ClientError(
      "unreachable",
      `the chain cannot be asked about the node's block: ${asClientError(error, "RPC").message}`,
    );
  }
}

async function verifyNode(
  sources: RouteSources,
  listed: ListedNode,
  wanted: WantedNode,
  now: number,
): Promise<{ node: RouteNode; checks: CheckList }> {
  const shown = await sources.gateway.evidence(listed.key);
  const verified = await verifyEvidence(shown.evidence, shown.collateral, sources.trust, now);
  if (!verified.ok) throw new Refused(verified.refusal.check, verified.refusal.found);
  const peer = verified.value;
  const at = `slot ${wanted.slot}: `;
  const age = checkClaimsAge(peer.claims, now);
  if (!age.ok) throw new Refused(age.refusal.check, age.refusal.found);
  const checks = new CheckList();
  checkNode(peer, wanted, checks);
  checks.add("claims.age", true, `${at}the block of the claims is recent`, wanted.slot);
  if (sources.chain !== undefined) {
    const onChain = await checkBlock(sources.chain, peer.claims);
    const text = onChain
      ? "the block of the claims is on this chain"
      : "the block of the claims is not on this chain";
    checks.add("claims.block", onChain, at + text, wanted.slot);
  }
  checks.expectPassed();
  return { node: { slot: wanted.slot, key: listed.key, listed, shown, peer }, checks };
}

interface Search {
  readonly sources: RouteSources;
  readonly now: number;
  readonly checks: CheckList;
  readonly rejected: RejectedNode[];
}

// The first node of the slot whose evidence verifies; the last failure if there is none.
async function findNode(
  search: Search,
  candidates: readonly ListedNode[],
  wanted: Omit<WantedNode, "key">,
): Promise<RouteNode> {
  let last: ClientError | undefined;
  for (const listed of candidates) {
    try {
      const { node, checks } = await verifyNode(
        search.sources,
        listed,
        { ...wanted, key: listed.key },
        search.now,
      );
      search.checks.append(checks);
      return node;
    } catch (error) {
      last = asClientError(error, `node ${listed.key}`);
      search.rejected.push({ node: listed, error: last });
    }
  }
  const where = `slot ${wanted.slot}`;
  if (last === undefined) {
    throw new ClientError("unreachable", `no node serves ${where} now`, {
      next: "Try again later, or choose another model.",
    });
  }
  search.checks.add(last.details.check ?? "node.evidence", false, `${where}: ${last.message}`, wanted.slot);
  const next =
    last.kind === "refused" ? "Nothing was sent. Do not use this route; tell the host." : "Try again.";
  throw new ClientError(last.kind, `no node of ${where} can be trusted: ${last.message}`, {
    next,
    ...last.details,
  });
}

async function search(sources: RouteSources, nameOrId: string, state: Search): Promise<Route> {
  const { trust, gateway } = sources;
  const known = findModel(trust, nameOrId);
  if (known === undefined) {
    throw new ClientError("invalid", `the trust file names no model '${foreignText(nameOrId)}'`, {
      next: "Choose a model that your trust file names, or import another trust file.",
    });
  }
  const listed = await gateway.model(known.id);
  const manifest = checkModel(known.id, listed.params, listed.manifest, state.checks);
  const offered = (sources.shuffle ?? shuffled)((await gateway.nodes(known.id)).filter((node) => node.live));
  const nodes: RouteNode[] = [];
  for (let slot = 0; slot < listed.params.slots.length; slot++) {
    const candidates = offered.filter((node) => node.slot === slot);
    nodes.push(await findNode(state, candidates, { slot, model: known.id, params: listed.params }));
  }
  const planNodes = nodes.map(({ slot, key, shown, peer }) => ({
    slot,
    key,
    channel: shown.channel,
    boot: toHex(peer.claims.bootId),
  }));
  return {
    trust,
    model: known.id,
    name: known.name,
    params: listed.params,
    manifest,
    manifestText: listed.manifest,
    plan: { model: known.id, nodes: planNodes, policy: trust.policyHash },
    nodes,
    checks: state.checks,
    verifiedAt: state.now,
  };
}

/**
 * Chooses at random among the live nodes of each slot whose evidence verifies. Never throws: a failure names the check,
 * and carries what was checked before it.
 */
export async function makeRoute(sources: RouteSources, nameOrId: string): Promise<RouteResult> {
  const now = (sources.now ?? unixNow)();
  const state: Search = { sources, now, checks: new CheckList(), rejected: [] };
  try {
    return { ok: true, route: await search(sources, nameOrId, state), rejected: state.rejected };
  } catch (error) {
    return {
      ok: false,
      error: asClientError(error, "route"),
      checks: state.checks,
      rejected: state.rejected,
    };
  }
}

export function routeHead(route: Route): Claims {
  const [head] = route.nodes;
  if (head === undefined) throw new Malformed("a route has a head");
  return head.peer.claims;
}
