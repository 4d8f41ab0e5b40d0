// One node: lease, usage, evidence now and before.
import { useQuery } from "@tanstack/react-query";
import type { Hash as HexHash } from "viem";
import type { Range } from "@/shared/earnings/earnings.ts";
import { modelQuery } from "@/shared/gateway/get-model.ts";
import { type ListedNode, nodeQuery } from "@/shared/gateway/get-nodes.ts";
import { useSetup } from "@/shared/setup/setup.tsx";
import { Badge } from "@/shared/ui/badge.tsx";
import { Card } from "@/shared/ui/card.tsx";
import { Hash } from "@/shared/ui/hash.tsx";
import styles from "./dashboard.module.css";
import { EvidenceSection } from "./evidence-section.tsx";
import { LeaseSection } from "./lease-section.tsx";
import { UsageSection } from "./usage-section.tsx";

export function NodeCard({ node, range }: { node: ListedNode; range: Range }) {
  const { gateway } = useSetup();
  const model = node.models[0];
  const facts = useQuery({ ...modelQuery(gateway, model ?? ""), enabled: model !== undefined });
  const details = useQuery(nodeQuery(gateway, node.key));
  const name = facts.data?.manifest.name ?? "model";
  return (
    <Card
      title={`Slot ${node.slot} of ${name}`}
      actions={
        <NodeBadges
          node={node}
          sequences={details.data?.sequences ?? null}
          kind={details.data?.class ?? "unknown"}
        />
      }
    >
      <p className={styles.head}>
        <span>Node</span> <Hash value={node.key} label="node key" to={`/explorer/node/${node.key}`} />
        <span className={styles.quiet}>{node.url}</span>
      </p>
      <LeaseSection
        node={node}
        lease={facts.data?.params.lease ?? 0}
        model={(model as HexHash | undefined) ?? null}
        weights={facts.data?.params.slots[node.slot]?.weights ?? null}
      />
      <UsageSection nodeKey={node.key} range={range} isHead={node.slot === 0} />
      <EvidenceSection nodeKey={node.key} />
    </Card>
  );
}

function NodeBadges({ node, sequences, kind }: { node: ListedNode; sequences: number | null; kind: string }) {
  return (
    <>
      {kind === "simulated" && <Badge tone="warn">simulated</Badge>}
      {sequences !== null && sequences > 0 && (
        <Badge tone="accent">{sequences === 1 ? "1 answer in work" : `${sequences} answers in work`}</Badge>
      )}
      <Badge tone={node.live ? "ok" : "bad"}>{node.live ? "live" : "not live"}</Badge>
    </>
  );
}
