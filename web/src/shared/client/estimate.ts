// What a request may cost at most, guessed from outside: the head says the exact need when the guess is short. The rules
// of src/client/asker.cc.
import type { Wei } from "../verify/bytes";
import { utf8 } from "../verify/bytes";
import { isObject, type Json, parseJson } from "../verify/json";
import type { ModelParams } from "../verify/model-params";
import { Malformed } from "../verify/refusal";
import { costOf } from "../verify/typed-data";

const defaultMaxTokens = 512;
export const mostTokens = 200_000;

export interface Estimate {
  /** signed for */
  readonly most: Wei;
  /** never signed for more, whatever the head asks */
  readonly limit: Wei;
}

function numberOr(body: Json, key: string, otherwise: number): number {
  const value = isObject(body) ? body[key] : undefined;
  return typeof value === "bigint" && value >= 0n ? Number(value > 1n << 24n ? 1n << 24n : value) : otherwise;
}

/** The body as JSON, and the model that it names. Throws Malformed. */
export function readBody(body: string): { readonly json: Json; readonly model: string } {
  const json = parseJson(body);
  const model = isObject(json) ? json["model"] : undefined;
  if (typeof model !== "string") throw new Malformed("the request names no model");
  return { json, model };
}

/** Throws Malformed when the request may take more tokens than one request should. */
export function estimateCost(body: string, params: ModelParams): Estimate {
  const { json } = readBody(body);
  const max = numberOr(json, "max_completion_tokens", numberOr(json, "max_tokens", defaultMaxTokens));
  const choices = Math.max(1, Math.min(64, numberOr(json, "n", 1)));
  const tokensIn = Math.floor(utf8(body).length / 3) + 64;
  const tokensOut = max * choices;
  if (tokensIn + tokensOut > mostTokens) {
    throw new Malformed(`the request may take more tokens than this client allows for one (${mostTokens})`);
  }
  const cost = (tokens: number) => costOf(tokens, tokensOut, params.priceIn, params.priceOut);
  return { most: cost(tokensIn), limit: cost(4 * tokensIn + 4096) };
}
