// The ends of join.ts in the world: node behind the relay, auditor behind the gateway, wallet and chain.
import { type Address, encodeAbiParameters, type Hash, hexToBytes, keccak256, type PublicClient } from "viem";
import type { Config } from "wagmi";
import { registryAbi } from "@/shared/chain/abi.ts";
import { join } from "@/shared/chain/calls.ts";
import { sendCall, type TransactionState } from "@/shared/chain/use-transaction.ts";
import { getNodes } from "@/shared/gateway/get-nodes.ts";
import { verifyJoinQuote } from "@/shared/verify/peer.ts";
import { approve } from "./approve.ts";
import { JoinError, type JoinEvidence, type JoinPorts, type JoinRequest } from "./join.ts";
import { type FullJoinEvidence, getJoinEvidence } from "./join-evidence.ts";
import type { World } from "./world.ts";

const JOIN_WORDS = ["uint256", "address", "address", "address", "bytes32", "bytes32"].map((type) => ({
  type,
}));

/** docs/formats/typed-data.md, "join report data". */
export function joinReportData(
  chainId: bigint,
  registry: string,
  evidence: Pick<JoinEvidence, "host" | "key" | "weights">,
  blockHash: string,
): Hash {
  return keccak256(
    encodeAbiParameters(JOIN_WORDS, [
      chainId,
      registry,
      evidence.host,
      evidence.key,
      evidence.weights,
      blockHash,
    ]),
  );
}

export function makeJoinPorts(world: World, request: JoinRequest, wallet: Config): JoinPorts {
  const { gateway, client, registry, trust } = world;
  let sending: Promise<TransactionState> | null = null;
  const now = () => Math.floor(Date.now() / 1000);
  return {
    block: () => newestUsableBlock(client),
    joinEvidence: (host, block) => getJoinEvidence(gateway, request.url, host, block),
    expectedReportData: (evidence, blockHash) => joinReportData(trust.chainId, registry, evidence, blockHash),
    verifyQuote: async (evidence) => {
      const { quote, collateral, reportData } = evidence as FullJoinEvidence;
      const verdict = await verifyJoinQuote(quote, collateral, hexToBytes(reportData as Hash), trust, now());
      return verdict.ok
        ? { ok: true }
        : { ok: false, reason: `check ${verdict.refusal.check}: ${verdict.refusal.found}` };
    },
    approve: (evidence) => approve(gateway, evidence.raw),
    send: (_, approval, block) => {
      const call = join(
        registry,
        request.model as Hash,
        request.slot,
        request.key as Address,
        request.url,
        approval.quote,
        block,
      );
      return new Promise((resolve, reject) => {
        sending = sendCall(wallet, call, (state) => {
          if (state.step === "sent") resolve(state.hash);
          if (state.step === "failed") reject(joinError(state));
        });
      });
    },
    mined: async () => {
      const end = await sending;
      if (end?.step === "mined") return { ok: true, block: end.receipt.blockNumber };
      if (end?.step === "failed") throw joinError(end);
      return { ok: false, block: 0n };
    },
    live: () => waitUntilLive(world, request),
    now,
  };
}

function joinError({ problem }: Extract<TransactionState, { step: "failed" }>): JoinError {
  return new JoinError([problem.message, problem.cause].filter(Boolean).join(". "), problem.next ?? "");
}

// A contract sees the hashes of blocks before its own: the newest one is not there yet when the call is tried.
async function newestUsableBlock(client: PublicClient): Promise<{ number: bigint; hash: string }> {
  const newest = await client.getBlockNumber({ cacheTime: 0 });
  const block = await client.getBlock({ blockNumber: newest > 0n ? newest - 1n : newest });
  return { number: block.number, hash: block.hash };
}

// The chain says that it is admitted, and the gateway lists it.
async function waitUntilLive({ gateway, client, registry }: World, request: JoinRequest): Promise<boolean> {
  const args = [request.model as Hash, request.slot, request.key as Address] as const;
  for (let tries = 0; tries < 40; tries += 1) {
    const [admitted, nodes] = await Promise.all([
      client
        .readContract({ address: registry, abi: registryAbi, functionName: "isLive", args })
        .catch(() => false),
      getNodes(gateway, request.model).catch(() => []),
    ]);
    if (admitted && nodes.some((node) => node.key === request.key.toLowerCase() && node.live)) return true;
    await new Promise((resolve) => setTimeout(resolve, 1000));
  }
  return false;
}
