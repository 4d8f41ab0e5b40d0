// For tests: a model of two slots with a chain, a gateway and nodes that are as real as they can be in one process. Their
// evidence verifies, the head opens what is sealed to it and signs receipts. Tests change what they do.
import { aeadKey, sequenceNonce } from "../../seal/aead";
import { hpkeRecipient } from "../../seal/hpke";
import { planFromJson, planHash } from "../../seal/plan";
import { pad, unpad } from "../../seal/sealed";
import { generateX25519, type X25519Key } from "../../seal/x25519";
import {
  type Address,
  concat,
  fromHex,
  fromUtf8,
  type Hash,
  toBase64,
  toHash,
  toHex,
  u32le,
  u64le,
  utf8,
  type Wei,
} from "../../verify/bytes";
import type { Claims } from "../../verify/claims";
import { getObject, getString } from "../../verify/fields";
import { hkdfExpand, hkdfExtract, hmacSha256, sha256 } from "../../verify/hashes";
import { canonicalJson, dumpJson, fromPlain, type Json, type JsonObject, parseJson } from "../../verify/json";
import { manifestHash, tensorLeaf, weightsRoot } from "../../verify/manifest";
import { type ModelParams, modelId, modelParamsJson } from "../../verify/model-params";
import { commitInput, commitOutput, secretFromHex } from "../../verify/receipt";
import { addressOf, generatePrivateKey, type PrivateKey, signTyped } from "../../verify/secp256k1";
import { type FakePlatform, fakeMrtd, fakePlatform } from "../../verify/testing/fake-pki";
import { readTrustFile, type TrustFile } from "../../verify/trust-file";
import { costOf, ledgerDomain, lineOf, tabQueryId } from "../../verify/typed-data";
import type { ChainReader } from "../chain";
import { GatewayClient } from "../gateway";

const word = (digits: string, size: number) => `0x${digits.repeat(size)}`;

export interface FakeNode {
  readonly slot: number;
  key: PrivateKey;
  hpke: X25519Key;
  boot: Uint8Array;
  host: Address;
}

/** What the head makes of one request. */
export interface HeadRequest {
  readonly header: Record<string, unknown>;
  readonly content: JsonObject;
  readonly body: string;
  readonly secret: Uint8Array;
}

export interface HeadAnswer {
  readonly events: readonly JsonObject[];
}

interface StoredAnswer {
  readonly wire: string;
  readonly control: Uint8Array;
  readonly preamble: Uint8Array;
  readonly chunks: readonly Uint8Array[];
  counter: number;
}

function makeManifest(): { text: string; roots: Hash[] } {
  const tensor = (name: string) => ({
    bytes: 8,
    dims: [2],
    dtype: "F32",
    name,
    sha256: toHex(sha256(utf8(name))),
  });
  const tensors = [tensor("a"), tensor("b")];
  const leaf = (item: ReturnType<typeof tensor>) => tensorLeaf({ ...item, sha256: fromHex(item.sha256) });
  const roots = tensors.map((item) => weightsRoot([leaf(item)]));
  const slots = tensors.map((item, i) => ({
    block_count: 1,
    file: `slot-${i}.gguf`,
    file_bytes: 100,
    file_sha256: "00".repeat(32),
    first_block: i,
    kats: [],
    share: 1,
    tensors: [item.name],
    weights_root: (roots[i] as string).slice(2),
  }));
  const document = {
    config: { n_layers: "2" },
    name: "tiny",
    profile: 1,
    slots,
    tensors,
    tensors_root: weightsRoot(tensors.map(leaf)).slice(2),
    tokenizer_sha256: "00".repeat(32),
    version: 1,
  };
  return { text: canonicalJson(fromPlain(document)), roots };
}

export class FakeWorld {
  readonly now = 1_780_000_000;
  readonly registry = word("11", 20) as Address;
  readonly ledger = word("12", 20) as Address;
  readonly manifest: string;
  readonly params: ModelParams;
  readonly model: Hash;
  readonly platform: FakePlatform;
  readonly trust: TrustFile;
  readonly nodes: FakeNode[];
  readonly gateway: GatewayClient;
  /** requests that reached the gateway, newest last */
  readonly seen: { method: string; path: string; body: Uint8Array }[] = [];
  answer: (request: HeadRequest) => HeadAnswer | Promise<HeadAnswer>;
  /** changes what the gateway passes on: a lie, or a failure by throwing */
  meddle: (path: string, response: Response) => Response | Promise<Response> = (_, response) => response;
  /** changes a node's claims before its platform vouches for them */
  claim: (claims: Claims) => Claims = (claims) => claims;
  private readonly answers = new Map<string, StoredAnswer>();

  private constructor(platform: FakePlatform, nodes: FakeNode[]) {
    const { text, roots } = makeManifest();
    this.manifest = text;
    this.params = {
      manifest: manifestHash(utf8(text)),
      verifier: word("13", 20) as Address,
      priceIn: 10n,
      priceOut: 20n,
      timeout: 60,
      lease: 3600,
      slots: roots.map((weights) => ({ weights, share: 1 })),
    };
    this.model = modelId(this.params);
    this.platform = platform;
    this.nodes = nodes;
    const { registry, ledger } = this;
    const trust = {
      class: "simulated",
      chain_id: 31337,
      registry,
      ledger,
      roots: [platform.root],
      measurements: [{ name: "fake", mrtd: fakeMrtd }],
      models: { tiny: this.model },
    };
    this.trust = readTrustFile(JSON.stringify(trust));
    this.gateway = new GatewayClient("http://gateway", (url, init) => this.serve(url, init));
    this.answer = (request) => this.honestAnswer(request, ["Hello", " world"]);
  }

  static async make(): Promise<FakeWorld> {
    const node = async (slot: number): Promise<FakeNode> => ({
      slot,
      key: generatePrivateKey(),
      hpke: await generateX25519(),
      boot: crypto.getRandomValues(new Uint8Array(16)),
      host: word(`5${slot}`, 20) as Address,
    });
    return new FakeWorld(await fakePlatform(1_780_000_000), [await node(0), await node(1)]);
  }

  get head(): FakeNode {
    return this.nodes[0] as FakeNode;
  }

  chain: ChainReader = {
    getChainId: async () => 31337,
    getBlock: async () => ({ number: 5n, hash: word("77", 32), timestamp: BigInt(this.now - 60) }),
    getBalance: async () => 0n,
    readContract: async () => {
      throw new Error("no contract here");
    },
  };

  /** A restart: new keys of the boot, the same signing key. */
  async restart(node: FakeNode): Promise<void> {
    node.hpke = await generateX25519();
    node.boot = crypto.getRandomValues(new Uint8Array(16));
    this.answers.clear();
  }

  private claimsOf(node: FakeNode): Claims {
    return this.claim({
      host: node.host,
      slot: node.slot,
      blockNumber: 5n,
      model: this.model,
      policyHash: fromHex(this.trust.policyHash),
      signer: addressOf(node.key),
      bootId: node.boot,
      weightsRoot: this.params.slots[node.slot]?.weights as Hash,
      chainId: 31337n,
      hpkeKey: node.hpke.publicKey,
      registry: this.registry,
      blockHash: word("77", 32) as Hash,
      blockTime: BigInt(this.now - 60),
      tlsKeyHash: new Uint8Array(32),
    });
  }

  private async evidenceOf(node: FakeNode): Promise<JsonObject> {
    const evidence = toBase64(await this.platform.evidence(this.claimsOf(node)));
    return {
      key: addressOf(node.key),
      channel: "127.0.0.1:1",
      kind: "simulated",
      evidence,
      collateral: this.platform.collateral,
    };
  }

  private json(value: Json, status = 200): Response {
    return new Response(dumpJson(value), { status });
  }

  private refuse(status: number, message: string): Response {
    return this.json({ error: { message, type: "x", param: null, code: null } }, status);
  }

  private async serve(url: string, init: RequestInit): Promise<Response> {
    const { pathname, search } = new URL(url);
    const body =
      typeof init.body === "string"
        ? utf8(init.body)
        : ((init.body as Uint8Array | undefined) ?? new Uint8Array(0));
    this.seen.push({ method: init.method ?? "GET", path: pathname + search, body });
    return this.meddle(pathname, await this.route(pathname, body));
  }

  private async route(path: string, body: Uint8Array): Promise<Response> {
    if (path === `/v1/teetee/models/${this.model}`) {
      return this.json({ id: this.model, params: modelParamsJson(this.params), manifest: this.manifest });
    }
    if (path === "/v1/teetee/nodes") {
      const nodes = this.nodes.map((node) => ({
        key: addressOf(node.key),
        slot: BigInt(node.slot),
        host: node.host,
        url: "http://node",
        live: true,
      }));
      return this.json({ nodes, block: 5n });
    }
    const node = this.nodes.find((item) => path === `/v1/teetee/nodes/${addressOf(item.key)}/evidence`);
    if (node !== undefined) return this.json(await this.evidenceOf(node));
    if (path === "/v1/teetee/sealed") return this.sealed(body);
    if (path === "/v1/teetee/control") return this.control(body);
    return this.refuse(404, "unknown path");
  }

  // ---------------------------------------------------------------- the head

  private async sealed(wire: Uint8Array): Promise<Response> {
    const size = new DataView(wire.buffer, wire.byteOffset).getUint32(4, true);
    const aad = wire.subarray(8, 8 + size);
    const header = JSON.parse(fromUtf8(aad));
    if (header.boot !== toHex(this.head.boot))
      return this.refuse(409, "check request.boot: this node was restarted; verify it again");
    const known = this.answers.get(header.request);
    if (known !== undefined)
      return known.wire === toHex(wire) ? this.stream(known, 0) : this.refuse(409, "replay");
    const enc = wire.subarray(8 + size, 40 + size);
    const context = await hpkeRecipient(enc, this.head.hpke, utf8("teetee sealed request v1"));
    const content = parseJson(unpad(await context.open(aad, wire.subarray(44 + size)))) as JsonObject;
    if (planHash(planFromJson(getObject(content, "plan"))) !== header.plan) throw new Error("another plan");
    const secret = secretFromHex(getString(content, "secret"));
    const { events } = await this.answer({ header, content, body: getString(content, "body"), secret });
    const stored = await this.seal(wire, enc, context, [...events, { t: "done" }]);
    this.answers.set(header.request, stored);
    return this.stream(stored, 0);
  }

  private async seal(
    wire: Uint8Array,
    enc: Uint8Array,
    context: { export: (label: Uint8Array, size: number) => Uint8Array },
    events: readonly JsonObject[],
  ): Promise<StoredAnswer> {
    const nonce = crypto.getRandomValues(new Uint8Array(32));
    const secret = hkdfExtract(concat(enc, nonce), context.export(utf8("teetee response v1"), 32));
    const key = await aeadKey(hkdfExpand(secret, utf8("key"), 16));
    const iv = hkdfExpand(secret, utf8("nonce"), 12);
    const chunks = await Promise.all(
      events.map(async (event, i) => {
        const aad = concat(u64le(BigInt(i)), Uint8Array.of(i === events.length - 1 ? 1 : 0));
        const sealed = await key.seal(sequenceNonce(iv, i), aad, pad(dumpJson(event), 256));
        return concat(u32le(sealed.length), sealed);
      }),
    );
    const control = context.export(utf8("teetee control v1"), 32);
    return { wire: toHex(wire), control, preamble: concat(utf8("TTR1"), nonce), chunks, counter: 0 };
  }

  private stream(stored: StoredAnswer, from: number): Response {
    return new Response(concat(stored.preamble, ...stored.chunks.slice(from)), { status: 200 });
  }

  private async control(body: Uint8Array): Promise<Response> {
    const message = JSON.parse(fromUtf8(body));
    const stored = this.answers.get(message.request);
    const signed = concat(
      utf8(message.op),
      Uint8Array.of(0),
      fromHex(message.request),
      u64le(BigInt(message.counter)),
      u64le(BigInt(message.from)),
    );
    const good = stored !== undefined && toHex(hmacSha256(stored.control, signed)) === message.mac;
    if (stored === undefined || !good || message.counter <= stored.counter)
      return this.refuse(404, "no such request");
    stored.counter = message.counter;
    return this.stream(stored, message.from);
  }

  /** Texts of one choice, then the receipt. */
  honestAnswer(request: HeadRequest, texts: readonly string[]): HeadAnswer {
    const chunks = texts.map((content) => ({
      t: "chunk",
      data: { object: "chat.completion.chunk", choices: [{ index: 0n, delta: { content } }] },
    }));
    return { events: [...chunks, { t: "receipt", receipt: this.receipt(request, texts.join("")) }] };
  }

  receipt(
    request: HeadRequest,
    text: string,
    change: (receipt: Record<string, unknown>) => void = () => undefined,
  ): JsonObject {
    const { head, ledger } = this;
    const domain = ledgerDomain(31337n, ledger);
    const payment = getObject(request.content, "payment");
    const mode = getString(payment, "kind");
    const id = String(request.header["request"]);
    const line = lineOf(this.model, addressOf(head.key));
    const [tokensIn, tokensOut] = [7, 2];
    const transcript = {
      v: 1,
      profile: 1,
      chain_id: 31337,
      ledger,
      registry: this.registry,
      model: this.model,
      manifest: this.params.manifest,
      request: id,
      plan: String(request.header["plan"]),
      mode,
      block: { number: 5, hash: word("77", 32), time: this.now - 60 },
      finish: "stop",
      stages: this.nodes.map((node) => ({
        slot: node.slot,
        key: addressOf(node.key),
        host: node.host,
        weights: this.params.slots[node.slot]?.weights,
        boot: toHex(node.boot),
        activations: "00".repeat(32),
      })),
    };
    const receipt = {
      query: tabQueryId(line, fromHex(id)),
      line,
      input: commitInput(request.secret, request.body),
      output: commitOutput(request.secret, [text]),
      tokensIn,
      tokensOut,
      cost:
        mode === "free"
          ? (0n as Wei)
          : costOf(tokensIn, tokensOut, this.params.priceIn, this.params.priceOut),
      transcript: toHash(sha256(utf8(canonicalJson(fromPlain(transcript))))),
    };
    change(receipt);
    const later = this.nodes[1] as FakeNode;
    const work = { line, slot: 1, key: addressOf(later.key), total: 1000n as Wei };
    const signedWork = {
      key: work.key,
      slot: 1,
      total: "1000",
      signature: signTyped(domain, "Work", work, later.key),
    };
    return fromPlain({
      receipt: {
        query: receipt.query,
        line,
        input: receipt.input,
        output: receipt.output,
        tokens_in: receipt.tokensIn,
        tokens_out: receipt.tokensOut,
        cost: receipt.cost.toString(),
        transcript: receipt.transcript,
      },
      signature: signTyped(domain, "Receipt", receipt, head.key),
      transcript,
      work: mode === "tab" ? [signedWork] : [],
      parts: [],
    }) as JsonObject;
  }
}
