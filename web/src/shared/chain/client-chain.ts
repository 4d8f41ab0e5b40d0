// The chain as the client core wants it, answered by the wallet library of the page.
import { BaseError } from "viem";
import { getChainId } from "viem/actions";
import type { Config } from "wagmi";
import { getBalance, getBlock, getClient, getConnection, readContract, signMessage, signTypedData } from "wagmi/actions";
import type { ChainReader, ChainWriter } from "../client/chain.ts";
import { ClientError } from "../client/client-error.ts";
import { type Address, parseHash } from "../verify/bytes.ts";
import { compactFromWallet } from "../verify/secp256k1.ts";
import type { Call } from "./calls.ts";
import { problemOf } from "./problem.ts";
import { sendCall, type TransactionState } from "./use-transaction.ts";

// viem's messages carry the whole request; the first line is what a person can use. Names stay: "not found" is told by them.
async function briefly<T>(asking: Promise<T>): Promise<T> {
  try {
    return await asking;
  } catch (error) {
    if (!(error instanceof BaseError)) throw error;
    const brief = new Error(error.shortMessage, { cause: error });
    brief.name = error.name;
    throw brief;
  }
}

export function chainReader(config: Config): ChainReader {
  const chainId = config.chains[0].id;
  return {
    getChainId: async () => {
      const client = getClient(config, { chainId });
      if (!client) throw new ClientError("unreachable", "the chain cannot be reached");
      return briefly(getChainId(client));
    },
    getBlock: (args) => briefly(getBlock(config, { ...args, chainId } as never)),
    getBalance: async ({ address }) => (await briefly(getBalance(config, { address, chainId }))).value,
    readContract: (call) => briefly(readContract(config, { ...call, chainId } as never)),
  };
}

// What the user is about to sign, by the contract's function.
const DOES: Readonly<Record<string, string>> = {
  buy: "Buy credits",
  fund: "Open or top up a tab",
  open: "Pay for one question",
  refund: "Get a refund",
};

// `report` hears each step of each transaction. Errors are ClientErrors of kind "money".
export function chainWriter(config: Config, ledger: Address, report: (state: TransactionState) => void): ChainWriter {
  const { address } = getConnection(config);
  if (!address) throw new ClientError("money", "no wallet is connected", { next: "Connect one first." });
  return {
    address: address.toLowerCase() as Address,
    write: async (call) => {
      const does = DOES[call.functionName] ?? call.functionName;
      const end = await sendCall(config, { does, ...call } as Call, report);
      if (end.step === "mined") return { tx: parseHash(end.hash) };
      throw moneyError(end);
    },
    signAccess: async ({ host, model, session, expires }) => {
      const domain = { name: "TeeTee", version: "1", chainId: config.chains[0].id, verifyingContract: ledger };
      const message = { host, model, session, expires };
      return compactFromWallet(await asked(signTypedData(config, { domain, types: ACCESS, primaryType: "Access", message })));
    },
  };
}

export const messageSigner = (config: Config) => (message: string) => asked(signMessage(config, { message }));

async function asked<T>(signing: Promise<T>): Promise<T> {
  try {
    return await signing;
  } catch (error) {
    const { message, next } = problemOf(error);
    throw new ClientError("money", message, next === undefined ? {} : { next });
  }
}

// docs/formats/typed-data.md
const ACCESS = {
  Access: [
    { name: "host", type: "address" },
    { name: "model", type: "bytes32" },
    { name: "session", type: "bytes32" },
    { name: "expires", type: "uint64" },
  ],
} as const;

function moneyError(end: TransactionState): ClientError {
  if (end.step !== "failed") return new ClientError("money", "the transaction did not end");
  const { message, cause, next } = end.problem;
  return new ClientError("money", cause ? `${message}. ${cause}` : message, next === undefined ? {} : { next });
}
