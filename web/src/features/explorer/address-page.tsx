// One wallet: balance with the contract, its nodes, and what it did with money. All from the chain but the list of nodes.
import { useQuery } from "@tanstack/react-query";
import { usePublicClient } from "wagmi";
import { useCredits } from "@/shared/chain/reads.ts";
import { GatewayState } from "@/shared/gateway/gateway-state.tsx";
import { hostNodesQuery, type ListedNode } from "@/shared/gateway/get-nodes.ts";
import { formatTime } from "@/shared/lib/format.ts";
import { useSetup } from "@/shared/setup/setup.tsx";
import { Amount } from "@/shared/ui/amount.tsx";
import { Badge, SeenBy } from "@/shared/ui/badge.tsx";
import { Card } from "@/shared/ui/card.tsx";
import { Stat } from "@/shared/ui/facts.tsx";
import { Hash } from "@/shared/ui/hash.tsx";
import { Page } from "@/shared/ui/page.tsx";
import { Table } from "@/shared/ui/table.tsx";
import { getMovements, type Movement } from "./api/get-movements.ts";
import { SearchBox } from "./components/search-box.tsx";

export function AddressPage({ id }: { id: `0x${string}` }) {
  const { gateway, ledger, config, chainId } = useSetup();
  const client = usePublicClient({ chainId });
  const credits = useCredits(id);
  const nodes = useQuery(hostNodesQuery(gateway, id));
  const moves = useQuery({
    queryKey: ["chain", "movements", ledger, id],
    queryFn: () =>
      getMovements({ client: client as NonNullable<typeof client>, ledger, fromBlock: config.fromBlock }, id),
    enabled: client !== undefined,
    refetchInterval: 10_000,
  });
  return (
    <Page title="Wallet" lead={<Hash value={id} label="address" whole />}>
      <SearchBox />
      <Card title="With the contract" actions={<Badge>from the chain</Badge>}>
        <GatewayState query={credits} height={4}>
          {(wei) => (
            <Stat name="Balance" note="credits and collected earnings">
              <Amount wei={wei} />
            </Stat>
          )}
        </GatewayState>
      </Card>
      <Card title="Its nodes" actions={<SeenBy who="gateway" />}>
        <GatewayState query={nodes} height={6}>
          {(list) => <Nodes nodes={list} />}
        </GatewayState>
      </Card>
      <Card title="Money" actions={<Badge>from the chain</Badge>}>
        <GatewayState query={moves} height={8}>
          {(list) => <Movements list={list} />}
        </GatewayState>
      </Card>
    </Page>
  );
}

function Nodes({ nodes }: { nodes: readonly ListedNode[] }) {
  if (nodes.length === 0) return <p>This wallet hosts nothing.</p>;
  return (
    <Table caption="Nodes of the wallet" head={["Node", "Slot", "State", "Lease until"]}>
      {nodes.map((node) => (
        <tr key={node.key}>
          <td>
            <Hash value={node.key} label="node key" to={`/explorer/node/${node.key}`} />
          </td>
          <td>{node.slot}</td>
          <td>
            <Badge tone={node.live ? "ok" : "warn"}>{node.live ? "live" : "not live"}</Badge>
          </td>
          <td>{formatTime(node.until)}</td>
        </tr>
      ))}
    </Table>
  );
}

function Movements({ list }: { list: readonly Movement[] }) {
  if (list.length === 0) return <p>No money moved under this address.</p>;
  return (
    <Table caption="Movements of money" head={["What", "Amount", "Block", "Transaction"]} numbers={[1, 2]}>
      {list.map((move) => (
        <tr key={`${move.tx}/${move.what}/${move.index}`}>
          <td>{move.what}</td>
          <td className="num">
            <Amount wei={move.amount} digits={9} />
          </td>
          <td className="num">{String(move.block)}</td>
          <td>
            <Hash value={move.tx} label="transaction" />
          </td>
        </tr>
      ))}
    </Table>
  );
}
