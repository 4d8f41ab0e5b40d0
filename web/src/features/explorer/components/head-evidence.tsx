// Evidence of the node that answered, as it was at the time of the receipt, verified again here.
import { useQuery } from "@tanstack/react-query";
import { EvidenceView } from "@/shared/evidence/evidence-view.tsx";
import { usePastEvidence } from "@/shared/evidence/use-evidence.ts";
import { GatewayState } from "@/shared/gateway/gateway-state.tsx";
import { historyQuery, type NodeHistory } from "@/shared/gateway/get-history.ts";
import { formatTime } from "@/shared/lib/format.ts";
import { useSetup } from "@/shared/setup/setup.tsx";
import { SeenBy } from "@/shared/ui/badge.tsx";
import { Card } from "@/shared/ui/card.tsx";
import { ErrorState } from "@/shared/ui/states.tsx";
import { evidenceAt } from "../lib/evidence-at.ts";

export function HeadEvidence({ head, at }: { head: string; at: number | null }) {
  const { gateway, trust } = useSetup();
  const history = useQuery(historyQuery(gateway, head));
  return (
    <Card title="Evidence of the node that answered" actions={<SeenBy who="page" />}>
      {trust === null ? (
        <ErrorState
          kind="refused"
          problem={{
            message: "Nothing can be verified without a trust file.",
            next: "Import yours in the settings.",
          }}
        />
      ) : (
        <GatewayState query={history} height={6}>
          {(data) => <Chosen head={head} history={data} at={at} />}
        </GatewayState>
      )}
    </Card>
  );
}

function Chosen({ head, history, at }: { head: string; history: NodeHistory; at: number | null }) {
  const chosen = evidenceAt(history.evidence, at);
  const evidence = usePastEvidence(head, chosen?.sha256 ?? null, chosen?.at ?? 0);
  if (!chosen)
    return <p>The gateway kept no evidence of this node. The owner’s bundle holds its own copy.</p>;
  return (
    <>
      <p>First seen {formatTime(chosen.at)}, kept by the gateway, and verified here for that time.</p>
      <GatewayState query={evidence} height={8}>
        {(judged) => <EvidenceView evidence={judged} />}
      </GatewayState>
    </>
  );
}
