// @vitest-environment node
// Asking, against a gateway and a head in this process (testing/fake-world.ts): what an honest one gives, and each lie.
import { beforeEach, describe, expect, test } from "vitest";
import { freeRequestDigest } from "../seal/payment";
import { type Address, fromHex, fromUtf8, type Hash, utf8 } from "../verify/bytes";
import { getObject, getString } from "../verify/fields";
import { type JsonObject, plainJson } from "../verify/json";
import {
  addressOf,
  generatePrivateKey,
  isSignedBy,
  type PrivateKey,
  parseSignature,
} from "../verify/secp256k1";
import { type AskEvent, type AskRequest, ask, type PayWith, resumeAsk } from "./ask";
import { parseBundle } from "./bundle";
import { makeRoute } from "./route";
import { RouteCache } from "./route-cache";
import { collect, of } from "./testing/collect";
import { FakeWorld } from "./testing/fake-world";
import { verdictOf, verifyBundle } from "./verify-bundle";

let world: FakeWorld;
let routes: RouteCache;

beforeEach(async () => {
  world = await FakeWorld.make();
  routes = new RouteCache(sources());
});

const sources = () => ({
  gateway: world.gateway,
  trust: world.trust,
  chain: world.chain,
  now: () => world.now,
});
const body = JSON.stringify({
  model: "tiny",
  stream: true,
  max_tokens: 8,
  messages: [{ role: "user", content: "the secret prompt" }],
});
const options = () => ({ now: () => world.now, pauses: [1, 1] });

function free(session: PrivateKey = generatePrivateKey()): PayWith {
  const host = `0x${"99".repeat(20)}` as Address;
  return { kind: "free", host, session, expires: 2_000_000_000n, access: parseSignature("00".repeat(64)) };
}

const asking = (pay: PayWith = free(), request: Partial<AskRequest> = {}) =>
  collect(ask(routes, { path: "/v1/chat/completions", body, pay, ...request }, options()));

describe("an honest answer", () => {
  test("streams, has a receipt that verifies, and a bundle that verifies alone", async () => {
    const events = await asking();
    expect(of(events, "error")).toEqual([]);
    expect(of(events, "text").map((event) => event.text)).toEqual(["Hello", " world"]);
    const [done] = of(events, "done");
    expect(done?.answer.texts).toEqual(["Hello world"]);
    const bundle = parseBundle(done?.answer.bundleText ?? "");
    const checks = await verifyBundle(bundle, world.trust);
    expect(checks.failure).toBeUndefined();
    expect(verdictOf(bundle, checks)).toMatchObject({ valid: true, simulated: true });
    expect((await verifyBundle(bundle)).passed).toBe(true);
  });

  test("leaves no word of the request with the gateway", async () => {
    await asking();
    for (const { path, body: sent } of world.seen) {
      expect(fromUtf8(sent.map((byte) => (byte < 128 ? byte : 63)))).not.toContain("secret prompt");
      expect(path).not.toContain("secret");
    }
  });

  test("is paid for by the host's access, signed for this very request", async () => {
    const session = generatePrivateKey();
    let payment: JsonObject = {};
    world.answer = (request) => {
      payment = getObject(request.content, "payment");
      return world.honestAnswer(request, ["x"]);
    };
    const [sent] = of(await asking(free(session)), "sent");
    const digest = freeRequestDigest(fromHex(sent?.request ?? ""));
    expect(isSignedBy(addressOf(session), digest, parseSignature(getString(payment, "signature")))).toBe(
      true,
    );
  });
});

describe("a route is refused", () => {
  const refused = async () => {
    const result = await makeRoute(sources(), "tiny");
    const events = await asking();
    expect(events.map((event) => event.t)).toEqual(["error"]);
    expect(world.seen.some((request) => request.path.startsWith("/v1/teetee/sealed"))).toBe(false);
    return result.ok ? "" : (result.error.details.check ?? result.error.kind);
  };

  test("when the trust file does not name the model", async () => {
    expect((await makeRoute(sources(), "other")).ok).toBe(false);
  });

  test.each<[string, string, (world: FakeWorld) => void]>([
    ["another HPKE key", "report_data", (w) => lie(w, "/evidence", swapKey)],
    [
      "another manifest",
      "model.manifest",
      (w) => lie(w, "/v1/teetee/models/", (json) => ({ ...json, manifest: `${json["manifest"]} ` })),
    ],
    [
      "another price",
      "model.id",
      (w) =>
        lie(w, "/v1/teetee/models/", (json) => ({
          ...json,
          params: { ...(json["params"] as object), price_in: "1" },
        })),
    ],
    [
      "evidence of another node",
      "node.key",
      (w) => {
        w.claim = (claims) => ({ ...claims, signer: `0x${"42".repeat(20)}` as Address });
      },
    ],
    [
      "another chain in the claims",
      "claims.chain",
      (w) => {
        w.claim = (claims) => ({ ...claims, chainId: 1n });
      },
    ],
    [
      "another policy",
      "claims.policy",
      (w) => {
        w.claim = (claims) => ({ ...claims, policyHash: new Uint8Array(32) });
      },
    ],
    [
      "an old block",
      "claims.age",
      (w) => {
        w.claim = (claims) => ({ ...claims, blockTime: BigInt(w.now - 7300) });
      },
    ],
    [
      "a block that is not on chain",
      "claims.block",
      (w) => {
        w.claim = (claims) => ({ ...claims, blockHash: `0x${"78".repeat(32)}` as Hash });
      },
    ],
    [
      "another slot",
      "node.model",
      (w) => {
        w.claim = (claims) => ({ ...claims, slot: 1 - claims.slot });
      },
    ],
    [
      "another shard",
      "node.weights",
      (w) => {
        w.claim = (claims) => ({ ...claims, weightsRoot: `0x${"01".repeat(32)}` as Hash });
      },
    ],
  ])("on %s: check %s", async (_, check, tell) => {
    tell(world);
    expect(await refused()).toBe(check);
  });

  test("when a slot has no node, and when the gateway is gone", async () => {
    world.nodes.pop();
    expect(await refused()).toBe("unreachable");
    world.meddle = () => {
      throw new TypeError("connection refused");
    };
    expect(await refused()).toBe("unreachable");
  });
});

function lie(target: FakeWorld, path: string, change: (json: Record<string, unknown>) => unknown): void {
  target.meddle = async (at, response) => {
    if (!at.includes(path)) return response;
    return new Response(JSON.stringify(change((await response.json()) as Record<string, unknown>)));
  };
}

// The claims' HPKE key, replaced by the gateway's own.
function swapKey(json: Record<string, unknown>): unknown {
  const bytes = Uint8Array.from(atob(String(json["evidence"])), (c) => c.charCodeAt(0));
  const at =
    bytes.length -
    1 -
    [...bytes].reverse().findIndex((_, i, all) => fromUtf8Safe(all.slice(i, i + 8).reverse()) === "hpke-key");
  for (let i = 0; i < 32; i++) bytes[at + 3 + i] = 0x42;
  return { ...json, evidence: btoa(String.fromCharCode(...bytes)) };
}

function fromUtf8Safe(bytes: number[]): string {
  return String.fromCharCode(...bytes);
}

describe("an answer is refused", () => {
  const failure = async () => {
    const events = await asking();
    const [error] = of(events, "error");
    expect(events.at(-1)).toBe(error);
    return error?.error.details.check ?? error?.error.kind;
  };
  const withReceipt = (change: (receipt: Record<string, unknown>) => void) => {
    world.answer = (request) => ({
      events: [
        ...world.honestAnswer(request, ["x"]).events.slice(0, 1),
        { t: "receipt", receipt: world.receipt(request, "x", change) },
      ],
    });
  };

  test("without a receipt", async () => {
    world.answer = (request) => ({ events: world.honestAnswer(request, ["x"]).events.slice(0, 1) });
    expect(await failure()).toBe("receipt.present");
  });

  test.each<[string, (receipt: Record<string, unknown>) => void]>([
    [
      "receipt.output",
      (receipt) => {
        receipt["output"] = `0x${"01".repeat(32)}`;
      },
    ],
    [
      "receipt.input",
      (receipt) => {
        receipt["input"] = `0x${"01".repeat(32)}`;
      },
    ],
    [
      "receipt.cost",
      (receipt) => {
        receipt["cost"] = 1n;
      },
    ],
    [
      "receipt.query",
      (receipt) => {
        receipt["query"] = `0x${"01".repeat(32)}`;
      },
    ],
    [
      "receipt.transcript",
      (receipt) => {
        receipt["transcript"] = `0x${"01".repeat(32)}`;
      },
    ],
  ])("with a false %s", async (check, change) => {
    withReceipt(change);
    expect(await failure()).toBe(check);
  });

  test("when the head signed with another key", async () => {
    const { key } = world.head;
    world.answer = (request) => {
      world.head.key = generatePrivateKey();
      const out = world.honestAnswer(request, ["x"]);
      world.head.key = key;
      return out;
    };
    expect(await failure()).toBe("receipt.signature");
  });

  test("when a chunk was changed on the way", async () => {
    world.meddle = async (path, response) => {
      if (path !== "/v1/teetee/sealed") return response;
      const bytes = new Uint8Array(await response.arrayBuffer());
      bytes[60] = (bytes[60] as number) ^ 1;
      return new Response(bytes);
    };
    expect(await failure()).toBe("refused");
  });

  test("as the head's word when sealed, as nobody's when not", async () => {
    world.answer = () => ({
      events: [{ t: "error", status: 400n, error: { message: "no", type: "x", param: null, code: null } }],
    });
    expect(await failure()).toBe("head");
    world.meddle = (path, response) =>
      path === "/v1/teetee/sealed" ? new Response('{"error":{"message":"no"}}', { status: 400 }) : response;
    expect(await failure()).toBe("unauthenticated");
  });
});

describe("a connection that breaks", () => {
  /** Cuts the n-th stream after some bytes. */
  const cutting = (times: number, keep: number) => {
    let left = times;
    world.meddle = async (path, response) => {
      if (!/sealed|control/.test(path) || response.status !== 200 || left-- <= 0) return response;
      return new Response(new Uint8Array(await response.arrayBuffer()).slice(0, keep));
    };
  };

  test("is taken up again where it broke: no token lost or repeated", async () => {
    for (const keep of [0, 20, 36, 100, 350, 700]) {
      cutting(2, keep);
      const events = await asking();
      expect(
        of(events, "text").map((event) => event.text),
        `${keep}`,
      ).toEqual(["Hello", " world"]);
      expect(events.at(-1)?.t).toBe("done");
    }
  });

  test("is given up in the end, and can be resumed from what was kept, after a reload", async () => {
    cutting(3, 350);
    const events = await asking();
    const [error] = of(events, "error");
    expect(error).toMatchObject({ resumable: true, error: { kind: "cut" } });
    const [sent] = of(events, "sent");
    const resumed = await collect(
      resumeAsk({ gateway: world.gateway, trust: world.trust }, sent?.pending ?? "", options()),
    );
    expect(
      of(resumed, "text")
        .map((event) => event.text)
        .join(""),
    ).toBe("Hello world");
    const [done] = of(resumed, "done");
    expect((await verifyBundle(parseBundle(done?.answer.bundleText ?? ""), world.trust)).passed).toBe(true);
  });

  test("before the head had the request: the same bytes are sent again", async () => {
    const events = await asking();
    const [sent] = of(events, "sent");
    const fresh = world.seen.filter((request) => request.path === "/v1/teetee/sealed");
    world["answers" as never] = new Map() as never;
    const resumed = await collect(
      resumeAsk({ gateway: world.gateway, trust: world.trust }, sent?.pending ?? "", options()),
    );
    expect(resumed.at(-1)?.t).toBe("done");
    const again = world.seen.filter((request) => request.path === "/v1/teetee/sealed");
    expect(again.at(-1)?.body).toEqual(fresh.at(-1)?.body);
  });

  test("pending requests that are not well formed are refused, not thrown", async () => {
    for (const text of ["", "{}", "[]", '{"v":1}']) {
      const events = await collect(
        resumeAsk({ gateway: world.gateway, trust: world.trust }, text, options()),
      );
      expect(events.map((event) => event.t)).toEqual(["error"]);
    }
  });
});

describe("a head that was restarted", () => {
  test("is verified anew before anything else is sent to it", async () => {
    await asking();
    await world.restart(world.head);
    const events = await asking();
    expect(of(events, "again")).toHaveLength(1);
    expect(of(events, "route")).toHaveLength(2);
    expect(events.at(-1)?.t).toBe("done");
  });

  test("is refused when its new evidence does not verify", async () => {
    await asking();
    await world.restart(world.head);
    lie(world, "/evidence", swapKey);
    const [error] = of(await asking(), "error");
    expect(error?.error.details.check).toBe("report_data");
  });
});

describe("stopping", () => {
  test("before anything was sent sends nothing", async () => {
    const handle = ask(routes, { path: "/v1/chat/completions", body, pay: free() }, options());
    await handle.cancel();
    const events = await collect(handle);
    expect(events.at(-1)?.t).toBe("error");
    expect(world.seen.some((request) => request.path.startsWith("/v1/teetee/sealed"))).toBe(false);
  });

  test("in the middle tells the head, and the receipt of what was delivered still counts", async () => {
    const handle = ask(routes, { path: "/v1/chat/completions", body, pay: free() }, options());
    const events: AskEvent[] = [];
    for await (const event of handle.events) {
      events.push(event);
      if (event.t === "text" && event.text === "Hello") await handle.cancel();
    }
    const [done] = of(events, "done");
    expect(done?.answer.cancelled).toBe(true);
    const control = world.seen.filter((request) => request.path.startsWith("/v1/teetee/control"));
    expect(control.map((request) => JSON.parse(fromUtf8(request.body)).op)).toEqual(["cancel"]);
  });
});

test("a whole answer that is not streamed is given as it is", async () => {
  world.answer = (request) => {
    const data = {
      choices: [{ index: 0n, message: { role: "assistant", content: "x" } }],
      usage: { prompt_tokens: 7n, completion_tokens: 2n },
    };
    return {
      events: [
        { t: "body", status: 200n, data },
        { t: "receipt", receipt: world.receipt(request, "x") },
      ],
    };
  };
  const events = await asking();
  const [done] = of(events, "done");
  expect(done?.answer.body).toEqual(
    plainJson({
      choices: [{ index: 0n, message: { role: "assistant", content: "x" } }],
      usage: { prompt_tokens: 7n, completion_tokens: 2n },
    }),
  );
  expect(of(events, "usage")).toEqual([{ t: "usage", tokensIn: 7, tokensOut: 2 }]);
  expect(utf8(done?.answer.bundleText ?? "").length).toBeGreaterThan(1000);
});
