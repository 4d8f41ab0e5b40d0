import {
  type BaseError,
  ContractFunctionExecutionError,
  ContractFunctionRevertedError,
  HttpRequestError,
  InsufficientFundsError,
  UserRejectedRequestError,
  encodeErrorResult,
  parseAbi,
} from "viem";
import { expect, test } from "vitest";
import { ledgerAbi, registryAbi } from "./abi.ts";
import { problemOf } from "./problem.ts";

const reverted = (abi: typeof ledgerAbi | typeof registryAbi, errorName: string, functionName: string) => {
  const data = encodeErrorResult({ abi, errorName, args: [] } as never);
  const cause = new ContractFunctionRevertedError({ abi, data, functionName });
  return new ContractFunctionExecutionError(cause as unknown as BaseError, { abi, functionName, args: [] });
};

test("a refusal in the wallet says that no money moved", () => {
  const problem = problemOf(new UserRejectedRequestError(new Error("User rejected the request.")));
  expect(problem).toMatchObject({ kind: "refused", cause: "No money moved." });
  expect(problemOf({ code: 4001, message: "no" }).kind).toBe("refused");
});

test("an error of a contract is named and explained", () => {
  expect(problemOf(reverted(ledgerAbi, "TooEarly", "refund"))).toMatchObject({ kind: "reverted", reverted: "TooEarly", message: "It is too early for that" });
  expect(problemOf(reverted(registryAbi, "StaleBlock", "join")).next).toMatch(/Run the checks again/);
});

test("an underflow in the Ledger is missing credits", () => {
  const panic = encodeErrorResult({ abi: parseAbi(["error Panic(uint256)"]), errorName: "Panic", args: [17n] });
  const cause = new ContractFunctionRevertedError({ abi: ledgerAbi, data: panic, functionName: "open" });
  expect(problemOf(cause)).toMatchObject({ kind: "reverted", message: "Your credits are not enough" });
});

test("too little ETH, a chain that does not answer, a busy wallet", () => {
  expect(problemOf(new InsufficientFundsError()).kind).toBe("funds");
  expect(problemOf(new HttpRequestError({ url: "http://127.0.0.1:1" })).kind).toBe("rpc");
  expect(problemOf(new TypeError("Failed to fetch")).kind).toBe("rpc");
  expect(problemOf({ code: -32002, message: "already pending" }).kind).toBe("busy");
  expect(problemOf({ code: 4902, message: "unknown chain" }).kind).toBe("wrong-chain");
});

test("whatever else still says what to do", () => {
  expect(problemOf(new Error("strange\nthing"))).toMatchObject({ kind: "unknown", cause: "strange", next: "Try again." });
});
