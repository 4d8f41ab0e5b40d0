// What a check found, as values. Parsers of foreign bytes throw inside this folder (Malformed, Refused) and give a
// Result at its border: nothing that a stranger sends leaves it as an exception.
import { type CheckId, checkIds } from "./checks";

export interface Refusal {
  readonly check: CheckId;
  /** what was found; never foreign text */
  readonly found: string;
}

export type Result<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly refusal: Refusal };

/** Bytes or fields that are not of the documented form. */
export class Malformed extends Error {}

/** A check that did not pass. */
export class Refused extends Error {
  readonly check: CheckId;
  readonly found: string;

  constructor(check: CheckId, found: string) {
    super(`check ${check}: ${found}`);
    this.check = check;
    this.found = found;
  }
}

export function refusalText(refusal: Refusal): string {
  return `check ${refusal.check}: ${refusal.found}`;
}

function asRefused(check: CheckId, error: unknown): Refused {
  if (error instanceof Refused) return error;
  if (error instanceof Malformed) return new Refused(check, error.message);
  return new Refused(check, `the verifier failed: ${error instanceof Error ? error.name : "unknown error"}`);
}

/** Runs a part of the verification under the check that it is for. */
export function under<T>(check: CheckId, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw asRefused(check, error);
  }
}

/** The border: exceptions become refusals. An error of our own refuses too. */
export function settle<T>(fallback: CheckId, work: () => T): Result<T> {
  try {
    return { ok: true, value: work() };
  } catch (error) {
    const { check, found } = asRefused(fallback, error);
    return { ok: false, refusal: { check, found } };
  }
}

export async function settleAsync<T>(fallback: CheckId, work: () => Promise<T>): Promise<Result<T>> {
  try {
    return { ok: true, value: await work() };
  } catch (error) {
    const { check, found } = asRefused(fallback, error);
    return { ok: false, refusal: { check, found } };
  }
}

export function isCheckId(text: string): text is CheckId {
  return checkIds.has(text);
}
