// The sealed vectors of tests/vectors/protocol, opened with what is here. The same code in Node and in a browser; only `load` differs.
import { fromHex, fromUtf8, toHex, utf8 } from "../../verify/bytes";
import { dumpJson, type Json, plainJson } from "../../verify/json";
import type { CaseResult, Load } from "../../verify/testing/cases";
import { controlMessage, type ExchangeKeys, headerText, ResponseOpener } from "../sealed";
import { openWire } from "./open-wire";

interface SealedVectors {
  readonly wire: string;
  readonly header: string;
  readonly head_secret: string;
  readonly content: string;
  readonly answer: string;
  readonly events: unknown;
  readonly response_secret: string;
  readonly control_key: string;
}

interface PageVectors {
  readonly wire: string;
  readonly head_secret: string;
  readonly body: string;
  readonly keys: ExchangeKeys;
  readonly control: unknown;
}

/** The keys of the exchange that sealed.json holds. */
export function exchangeKeys(vectors: SealedVectors): ExchangeKeys {
  const { request, head } = JSON.parse(vectors.header);
  const at = 8 + utf8(vectors.header).length;
  const enc = toHex(fromHex(vectors.wire).subarray(at, at + 32));
  return { request, head, enc, response: vectors.response_secret, control: vectors.control_key };
}

export async function openAll(opener: ResponseOpener, bytes: Uint8Array, step: number): Promise<Json[]> {
  const events: Json[] = [];
  for (let at = 0; at < bytes.length; at += step)
    events.push(...(await opener.push(bytes.subarray(at, at + step))));
  return events;
}

function result(id: string, found: unknown, wanted: unknown): CaseResult {
  const [has, wants] = [JSON.stringify(found), JSON.stringify(wanted)];
  return { id, verdict: has === wants ? "agrees" : "differs", disagreements: has === wants ? [] : [`${has}, not ${wants}`] };
}

async function requestCase(vectors: SealedVectors): Promise<CaseResult> {
  const opened = await openWire(fromHex(vectors.wire), vectors.head_secret);
  const wanted = [headerText(JSON.parse(vectors.header)), vectors.content];
  return result("request of the C++ client", [opened.header, dumpJson(opened.content)], wanted);
}

async function answerCase(vectors: SealedVectors, step: number): Promise<CaseResult> {
  const opener = new ResponseOpener(exchangeKeys(vectors));
  const events = plainJson(await openAll(opener, fromHex(vectors.answer), step));
  return result(`answer of the head, ${step} bytes at a time`, [events, opener.finished], [vectors.events, true]);
}

async function pageCase(page: PageVectors): Promise<CaseResult> {
  const { content } = await openWire(fromHex(page.wire), page.head_secret);
  const control = plainJson(controlMessage(page.keys, "resume", 3, 4));
  return result("request of the page", [(plainJson(content) as PageVectors).body, control], [page.body, page.control]);
}

async function forgedCase(page: PageVectors): Promise<CaseResult> {
  const opened = await openWire(fromHex(page.wire), "0b".repeat(32)).then(
    () => true,
    () => false,
  );
  return result("request of the page, with another key", opened, false);
}

export async function runSealedCases(load: Load): Promise<CaseResult[]> {
  const read = async (name: string) => JSON.parse(fromUtf8(await load(name)));
  const vectors: SealedVectors = await read("sealed.json");
  const page: PageVectors = await read("page.json");
  const answers = [1, 97, vectors.answer.length].map((step) => answerCase(vectors, step));
  return Promise.all([requestCase(vectors), ...answers, pageCase(page), forgedCase(page)]);
}
