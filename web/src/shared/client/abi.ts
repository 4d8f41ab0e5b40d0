// The parts of the contracts that this client calls (contracts/src/interfaces), as viem takes them. A test compares them
// with the interfaces' own selectors.

const queryTuple = {
  name: "q",
  type: "tuple",
  components: [
    { name: "user", type: "address" },
    { name: "model", type: "bytes32" },
    { name: "head", type: "address" },
    { name: "input", type: "bytes32" },
    { name: "maxCost", type: "uint128" },
    { name: "deadline", type: "uint64" },
    { name: "nonce", type: "uint64" },
  ],
} as const;

const receiptTuple = {
  name: "r",
  type: "tuple",
  components: [
    { name: "query", type: "bytes32" },
    { name: "line", type: "bytes32" },
    { name: "input", type: "bytes32" },
    { name: "output", type: "bytes32" },
    { name: "tokensIn", type: "uint32" },
    { name: "tokensOut", type: "uint32" },
    { name: "cost", type: "uint128" },
    { name: "transcript", type: "bytes32" },
  ],
} as const;

interface Parameter {
  readonly name: string;
  readonly type: string;
  readonly components?: readonly Parameter[];
}

function method<
  const N extends string,
  const I extends readonly Parameter[],
  const O extends readonly Parameter[],
>(name: N, inputs: I, outputs: O, stateMutability: "view" | "nonpayable" | "payable" = "nonpayable") {
  return { type: "function", name, inputs, outputs, stateMutability } as const;
}

const unnamed = <const T extends string>(type: T) => [{ name: "", type }] as const;

export const ledgerAbi = [
  method("buy", [{ name: "to", type: "address" }], [], "payable"),
  method(
    "withdraw",
    [
      { name: "amount", type: "uint256" },
      { name: "to", type: "address" },
    ],
    [],
  ),
  method("open", [queryTuple], [{ name: "id", type: "bytes32" }]),
  method("refund", [queryTuple], []),
  method(
    "fund",
    [
      { name: "model", type: "bytes32" },
      { name: "head", type: "address" },
      { name: "amount", type: "uint128" },
      { name: "signer", type: "address" },
    ],
    [],
  ),
  method("close", [{ name: "line", type: "bytes32" }], []),
  method(
    "finish",
    [
      { name: "user", type: "address" },
      { name: "line", type: "bytes32" },
    ],
    [],
  ),
  method(
    "release",
    [
      { name: "user", type: "address" },
      { name: "model", type: "bytes32" },
      { name: "head", type: "address" },
      { name: "epoch", type: "uint32" },
      { name: "used", type: "uint128" },
      { name: "hr", type: "bytes32" },
      { name: "hvs", type: "bytes32" },
    ],
    [],
  ),
  method(
    "collect",
    [
      { name: "line", type: "bytes32" },
      { name: "key", type: "address" },
    ],
    [],
  ),
  method("balanceOf", [{ name: "owner", type: "address" }], unnamed("uint256"), "view"),
  method("record", [{ name: "query", type: "bytes32" }], unnamed("bytes32"), "view"),
  method(
    "tab",
    [
      { name: "user", type: "address" },
      { name: "line", type: "bytes32" },
    ],
    [
      { name: "funded", type: "uint128" },
      { name: "spent", type: "uint128" },
      { name: "signer", type: "address" },
      { name: "epoch", type: "uint32" },
      { name: "closeAt", type: "uint48" },
    ],
    "view",
  ),
  method(
    "account",
    [
      { name: "line", type: "bytes32" },
      { name: "key", type: "address" },
    ],
    [
      { name: "worked", type: "uint88" },
      { name: "used", type: "uint88" },
      { name: "owed", type: "uint80" },
    ],
    "view",
  ),
  method(
    "batchRoot",
    [
      { name: "line", type: "bytes32" },
      { name: "seq", type: "uint64" },
    ],
    unnamed("bytes32"),
    "view",
  ),
  method(
    "verifyReceipt",
    [receiptTuple, { name: "seq", type: "uint64" }, { name: "proof", type: "bytes32[]" }],
    unnamed("bool"),
    "view",
  ),
] as const;

export const registryAbi = [
  method("timeoutOf", [{ name: "model", type: "bytes32" }], unnamed("uint32"), "view"),
  method("hostOf", [{ name: "key", type: "address" }], unnamed("address"), "view"),
  method(
    "hostUntil",
    [
      { name: "model", type: "bytes32" },
      { name: "host", type: "address" },
    ],
    unnamed("uint40"),
    "view",
  ),
  method(
    "isLive",
    [
      { name: "model", type: "bytes32" },
      { name: "slot", type: "uint8" },
      { name: "key", type: "address" },
    ],
    unnamed("bool"),
    "view",
  ),
  method(
    "join",
    [
      { name: "model", type: "bytes32" },
      { name: "slot", type: "uint8" },
      { name: "key", type: "address" },
      { name: "url", type: "string" },
      { name: "quote", type: "bytes" },
      { name: "blockNumber", type: "uint256" },
    ],
    [],
  ),
  method(
    "setUrl",
    [
      { name: "key", type: "address" },
      { name: "url", type: "string" },
    ],
    [],
  ),
  method(
    "leave",
    [
      { name: "key", type: "address" },
      { name: "other", type: "address" },
    ],
    [],
  ),
] as const;
