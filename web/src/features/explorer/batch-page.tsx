// One batch: the root that a head put on chain, compared with the contract, and the receipts under it.
import { useQuery } from "@tanstack/react-query";
import { GatewayState } from "@/shared/gateway/gateway-state.tsx";
import { formatTime } from "@/shared/lib/format.ts";
import { useSetup } from "@/shared/setup/setup.tsx";
import { Amount } from "@/shared/ui/amount.tsx";
import { SeenBy } from "@/shared/ui/badge.tsx";
import { Card } from "@/shared/ui/card.tsx";
import { CheckList } from "@/shared/ui/check-list.tsx";
import { Facts } from "@/shared/ui/facts.tsx";
import { Hash } from "@/shared/ui/hash.tsx";
import { Page } from "@/shared/ui/page.tsx";
import { batchQuery, type FullBatch, receiptsQuery } from "./api/get-latest.ts";
import { Receipts } from "./components/latest.tsx";
import { SearchBox } from "./components/search-box.tsx";
import { lineOf } from "./lib/receipt-proof.ts";
import { useChainView } from "./use-chain-view.ts";

export function BatchPage({ root }: { root: `0x${string}` }) {
  const { gateway } = useSetup();
  const found = useQuery(batchQuery(gateway, root));
  return (
    <Page title="Batch" lead={<Hash value={root} label="batch root" />}>
      <SearchBox />
      <GatewayState query={found} height={16}>
        {(batch) => <BatchView batch={batch} root={root} />}
      </GatewayState>
    </Page>
  );
}

function BatchView({ batch, root }: { batch: FullBatch; root: `0x${string}` }) {
  const { gateway } = useSetup();
  const receipts = useQuery(receiptsQuery(gateway, { limit: 100, batch: root }));
  return (
    <>
      <BatchProof batch={batch} root={root} />
      <Card title="What it says" actions={<SeenBy who="gateway" />}>
        <Facts
          items={[
            [
              "Model",
              <Hash key="m" value={batch.model} label="model id" to={`/explorer/model/${batch.model}`} />,
            ],
            [
              "Node that sent it",
              <Hash key="h" value={batch.head} label="node key" to={`/explorer/node/${batch.head}`} />,
            ],
            ["Number on its line", String(batch.seq)],
            ["Receipts", String(batch.count)],
            ["Paid with it", <Amount key="a" wei={batch.amount} digits={12} />],
            ["Transaction", batch.tx ? <Hash key="t" value={batch.tx} label="transaction" /> : "not yet"],
            [
              "Block",
              batch.block === null
                ? "not yet"
                : `${batch.block}${batch.at === null ? "" : `, ${formatTime(batch.at)}`}`,
            ],
          ]}
        />
      </Card>
      <Card title="Receipts in it" actions={<SeenBy who="gateway" />}>
        <GatewayState query={receipts} height={8}>
          {(data) => <Receipts receipts={data.receipts} empty="The gateway does not know its receipts." />}
        </GatewayState>
      </Card>
    </>
  );
}

function BatchProof({ batch, root }: { batch: FullBatch; root: `0x${string}` }) {
  const chain = useChainView();
  const line = lineOf(batch.model, batch.head);
  const onChain = useQuery({
    queryKey: ["chain", "batch-root", line, batch.seq],
    queryFn: () => (chain as NonNullable<typeof chain>).batchRoot(line, BigInt(batch.seq)),
    enabled: chain !== null,
  });
  return (
    <Card title="Proof">
      <GatewayState query={onChain} height={4}>
        {(found) => (
          <CheckList
            label="Proof of the batch"
            checks={[
              {
                id: "chain.batch",
                title: "The contract has this root for this batch",
                status: found.toLowerCase() === root ? "passed" : "failed",
                detail: "The line is computed here from model and node; the root is read by your RPC.",
                facts: [
                  { label: "On chain", value: found, code: true },
                  { label: "Line", value: line, code: true },
                ],
              },
            ]}
          />
        )}
      </GatewayState>
    </Card>
  );
}
