// The end of an answer: settled, its receipt checked, its bundle made.
import type { Wei } from "../verify/bytes";
import type { Claims } from "../verify/claims";
import type { TrustFile } from "../verify/trust-file";
import { ledgerDomain, typedDigest } from "../verify/typed-data";
import type { Progress } from "./answer-events";
import type { AskEvent } from "./ask-types";
import { type Bundle, bundleText } from "./bundle";
import { ClientError } from "./client-error";
import type { Pending } from "./exchange";
import { checkReceipt } from "./receipt-check";
import type { Tabs } from "./tabs";

export interface Judge {
  readonly trust: TrustFile;
  /** of the plan's nodes, as verified, by slot */
  readonly claims: readonly Claims[];
}

// A receipt that does not verify is an error: the answer must not be trusted.
export async function* conclude(
  cancelled: () => boolean,
  judge: Judge,
  pending: Pending,
  progress: Progress,
  tabs: Tabs | undefined,
): AsyncGenerator<AskEvent> {
  const { charge, keys, base } = pending;
  const cost = progress.receipt?.receipt.cost ?? (0n as Wei);
  const over = progress.done || progress.receipt !== undefined;
  if (charge.kind === "tab" && over) await tabs?.settle(charge.line, keys.request, charge.epoch, cost);
  if (progress.error !== undefined) {
    yield { t: "error", error: progress.error, resumable: false };
    return;
  }
  if (progress.receipt === undefined) {
    const check = "receipt.present";
    throw new ClientError("refused", `check ${check}: the head gave an answer without a receipt`, { check });
  }
  const domain = ledgerDomain(judge.trust.chainId, judge.trust.ledger);
  const checks = checkReceipt(progress.receipt, {
    ...base,
    trust: judge.trust,
    request: keys.request,
    outputs: progress.texts,
    claims: judge.claims,
    mode: charge.kind,
    strictQuery: base.query === undefined ? undefined : typedDigest(domain, "Query", base.query),
  });
  yield { t: "receipt", document: progress.receipt, checks };
  const bundle: Bundle = {
    ...base,
    receipt: progress.receipt,
    outputs: progress.texts,
    settlement: undefined,
  };
  const text = bundleText(bundle);
  if (!checks.passed) {
    const failure = checks.failure;
    const error = new ClientError("refused", `check ${failure?.id}: ${failure?.text}`, {
      check: failure?.id ?? "",
      next: "Do not trust this answer. Keep the bundle: it shows what the head signed.",
    });
    yield { t: "error", error, resumable: false, checks, bundleText: text };
    return;
  }
  const { tokensIn, tokensOut } = progress.receipt.receipt;
  const answer = {
    texts: progress.texts,
    cost,
    tokensIn,
    tokensOut,
    cancelled: cancelled(),
    body: progress.body,
    bundle,
    bundleText: text,
  };
  yield { t: "done", answer };
}
