// One receipt, proved again in this page: against the contract by the user's RPC, its node's evidence to the vendor's root; and for its
// owner, who holds the secret, the very prompt and answer.
import { useQuery } from "@tanstack/react-query";
import { CircleAlert, CircleCheck, Clock } from "lucide-react";
import { GatewayState } from "@/shared/gateway/gateway-state.tsx";
import { formatTime } from "@/shared/lib/format.ts";
import { useSetup } from "@/shared/setup/setup.tsx";
import { Amount } from "@/shared/ui/amount.tsx";
import { Badge } from "@/shared/ui/badge.tsx";
import { Card } from "@/shared/ui/card.tsx";
import { type CheckItem, CheckList } from "@/shared/ui/check-list.tsx";
import { Facts } from "@/shared/ui/facts.tsx";
import { Hash } from "@/shared/ui/hash.tsx";
import { Page } from "@/shared/ui/page.tsx";
import { receiptsQuery } from "./api/get-latest.ts";
import { type FoundReceipt, receiptQuery } from "./api/get-receipt.ts";
import styles from "./components/explorer.module.css";
import { HeadEvidence } from "./components/head-evidence.tsx";
import { OwnReceipt } from "./components/own-receipt.tsx";
import { SearchBox } from "./components/search-box.tsx";
import { isProved, type ProofLine, proveReceipt } from "./lib/receipt-proof.ts";
import { useChainView } from "./use-chain-view.ts";

export function ReceiptPage({ id }: { id: `0x${string}` }) {
  const { gateway } = useSetup();
  const found = useQuery(receiptQuery(gateway, id));
  return (
    <Page title="Receipt" lead={<Hash value={id} label="receipt hash" />}>
      <SearchBox />
      <GatewayState query={found} height={20}>
        {(receipt) => <ReceiptView id={id} receipt={receipt} />}
      </GatewayState>
      <OwnReceipt id={id} />
    </Page>
  );
}

function ReceiptView({ id, receipt }: { id: `0x${string}`; receipt: FoundReceipt }) {
  const { gateway } = useSetup();
  // Model and head are the gateway's word, and hashed to the receipt's line before they count.
  const listed = useQuery({
    ...receiptsQuery(gateway, { limit: 5, query: receipt.receipt.query }),
    enabled: receipt.model === null,
  });
  const entry = listed.data?.receipts.find((one) => one.hash === id);
  const whole = {
    ...receipt,
    model: receipt.model ?? entry?.model ?? null,
    head: receipt.head ?? entry?.head ?? null,
  };
  const at = entry?.at ?? null;
  return (
    <>
      <Proof id={id} receipt={whole} />
      <ReceiptFacts receipt={whole} at={at} />
      {whole.head && <HeadEvidence head={whole.head} at={at} />}
      <Meaning />
    </>
  );
}

function Proof({ id, receipt }: { id: `0x${string}`; receipt: FoundReceipt }) {
  const chain = useChainView();
  const proof = useQuery({
    queryKey: ["proof", id, receipt.mined, receipt.model, receipt.head, receipt.seq?.toString()],
    queryFn: () => proveReceipt(id, receipt, chain as NonNullable<typeof chain>),
    enabled: chain !== null,
  });
  return (
    <Card title="Proof">
      <GatewayState query={proof} height={12}>
        {(lines) => (
          <div className={styles.stack}>
            <Verdict lines={lines} />
            <CheckList label="Proof of the receipt" checks={lines.map(itemOf)} />
          </div>
        )}
      </GatewayState>
    </Card>
  );
}

function itemOf(line: ProofLine): CheckItem {
  const facts = line.facts.map((fact) => ({ ...fact, code: true }));
  return {
    id: line.id,
    title: line.title,
    status: line.status,
    detail: `${line.detail} (${line.by})`,
    facts,
  };
}

function Verdict({ lines }: { lines: readonly ProofLine[] }) {
  if (lines.some((line) => line.status === "failed")) {
    return (
      <p className={`${styles.verdict} ${styles.bad}`} role="status">
        <CircleAlert aria-hidden />{" "}
        <strong>This receipt is not proved: something that was served for it is wrong.</strong>
      </p>
    );
  }
  if (!isProved(lines)) {
    return (
      <p className={`${styles.verdict} ${styles.waiting}`} role="status">
        <Clock aria-hidden /> <strong>Not all of it can be proved yet.</strong>
      </p>
    );
  }
  return (
    <p className={`${styles.verdict} ${styles.good}`} role="status">
      <CircleCheck aria-hidden /> <strong>Receipt verified: it stands on chain as it is shown here.</strong>
    </p>
  );
}

function ReceiptFacts({ receipt, at }: { receipt: FoundReceipt; at: number | null }) {
  const { receipt: r } = receipt;
  const hash = (value: string, label: string, to?: string) => (
    <Hash key={label} value={value} label={label} to={to} />
  );
  return (
    <Card
      title="What it says"
      actions={
        <Badge tone={receipt.mined ? "ok" : "neutral"}>{receipt.mined ? "on chain" : "pending"}</Badge>
      }
    >
      <Facts
        items={[
          [
            "Model",
            receipt.model ? hash(receipt.model, "model id", `/explorer/model/${receipt.model}`) : "not told",
          ],
          [
            "Node that answered",
            receipt.head ? hash(receipt.head, "node key", `/explorer/node/${receipt.head}`) : "not told",
          ],
          ["Tokens in / out", `${r.tokensIn} / ${r.tokensOut}`],
          ["Cost", r.cost === 0n ? "free" : <Amount key="cost" wei={r.cost} digits={12} />],
          ["Query", hash(r.query, "query id", `/explorer/query/${r.query}`)],
          [
            "Batch",
            receipt.root
              ? hash(receipt.root, "batch root", `/explorer/batch/${receipt.root}`)
              : "settled by itself, or not yet",
          ],
          ["Line", hash(r.line, "line")],
          ["Question, as a keyed hash", hash(r.input, "input commitment")],
          ["Answer, as a keyed hash", hash(r.output, "output commitment")],
          ["Transcript", hash(r.transcript, "transcript hash")],
          ["Transaction", receipt.tx ? hash(receipt.tx, "transaction") : "not yet"],
          [
            "Block",
            receipt.block === null
              ? "not yet"
              : `${receipt.block}${at === null ? "" : `, ${formatTime(at)}`}`,
          ],
        ]}
      />
    </Card>
  );
}

function Meaning() {
  return (
    <Card title="What this proves, and what not">
      <p>
        The holder of the node’s key states that some question gave some answer, for this many tokens and this
        price; the contract has it for ever. Only the owner of the answer can show which question and which
        answer: the receipt holds keyed hashes, so that nobody can guess them.
      </p>
      <p>It does not prove that the answer is true, nor that no machine involved was broken.</p>
    </Card>
  );
}
