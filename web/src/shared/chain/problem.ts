// What went wrong with a wallet or the chain, for a person: message, cause, next step; and a kind for the page to offer the right button.
import {
  BaseError,
  ChainMismatchError,
  ContractFunctionRevertedError,
  HttpRequestError,
  InsufficientFundsError,
  TimeoutError,
  UserRejectedRequestError,
} from "viem";
import type { Problem } from "../ui/states.tsx";

export type ChainProblemKind = "refused" | "wrong-chain" | "funds" | "reverted" | "rpc" | "busy" | "no-wallet" | "unknown";

export interface ChainProblem extends Problem {
  readonly kind: ChainProblemKind;
  // The contract's own name of the error, when it reverted with one.
  readonly reverted?: string | undefined;
}

const NOTHING_MOVED = "No money moved.";

// What the contracts' errors mean to the person who sent the transaction.
const REVERTS: Readonly<Record<string, readonly [message: string, next: string]>> = {
  NotUser: ["This is for the account that paid", "Connect the wallet that opened the tab or the query."],
  BadQuery: ["The contract does not take this question", "Load the page again; its clock or the model may be off."],
  NotOpen: ["This query is already settled or refunded", "Look it up in the explorer; a refund is on your balance."],
  TooEarly: ["It is too early for that", "Wait until the time that the page names, then try again."],
  WrongTab: ["There is no such tab, or it is closing already", "Load the page again to see the tab as it is now."],
  TransferFailed: ["The receiver refused the money", "Withdraw to another address."],
  OverCharge: ["A key is owed more than the contract can add", "Collect its earnings first."],
  NotAdmitted: ["A node's lease has ended", "Renew the lease, then try again."],
  UnknownModel: ["The registry does not know this model or slot", "Choose the model again; check the chain in the settings."],
  StaleBlock: ["The evidence is older than 256 blocks", "Run the checks again and send at once."],
  WrongReportData: ["The evidence was made for another wallet, node or slot", "Connect the wallet that the node names, and run the checks again."],
  KeyTaken: ["This node's key already belongs to another host or slot", "Start the node with a new key."],
  NotHost: ["This is for the node's host", "Connect the wallet that joined the node."],
  AlreadyAdded: ["This model is registered already", "Choose it from the list."],
  BadModel: ["The registry does not take these parameters", "Check prices, shares and times."],
  Expired: ["The auditor's approval has expired", "Run the checks again and send at once."],
  TooFewApprovals: ["Too few auditors approved this node", "Ask the other auditors, or choose a model with another verifier."],
  WrongApproval: ["An approval is not one of a named auditor", "Run the checks again; the gateway may use another auditor."],
};

export function problemOf(error: unknown): ChainProblem {
  const base = error instanceof BaseError ? error : null;
  const found = <T,>(type: new (...args: never[]) => T): T | null => (base?.walk((e) => e instanceof type) as T | null) ?? null;
  const text = [base?.shortMessage, base?.details, error instanceof Error ? error.message : String(error)].join(" ");
  if (found(UserRejectedRequestError) || codeOf(error) === 4001 || /user (rejected|denied)/i.test(text)) {
    return { kind: "refused", message: "You refused in your wallet", cause: NOTHING_MOVED, next: "Try again when you are ready." };
  }
  if (codeOf(error) === -32002) {
    return { kind: "busy", message: "Your wallet is still asking", cause: "An earlier request waits there.", next: "Open the wallet and answer it." };
  }
  const revert = found(ContractFunctionRevertedError);
  if (revert) return revertedProblem(revert.data?.errorName, revert.data?.args, revert.reason);
  if (found(ChainMismatchError) || codeOf(error) === 4902) return wrongChain();
  if (found(InsufficientFundsError) || /insufficient funds|exceeds the balance/i.test(text)) {
    return {
      kind: "funds",
      message: "There is not enough ETH in this wallet",
      cause: `The sum and the fee are more than it holds. ${NOTHING_MOVED}`,
      next: "Send ETH to this address, or choose a smaller sum.",
    };
  }
  if (found(HttpRequestError) || found(TimeoutError) || /failed to fetch|fetch failed|networkerror|http request failed/i.test(text)) return rpcDown();
  return { kind: "unknown", message: "That did not work", cause: base?.shortMessage ?? firstLine(text), next: "Try again." };
}

function revertedProblem(name: string | undefined, args: readonly unknown[] | undefined, reason: string | undefined): ChainProblem {
  if (name === "Panic" && args?.[0] === 17n) {
    return {
      kind: "reverted",
      reverted: "Panic",
      message: "Your credits are not enough",
      cause: `The contract would have gone below zero. ${NOTHING_MOVED}`,
      next: "Buy credits, or choose a smaller sum.",
    };
  }
  const words = name ? REVERTS[name] : undefined;
  return {
    kind: "reverted",
    reverted: name,
    message: words?.[0] ?? "The contract refused",
    cause: `${name ?? reason ?? "It gave no reason."}${name ? `. ${NOTHING_MOVED}` : ""}`,
    next: words?.[1] ?? "Load the page again, then try again.",
  };
}

export function wrongChain(name = "the chain of this page"): ChainProblem {
  return {
    kind: "wrong-chain",
    message: "Your wallet is on another chain",
    cause: NOTHING_MOVED,
    next: `Switch the wallet to ${name}.`,
  };
}

export function noWallet(): ChainProblem {
  return { kind: "no-wallet", message: "No wallet is connected", next: "Connect one first." };
}

export function rpcDown(): ChainProblem {
  return {
    kind: "rpc",
    message: "The chain does not answer",
    cause: "The RPC address of this page or wallet cannot be reached.",
    next: "Try again in a moment, or check the RPC in the settings. What was sent already is not lost.",
  };
}

// A mined transaction that failed. The chain keeps no reason.
export function minedReverted(): ChainProblem {
  return {
    kind: "reverted",
    message: "The transaction was reverted",
    cause: "The chain took it up, but the contract did not carry it out. It moved nothing but its fee.",
    next: "Try again. If it happens again, load the page anew: something may have changed in between.",
  };
}

function codeOf(error: unknown): number | null {
  for (let at = error, depth = 0; at && depth < 8; at = (at as { cause?: unknown }).cause, depth += 1) {
    const code = (at as { code?: unknown }).code;
    if (typeof code === "number") return code;
  }
  return null;
}

function firstLine(text: string): string {
  return text.trim().split("\n")[0]?.slice(0, 200) ?? "";
}
