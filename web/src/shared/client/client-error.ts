// What went wrong between this page and the others, for people: what happened, whose word it is, and what to do next.
import { Malformed, Refused } from "../verify/refusal";

export type ClientErrorKind =
  /** a check of evidence, receipt or model failed: nothing more is sent */
  | "refused"
  /** the gateway, a node or the chain does not answer */
  | "unreachable"
  /** the head said no, sealed: nobody else can have said it */
  | "head"
  /** somebody on the way said no: nothing proves who */
  | "unauthenticated"
  /** not enough money, or the wallet said no */
  | "money"
  /** the answer broke off */
  | "cut"
  /** what was asked for is not known or not well formed */
  | "invalid";

export interface ClientErrorDetails {
  /** the check that failed, if one did */
  readonly check?: string;
  /** HTTP status, if there was one */
  readonly status?: number;
  /** OpenAI's error code, if there was one */
  readonly code?: string;
  /** what the person can do next */
  readonly next?: string;
}

export class ClientError extends Error {
  readonly kind: ClientErrorKind;
  readonly details: ClientErrorDetails;

  constructor(kind: ClientErrorKind, message: string, details: ClientErrorDetails = {}) {
    super(message);
    this.name = "ClientError";
    this.kind = kind;
    this.details = details;
  }
}

const textLimit = 500;

/** Foreign text for the screen: no control characters, bounded. */
export function foreignText(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: that is what it removes
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g, " ").slice(0, textLimit);
}

/** Any error as a ClientError; `doing` says what was tried. */
export function asClientError(error: unknown, doing: string): ClientError {
  if (error instanceof ClientError) return error;
  if (error instanceof Refused) return new ClientError("refused", error.message, { check: error.check });
  if (error instanceof Malformed) return new ClientError("unauthenticated", `${doing}: ${error.message}`);
  const text = error instanceof Error ? error.message : "unknown error";
  return new ClientError("unreachable", `${doing}: ${foreignText(text)}`);
}
