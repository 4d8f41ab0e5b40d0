// One node: what the chain says of it, its evidence verified and decoded here, its history, and files to check it without any network.
import { useQuery } from "@tanstack/react-query";
import { usePublicClient } from "wagmi";
import { registryAbi } from "@/shared/chain/abi.ts";
import { EvidenceView } from "@/shared/evidence/evidence-view.tsx";
import { useEvidence } from "@/shared/evidence/use-evidence.ts";
import { GatewayState } from "@/shared/gateway/gateway-state.tsx";
import { historyQuery, type NodeHistory } from "@/shared/gateway/get-history.ts";
import { type NodeDetails, nodeQuery } from "@/shared/gateway/get-nodes.ts";
import { formatTime } from "@/shared/lib/format.ts";
import { useSetup } from "@/shared/setup/setup.tsx";
import { Badge, SeenBy } from "@/shared/ui/badge.tsx";
import { ButtonLink } from "@/shared/ui/button.tsx";
import { Card } from "@/shared/ui/card.tsx";
import { Facts } from "@/shared/ui/facts.tsx";
import { Hash } from "@/shared/ui/hash.tsx";
import { Page } from "@/shared/ui/page.tsx";
import { ErrorState } from "@/shared/ui/states.tsx";
import { Table } from "@/shared/ui/table.tsx";
import { NodeDownloads } from "./components/node-downloads.tsx";
import { SearchBox } from "./components/search-box.tsx";

export function NodePage({ id }: { id: `0x${string}` }) {
  const { gateway } = useSetup();
  const details = useQuery(nodeQuery(gateway, id));
  const history = useQuery(historyQuery(gateway, id));
  return (
    <Page title="Node" lead={<Hash value={id} label="node key" />}>
      <SearchBox />
      <OnChain id={id} />
      <Card title="Seen from outside" actions={<SeenBy who="gateway" />}>
        <GatewayState query={details} height={8}>
          {(node) => <Outside node={node} />}
        </GatewayState>
      </Card>
      <EvidenceCard id={id} />
      <Card title="History" actions={<SeenBy who="gateway" />}>
        <GatewayState query={history} height={6}>
          {(data) => <Events history={data} />}
        </GatewayState>
      </Card>
    </Page>
  );
}

function OnChain({ id }: { id: `0x${string}` }) {
  const { registry, chainId } = useSetup();
  const client = usePublicClient({ chainId });
  const node = useQuery({
    queryKey: ["chain", "node", registry, id],
    queryFn: async () => {
      const [, until, slot, host, quote, url] = await (client as NonNullable<typeof client>).readContract({
        address: registry,
        abi: registryAbi,
        functionName: "node",
        args: [id],
      });
      return { until, slot, host, quote, url };
    },
    enabled: client !== undefined,
    refetchInterval: 5_000,
  });
  return (
    <Card title="By the contract" actions={<Badge>from the chain</Badge>}>
      <GatewayState query={node} height={8}>
        {(data) =>
          data.until === 0 ? (
            <p>The registry knows no node of this key.</p>
          ) : (
            <Facts
              items={[
                [
                  "Host, who is paid",
                  <Hash
                    key="h"
                    value={data.host}
                    label="host address"
                    to={`/explorer/address/${data.host.toLowerCase()}`}
                  />,
                ],
                ["Slot", String(data.slot)],
                ["Lease", `${data.until * 1000 > Date.now() ? "until" : "ended"} ${formatTime(data.until)}`],
                ["URL", data.url],
                ["Hash of what it joined with", <Hash key="q" value={data.quote} label="quote hash" />],
              ]}
            />
          )
        }
      </GatewayState>
    </Card>
  );
}

function Outside({ node }: { node: NodeDetails }) {
  const model = node.models[0];
  return (
    <>
      <Facts
        items={[
          [
            "State",
            <Badge key="s" tone={node.live ? "ok" : "warn"}>
              {node.live ? "live" : node.left ? "left" : "not live"}
            </Badge>,
          ],
          [
            "Evidence",
            <Badge key="c" tone={node.class === "simulated" ? "warn" : "neutral"}>
              {node.class}
            </Badge>,
          ],
          [
            "Models",
            node.models.length === 0
              ? "none known"
              : node.models.map((id) => (
                  <Hash key={id} value={id} label="model id" to={`/explorer/model/${id}`} />
                )),
          ],
          ["First seen", node.first_seen === null ? "never" : formatTime(node.first_seen)],
          ["Last seen", node.last_seen === null ? "never" : formatTime(node.last_seen)],
          ["Answers in work", node.sequences === null ? "not told" : String(node.sequences)],
        ]}
      />
      {model && (
        <div>
          <ButtonLink to={`/pool/${model}/${node.slot}`} size="s">
            Its slot in the pool
          </ButtonLink>
        </div>
      )}
    </>
  );
}

function EvidenceCard({ id }: { id: string }) {
  const { trust } = useSetup();
  const evidence = useEvidence(id);
  return (
    <Card title="Evidence" actions={<SeenBy who="page" />}>
      {trust === null ? (
        <ErrorState
          kind="refused"
          problem={{
            message: "Nothing can be verified without a trust file.",
            next: "Import yours in the settings.",
          }}
        />
      ) : (
        <GatewayState query={evidence} height={16}>
          {(judged) => (
            <>
              <EvidenceView evidence={judged} />
              <NodeDownloads evidence={judged} trust={trust} />
            </>
          )}
        </GatewayState>
      )}
    </Card>
  );
}

const WHAT = { joined: "joined", renewed: "lease renewed", left: "left", url: "new URL" } as const;

function Events({ history }: { history: NodeHistory }) {
  if (history.events.length === 0) return <p>Nothing yet.</p>;
  return (
    <Table caption="Events of the node" head={["What", "When", "Block", "Transaction"]} numbers={[2]}>
      {history.events.map((event) => (
        <tr key={`${event.tx}/${event.what}`}>
          <td>{WHAT[event.what]}</td>
          <td>{event.at === null ? "not known" : formatTime(event.at)}</td>
          <td className="num">{event.block}</td>
          <td>
            <Hash value={event.tx} label="transaction" />
          </td>
        </tr>
      ))}
    </Table>
  );
}
