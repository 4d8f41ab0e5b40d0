// The trust file: what it says, where it came from, and how to use another.
import { FileUp } from "lucide-react";
import { type ChangeEvent, useId, useState } from "react";
import { useSetup } from "@/shared/setup/setup.tsx";
import { Badge } from "@/shared/ui/badge.tsx";
import { Button } from "@/shared/ui/button.tsx";
import { Card } from "@/shared/ui/card.tsx";
import { Facts } from "@/shared/ui/facts.tsx";
import { TextArea } from "@/shared/ui/field.tsx";
import { Hash } from "@/shared/ui/hash.tsx";
import { EmptyState, ErrorState } from "@/shared/ui/states.tsx";
import { Term } from "@/shared/ui/term.tsx";
import { useToast } from "@/shared/ui/toast.tsx";
import type { TrustFile } from "@/shared/verify/trust-file.ts";
import styles from "./settings.module.css";

const MAX_BYTES = 1 << 20;

export function TrustCard() {
  const { trust, trustSource, trustProblem, config, forgetTrust } = useSetup();
  return (
    <Card title="Trust file" actions={trustSource === "imported" ? <Button onClick={forgetTrust}>Forget the imported file</Button> : undefined}>
      <p className={styles.words}>
        A <Term name="trust file" /> says what you accept: vendor roots, releases, contracts and models. Everything that these pages call verified
        was verified against it, here in this browser. It is never taken from a gateway.
      </p>
      {config.servedBy === "gateway" && (
        <p className={styles.words}>
          <strong>This page came from a gateway.</strong> Whoever serves a page can change it, so what it checks proves less than{" "}
          <code>teetee proxy</code> or a page from your own machine (<code>teetee web</code>).
        </p>
      )}
      {trustProblem && <ErrorState kind="refused" problem={{ message: "The trust file is not used", cause: trustProblem, next: "Import one that is in order." }} />}
      {trust ? <TrustFacts trust={trust} /> : <EmptyState title="No trust file">Nothing counts as verified, and nothing is sent, until you import one.</EmptyState>}
      <ImportForm />
    </Card>
  );
}

function TrustFacts({ trust }: { trust: TrustFile }) {
  const { trustSource } = useSetup();
  return (
    <Facts
      items={[
        [
          "Class",
          trust.evidenceClass === "simulated" ? (
            <Badge key="c" tone="warn">
              simulated: protects nothing
            </Badge>
          ) : (
            <Badge key="c" tone="ok">
              production
            </Badge>
          ),
        ],
        ["Comes from", trustSource === "imported" ? "imported here" : "the server on this machine"],
        ["Chain", trust.chainId.toString()],
        ["Registry", <Hash key="r" value={trust.registry} label="registry address" />],
        ["Ledger", <Hash key="l" value={trust.ledger} label="ledger address" />],
        ["Vendor roots", trust.roots.length],
        ["Accepted releases", trust.measurements.map((measurement) => measurement.name).join(", ") || "none"],
        ["Accepted firmware states", trust.acceptedTcb.join(", ")],
        ["Models", [...trust.models.keys()].join(", ") || "none"],
        ["Policy hash", <Hash key="p" value={trust.policyHash} label="policy hash" />],
      ]}
    />
  );
}

function ImportForm() {
  const { importTrust } = useSetup();
  const { show } = useToast();
  const [text, setText] = useState("");
  const [problem, setProblem] = useState<string | null>(null);
  const fileId = useId();
  const take = (candidate: string) => {
    const found = importTrust(candidate);
    setProblem(found);
    if (found === null) {
      setText("");
      show({ title: "The trust file is in use", tone: "ok" });
    }
  };
  const read = async (event: ChangeEvent<HTMLInputElement>) => {
    const file = event.target.files?.[0];
    event.target.value = "";
    if (!file) return;
    if (file.size > MAX_BYTES) setProblem("the file is larger than 1 MiB");
    else take(await file.text());
  };
  return (
    <details className={styles.import}>
      <summary>Import a trust file</summary>
      <div className={styles.form}>
        <div>
          <label htmlFor={fileId} className={styles.file}>
            <FileUp aria-hidden />
            Choose a file
          </label>
          <input id={fileId} type="file" accept=".json,application/json" className="visually-hidden" onChange={(event) => void read(event)} />
        </div>
        <TextArea label="Or paste its text" spellCheck={false} rows={6} value={text} error={problem} onChange={(event) => setText(event.target.value)} />
        <div>
          <Button kind="primary" disabled={text.trim() === ""} onClick={() => take(text)}>
            Check and use
          </Button>
        </div>
      </div>
    </details>
  );
}
