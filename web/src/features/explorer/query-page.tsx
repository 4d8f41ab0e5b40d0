// One query: where its money stands by the contract, and the receipt that answered it.
import { useQuery } from "@tanstack/react-query";
import { useQueryRecord } from "@/shared/chain/reads.ts";
import { GatewayState } from "@/shared/gateway/gateway-state.tsx";
import { useSetup } from "@/shared/setup/setup.tsx";
import { Badge, SeenBy } from "@/shared/ui/badge.tsx";
import { Card } from "@/shared/ui/card.tsx";
import { Hash } from "@/shared/ui/hash.tsx";
import { Page } from "@/shared/ui/page.tsx";
import { receiptsQuery } from "./api/get-latest.ts";
import { Receipts } from "./components/latest.tsx";
import { SearchBox } from "./components/search-box.tsx";
import { recordWords } from "./lib/record-words.ts";

export function QueryPage({ id }: { id: `0x${string}` }) {
  const { gateway } = useSetup();
  const record = useQueryRecord(id);
  const receipts = useQuery(receiptsQuery(gateway, { limit: 20, query: id }));
  return (
    <Page title="Query" lead={<Hash value={id} label="query id" />}>
      <SearchBox />
      <Card title="Where its money stands" actions={<Badge>from the chain</Badge>}>
        <GatewayState query={record} height={3}>
          {(value) => {
            const words = recordWords(value);
            return (
              <p role="status">
                <Badge tone={words.tone}>{words.state}</Badge> {words.text}
              </p>
            );
          }}
        </GatewayState>
      </Card>
      <Card title="Its receipts" actions={<SeenBy who="gateway" />}>
        <GatewayState query={receipts} height={6}>
          {(data) => (
            <Receipts
              receipts={data.receipts}
              empty="The gateway knows no receipt of this query. If it is open, it may still be answered, or be refunded after its deadline."
            />
          )}
        </GatewayState>
      </Card>
    </Page>
  );
}
