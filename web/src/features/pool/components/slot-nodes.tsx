// Who serves the slot now. Polled, so that a node that has just joined shows without a reload.
import type { UseQueryResult } from "@tanstack/react-query";
import { GatewayState } from "@/shared/gateway/gateway-state.tsx";
import type { ListedNode } from "@/shared/gateway/get-nodes.ts";
import { formatDuration } from "@/shared/lib/format.ts";
import { useNow } from "@/shared/lib/use-now.ts";
import { Badge, SeenBy } from "@/shared/ui/badge.tsx";
import { Card } from "@/shared/ui/card.tsx";
import { Hash } from "@/shared/ui/hash.tsx";
import { Table } from "@/shared/ui/table.tsx";

export interface SlotNodesProps {
  query: UseQueryResult<ListedNode[]>;
  slot: number;
  wallet: string | null;
}

export function SlotNodes({ query, slot, wallet }: SlotNodesProps) {
  return (
    <Card title="Nodes in this slot" actions={<SeenBy who="gateway" />}>
      <GatewayState query={query} height={6}>
        {(nodes) => <Nodes nodes={nodes.filter((node) => node.slot === slot)} wallet={wallet} />}
      </GatewayState>
    </Card>
  );
}

function Nodes({ nodes, wallet }: { nodes: readonly ListedNode[]; wallet: string | null }) {
  const now = useNow(1000);
  if (nodes.length === 0) return <p>None yet. The slot is free: whoever joins first serves it alone.</p>;
  return (
    <Table caption="Nodes in this slot" head={["Node", "Host", "State", "Lease"]}>
      {nodes.map((node) => (
        <tr key={node.key} data-node={node.key}>
          <td>
            <Hash value={node.key} label="node key" to={`/explorer/node/${node.key}`} />
          </td>
          <td>
            <Hash value={node.host} label="host address" to={`/explorer/address/${node.host}`} />{" "}
            {node.host === wallet?.toLowerCase() && <Badge tone="accent">you</Badge>}
          </td>
          <td>
            <Badge tone={node.live ? "ok" : "warn"}>{node.live ? "live" : "not live"}</Badge>
          </td>
          <td>{node.until > now ? `${formatDuration(node.until - now)} left` : "over"}</td>
        </tr>
      ))}
    </Table>
  );
}
