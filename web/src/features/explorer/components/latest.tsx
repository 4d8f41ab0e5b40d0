// The newest receipts, batches and evidence. Lists are the gateway's word; each entry's page checks it.
import { useQuery } from "@tanstack/react-query";
import { GatewayState } from "@/shared/gateway/gateway-state.tsx";
import { latestEvidenceQuery, type ShownEvidence } from "@/shared/gateway/get-history.ts";
import { formatTime } from "@/shared/lib/format.ts";
import { useSetup } from "@/shared/setup/setup.tsx";
import { Amount } from "@/shared/ui/amount.tsx";
import { Badge, SeenBy } from "@/shared/ui/badge.tsx";
import { Card } from "@/shared/ui/card.tsx";
import { Hash } from "@/shared/ui/hash.tsx";
import { Table } from "@/shared/ui/table.tsx";
import { batchesQuery, type ListedBatch, type ListedReceipt, receiptsQuery } from "../api/get-latest.ts";
import styles from "./explorer.module.css";

const MOST = 10;

export function Latest() {
  const { gateway } = useSetup();
  const receipts = useQuery(receiptsQuery(gateway, { limit: MOST }));
  const batches = useQuery(batchesQuery(gateway, MOST));
  const evidence = useQuery(latestEvidenceQuery(gateway, MOST));
  return (
    <>
      <Card title="Latest receipts" actions={<SeenBy who="gateway" />}>
        <GatewayState query={receipts} height={10}>
          {(data) => (
            <Receipts
              receipts={data.receipts}
              empty="No answer has been paid for yet. Ask a model something, and its receipt appears here."
            />
          )}
        </GatewayState>
      </Card>
      <div className={styles.two}>
        <Card title="Latest batches" actions={<SeenBy who="gateway" />}>
          <GatewayState query={batches} height={10}>
            {(data) => <Batches batches={data} />}
          </GatewayState>
        </Card>
        <Card title="Latest evidence" actions={<SeenBy who="gateway" />}>
          <GatewayState query={evidence} height={10}>
            {(data) => <Evidence evidence={data} />}
          </GatewayState>
        </Card>
      </div>
    </>
  );
}

export function Receipts({ receipts, empty }: { receipts: readonly ListedReceipt[]; empty: string }) {
  if (receipts.length === 0) return <p>{empty}</p>;
  return (
    <Table caption="Receipts" head={["Receipt", "Node", "Tokens in / out", "Cost", "State", "Time"]} numbers={[2, 3]}>
      {receipts.map((receipt) => (
        <tr key={receipt.hash}>
          <td>
            <Hash value={receipt.hash} label="receipt hash" to={`/explorer/receipt/${receipt.hash}`} />
          </td>
          <td>
            <Hash value={receipt.head} label="node key" to={`/explorer/node/${receipt.head}`} />
          </td>
          <td className="num">
            {receipt.tokens_in} / {receipt.tokens_out}
          </td>
          <td className="num">{receipt.cost === 0n ? "free" : <Amount wei={receipt.cost} digits={9} />}</td>
          <td>
            <Badge tone={receipt.status === "mined" ? "ok" : "neutral"}>
              {receipt.status === "mined" ? "on chain" : "pending"}
            </Badge>
          </td>
          <td>{receipt.at === null ? "not yet" : formatTime(receipt.at)}</td>
        </tr>
      ))}
    </Table>
  );
}

function Batches({ batches }: { batches: readonly ListedBatch[] }) {
  if (batches.length === 0) return <p>No batch has been mined yet.</p>;
  return (
    <Table caption="Batches" head={["Root", "Number", "Receipts", "Paid", "Block"]} numbers={[1, 2, 3, 4]}>
      {batches.map((batch) => (
        <tr key={`${batch.line}/${batch.seq}`}>
          <td>
            <Hash value={batch.root} label="batch root" to={`/explorer/batch/${batch.root}`} />
          </td>
          <td className="num">{batch.seq}</td>
          <td className="num">{batch.count}</td>
          <td className="num">
            <Amount wei={batch.amount} />
          </td>
          <td className="num">{batch.block ?? "not yet"}</td>
        </tr>
      ))}
    </Table>
  );
}

function Evidence({ evidence }: { evidence: readonly ShownEvidence[] }) {
  if (evidence.length === 0) return <p>The gateway has seen no evidence yet.</p>;
  return (
    <Table caption="Evidence" head={["Node", "Kind", "First seen"]}>
      {evidence.map((entry) => (
        <tr key={`${entry.key}/${entry.sha256}`}>
          <td>
            <Hash value={entry.key} label="node key" to={`/explorer/node/${entry.key}`} />
          </td>
          <td>
            <Badge tone={entry.class === "simulated" ? "warn" : "neutral"}>{entry.class}</Badge>
          </td>
          <td>{formatTime(entry.at)}</td>
        </tr>
      ))}
    </Table>
  );
}
