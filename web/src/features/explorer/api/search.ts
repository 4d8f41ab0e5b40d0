// What the gateway knows under a text. Its matches only say where to look; the page there proves what it shows.
import * as v from "valibot";
import { askGateway } from "@/shared/gateway/ask-gateway.ts";
import { short } from "@/shared/gateway/forms.ts";
import { guesses, type Match, readSearch } from "../lib/search-text.ts";

const schema = v.object({
  matches: v.pipe(
    v.array(
      v.object({
        kind: v.picklist(["receipt", "query", "address", "node", "model", "batch"]),
        id: short,
        title: short,
      }),
    ),
    v.maxLength(200),
  ),
});

export async function search(gateway: string, text: string, signal?: AbortSignal): Promise<Match[]> {
  const found = await askGateway(gateway, `/v1/teetee/search?q=${encodeURIComponent(text)}`, schema, {
    signal,
  });
  return found.matches;
}

/** Matches of the gateway; without it, or without any, the pages that the text's shape allows. */
export async function findMatches(
  gateway: string,
  text: string,
  signal?: AbortSignal,
): Promise<{ matches: Match[]; guessed: boolean }> {
  const matches = await search(gateway, text, signal).catch(() => []);
  return matches.length > 0
    ? { matches, guessed: false }
    : { matches: guesses(readSearch(text)), guessed: true };
}
