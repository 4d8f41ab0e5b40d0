// A node's evidence, fetched through the gateway and judged in this page: now, or as it was at some time.
import { useQuery } from "@tanstack/react-query";
import { getEvidence, getPastEvidence } from "../gateway/get-history.ts";
import { useSetup } from "../setup/setup.tsx";
import type { TrustFile } from "../verify/trust-file.ts";
import {
  type EvidenceJudgement,
  judgeNodeEvidence,
  type NodeEvidence,
  parseNodeEvidence,
} from "./node-evidence.ts";

export interface JudgedEvidence {
  readonly shown: NodeEvidence;
  readonly judgement: EvidenceJudgement;
  readonly at: number; // unix seconds: the time it was judged for
}

async function judge(answer: unknown, key: string, trust: TrustFile, at: number): Promise<JudgedEvidence> {
  const shown = parseNodeEvidence(answer);
  const judgement = await judgeNodeEvidence(shown, trust, at);
  return { shown, judgement: rightNode(judgement, key), at };
}

// The gateway was asked for this node: another one's good evidence is no evidence.
function rightNode(judgement: EvidenceJudgement, key: string): EvidenceJudgement {
  if (!judgement.ok || judgement.peer.claims.signer === key.toLowerCase()) return judgement;
  return {
    ok: false,
    check: "report_data",
    reason: "the evidence is good, but of another node than was asked for",
  };
}

export function useEvidence(key: string) {
  const { gateway, trust } = useSetup();
  return useQuery({
    queryKey: ["evidence", gateway, key, trust?.policyHash],
    queryFn: async ({ signal }) =>
      judge(await getEvidence(gateway, key, signal), key, trust as TrustFile, Math.floor(Date.now() / 1000)),
    enabled: trust !== null,
    refetchInterval: 60_000,
  });
}

/** `at`: judged for that time; null: not asked for. */
export function usePastEvidence(key: string, digest: string | null, at: number) {
  const { gateway, trust } = useSetup();
  return useQuery({
    queryKey: ["evidence", gateway, key, trust?.policyHash, digest, at],
    queryFn: async ({ signal }) =>
      judge(await getPastEvidence(gateway, key, digest ?? "", signal), key, trust as TrustFile, at),
    enabled: trust !== null && digest !== null,
    staleTime: Number.POSITIVE_INFINITY,
  });
}
