// Where the chain is read, and which contracts.
import { type FormEvent, useState } from "react";
import { useSetup } from "@/shared/setup/setup.tsx";
import { Button } from "@/shared/ui/button.tsx";
import { Card } from "@/shared/ui/card.tsx";
import { Facts } from "@/shared/ui/facts.tsx";
import { TextField } from "@/shared/ui/field.tsx";
import { Hash } from "@/shared/ui/hash.tsx";
import { ErrorState, type Problem } from "@/shared/ui/states.tsx";
import { useToast } from "@/shared/ui/toast.tsx";
import { checkRpc } from "./check-rpc.ts";
import styles from "./settings.module.css";

export function ChainCard() {
  const { chainId, registry, ledger, gateway, trust } = useSetup();
  return (
    <Card title="Chain and gateway">
      <Facts
        items={[
          ["Gateway", gateway === "" ? "this page's own server" : <code key="g">{gateway}</code>],
          ["Chain", chainId],
          ["Registry", <Hash key="r" value={registry} label="registry address" />],
          ["Ledger", <Hash key="l" value={ledger} label="ledger address" />],
          ["Contracts named by", trust ? "your trust file" : "the server of this page: not verified"],
        ]}
      />
      <RpcForm />
    </Card>
  );
}

function RpcForm() {
  const { rpc, config, chainId, setRpc } = useSetup();
  const { show } = useToast();
  const [url, setUrl] = useState(rpc ?? "");
  const [problem, setProblem] = useState<Problem | null>(null);
  const [pending, setPending] = useState(false);
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    setPending(true);
    const check = await checkRpc(url.trim(), chainId);
    setPending(false);
    setProblem(check.ok ? null : check.problem);
    if (!check.ok) return;
    setRpc(url.trim() === config.rpc ? null : url.trim());
    show({ title: "The RPC is in use", tone: "ok" });
  };
  return (
    <form className={styles.form} onSubmit={(event) => void submit(event)}>
      <TextField
        label="RPC"
        type="url"
        placeholder="http://127.0.0.1:8545"
        hint={rpc === null ? "None is named, so the page reads the chain through your wallet." : "The page reads balances, leases and proofs here."}
        value={url}
        onChange={(event) => setUrl(event.target.value)}
      />
      {problem && <ErrorState problem={problem} />}
      <div className={styles.row}>
        <Button type="submit" pending={pending} disabled={url.trim() === ""}>
          Check and use
        </Button>
        {rpc !== config.rpc && (
          <Button
            kind="quiet"
            onClick={() => {
              setRpc(null);
              setUrl(config.rpc ?? "");
            }}
          >
            Back to the server's
          </Button>
        )}
      </div>
    </form>
  );
}
