// For tests against a development chain: the reader and writer of chain.ts, by viem.
import { createPublicClient, createWalletClient, type Hex, http } from "viem";
import { privateKeyToAccount } from "viem/accounts";
import { foundry } from "viem/chains";
import type { Address, Hash } from "../../verify/bytes";
import { compactFromWallet } from "../../verify/secp256k1";
import type { ChainReader, ChainWriter } from "../chain";

// A chain that shares a small machine with everything else takes its time.
const patience = { timeout: 60_000, retryCount: 3 };

export function viemReader(rpc: string): ChainReader {
  const client = createPublicClient({ chain: foundry, transport: http(rpc, patience), cacheTime: 0 });
  return {
    getChainId: () => client.getChainId(),
    getBlock: (args) => client.getBlock(args),
    getBalance: (args) => client.getBalance(args),
    readContract: (call) => client.readContract(call as never),
  };
}

export function viemWriter(rpc: string, key: Hex, domain: { chainId: bigint; ledger: Address }): ChainWriter {
  const account = privateKeyToAccount(key);
  const transport = http(rpc, patience);
  const wallet = createWalletClient({ account, chain: foundry, transport });
  const reader = createPublicClient({ chain: foundry, transport, pollingInterval: 100 });
  return {
    address: account.address.toLowerCase() as Address,
    write: async (call) => {
      const tx = await wallet.writeContract({ ...call, account, chain: foundry } as never);
      const receipt = await reader.waitForTransactionReceipt({ hash: tx });
      if (receipt.status !== "success") throw new Error("the transaction was reverted");
      return { tx: tx as Hash };
    },
    signAccess: async (access) => {
      const signature = await account.signTypedData({
        domain: {
          name: "TeeTee",
          version: "1",
          chainId: Number(domain.chainId),
          verifyingContract: domain.ledger,
        },
        types: {
          Access: [
            { name: "host", type: "address" },
            { name: "model", type: "bytes32" },
            { name: "session", type: "bytes32" },
            { name: "expires", type: "uint64" },
          ],
        },
        primaryType: "Access",
        message: access,
      });
      return compactFromWallet(signature);
    },
  };
}
