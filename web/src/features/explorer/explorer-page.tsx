// Look up anything that was answered, paid or proved, and check it here.
import { useParams } from "react-router";
import { Page } from "@/shared/ui/page.tsx";
import { ErrorState } from "@/shared/ui/states.tsx";
import { AddressPage } from "./address-page.tsx";
import { BatchPage } from "./batch-page.tsx";
import { Latest } from "./components/latest.tsx";
import { OwnReceipt } from "./components/own-receipt.tsx";
import { SearchBox } from "./components/search-box.tsx";
import { isHash, isNodeKey } from "./lib/search-text.ts";
import { ModelPage } from "./model-page.tsx";
import { NodePage } from "./node-page.tsx";
import { QueryPage } from "./query-page.tsx";
import { ReceiptPage } from "./receipt-page.tsx";

export function ExplorerPage() {
  const { kind, id } = useParams();
  if (kind === undefined || id === undefined) return <Home />;
  return <Found key={`${kind}/${id}`} kind={kind} id={id} />;
}

function Home() {
  return (
    <Page
      title="Explorer"
      lead="Every answer leaves a receipt, every node leaves evidence. Look one up, and this page checks it again, here, in your browser."
    >
      <SearchBox />
      <Latest />
      <OwnReceipt />
    </Page>
  );
}

function Found({ kind, id }: { kind: string; id: string }) {
  const low = id.toLowerCase();
  if (isHash(low)) {
    if (kind === "receipt") return <ReceiptPage id={low} />;
    if (kind === "query") return <QueryPage id={low} />;
    if (kind === "batch") return <BatchPage root={low} />;
    if (kind === "model") return <ModelPage id={low} />;
  }
  if (isNodeKey(low)) {
    if (kind === "node") return <NodePage id={low} />;
    if (kind === "address") return <AddressPage id={low} />;
  }
  return (
    <Page title="Explorer">
      <SearchBox />
      <ErrorState
        kind="refused"
        problem={{
          message: `This is no ${kind} that could be looked up.`,
          cause: "Hashes and ids have 64 hex digits after 0x, addresses and node keys 40.",
          next: "Search for it above.",
        }}
      />
    </Page>
  );
}
