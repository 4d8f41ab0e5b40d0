import * as v from "valibot";
import { afterEach, describe, expect, it, vi } from "vitest";
import { askGateway, GatewayError } from "./ask-gateway.ts";

const schema = v.object({ n: v.number() });
const answer = (body: string, init: ResponseInit = {}) =>
  vi.stubGlobal(
    "fetch",
    vi.fn(async () => new Response(body, init)),
  );
const failure = async (): Promise<GatewayError> => {
  const error = await askGateway("http://g", "/x", schema).catch((e: unknown) => e);
  if (!(error instanceof GatewayError)) throw new Error("no GatewayError");
  expect(error.next).not.toBe("");
  return error;
};

afterEach(() => vi.unstubAllGlobals());

describe("askGateway", () => {
  it("says what to do when nothing answers", async () => {
    vi.stubGlobal(
      "fetch",
      vi.fn(() => Promise.reject(new TypeError("Failed to fetch"))),
    );
    expect(await failure()).toMatchObject({ status: 0, message: "The gateway does not answer." });
  });
  it("passes a refusal on in its words", async () => {
    answer('{"error":{"message":"no such model","type":"not_found"}}', { status: 404 });
    expect(await failure()).toMatchObject({ status: 404, message: "no such model" });
  });
  it("names the time to wait", async () => {
    answer('{"error":{"message":"busy"}}', { status: 429, headers: { "retry-after": "3" } });
    expect((await failure()).next).toContain("3 s");
  });
  it("refuses answers that are no JSON or of another form", async () => {
    answer("<html>");
    expect((await failure()).message).toContain("no JSON");
    answer('{"n":"1"}');
    expect((await failure()).message).toContain("(n)");
  });
  it("gives the parsed answer, and sends no cookie", async () => {
    answer('{"n":1,"more":2}');
    expect(await askGateway("http://g", "/x", schema)).toEqual({ n: 1 });
    expect(vi.mocked(fetch).mock.calls[0]?.[1]).toMatchObject({ credentials: "omit" });
  });
});
