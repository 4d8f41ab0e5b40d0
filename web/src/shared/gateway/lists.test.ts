import { afterEach, expect, it, vi } from "vitest";
import { modelsAnswer, nodeAnswer, nodeDetails, testHost, testKey } from "../testing/fixtures.ts";
import { getHistory, getLatestEvidence } from "./get-history.ts";
import { getModels } from "./get-models.ts";
import { getNode, getNodes, getNodesOfHost } from "./get-nodes.ts";

const answer = (json: unknown) =>
  vi.stubGlobal(
    "fetch",
    vi.fn(async () => Response.json(json)),
  );
const asked = () => String(vi.mocked(fetch).mock.calls[0]?.[0]);

afterEach(() => vi.unstubAllGlobals());

it("models: refuses one without slots or with an odd id, gives amounts as whole numbers", async () => {
  const [entry] = modelsAnswer.data;
  for (const change of [{ slot_list: null }, { model: "0x1" }, { price_in: "1.5" }, { class: "sure" }]) {
    answer({ data: [{ ...entry, teetee: { ...entry?.teetee, ...change } }] });
    await expect(getModels("http://g"), JSON.stringify(change)).rejects.toThrow(/form/);
  }
  answer(modelsAnswer);
  expect((await getModels("http://g"))[0]?.teetee.price_in).toBe(1000n);
});

it("nodes: of a model, of a host, and one; addresses in lower case", async () => {
  answer({ nodes: [nodeAnswer({ key: `0x${"D1".repeat(20)}` })] });
  expect((await getNodes("http://g", "tiny model"))[0]?.key).toBe(testKey);
  expect(asked()).toBe("http://g/v1/teetee/nodes?model=tiny%20model");
  answer({ nodes: [] });
  await getNodesOfHost("http://g", testHost);
  expect(asked()).toBe(`http://g/v1/teetee/nodes?host=${testHost}`);
  answer(nodeDetails({ last_seen: null }));
  expect(await getNode("http://g", testKey)).toMatchObject({ last_seen: null, left: false });
  answer(nodeDetails({ class: "great" }));
  await expect(getNode("http://g", testKey)).rejects.toThrow(/form/);
});

it("history: refuses events of an unknown kind", async () => {
  const event = { at: 5, block: 1, tx: `0x${"11".repeat(32)}`, what: "joined" };
  const shown = { key: testKey, at: 5, sha256: "ab".repeat(32), class: "simulated" };
  answer({ evidence: [shown], events: [{ ...event, what: "sold" }] });
  await expect(getHistory("http://g", testKey)).rejects.toThrow(/form/);
  answer({ evidence: [shown], events: [event] });
  expect(await getHistory("http://g", testKey)).toEqual({ evidence: [shown], events: [event] });
  answer({ evidence: [shown] });
  expect(await getLatestEvidence("http://g", 3)).toEqual([shown]);
});
