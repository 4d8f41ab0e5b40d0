// The last step: offered only when every check passed. Also shows the steps of a renewal.
import { CircleCheck } from "lucide-react";
import type { JoinStep } from "@/shared/hosting/join.ts";
import { JoinSteps } from "@/shared/hosting/join-steps.tsx";
import { Button, ButtonLink } from "@/shared/ui/button.tsx";
import { Card } from "@/shared/ui/card.tsx";
import { Hash } from "@/shared/ui/hash.tsx";
import { NotYet } from "@/shared/ui/states.tsx";

import styles from "./join-panel.module.css";

export interface JoinPanelProps {
  // The attested key of a node that passed every check; null: there is none.
  nodeKey: string | null;
  auditor: boolean | null; // whether the gateway has one; null: not known yet
  already: boolean; // the node is in the slot and this is a renewal
  steps: readonly JoinStep[];
  running: boolean;
  done: boolean;
  tx: string | null;
  onJoin: () => void;
}

export function JoinPanel(props: JoinPanelProps) {
  const { nodeKey, auditor, steps, running, done } = props;
  const verb = props.already ? "Renew the lease" : "Join the slot";
  return (
    <Card title={`4. ${verb}`}>
      {nodeKey === null && steps.length === 0 && (
        <p className={styles.wait}>
          Once every check has passed, this is where you join. Until then there is nothing to sign.
        </p>
      )}
      {nodeKey !== null && auditor === false && (
        <NotYet>
          this gateway has no auditor, and no verifier on chain reads quotes yet. An auditor whom the model
          names can approve by hand: teetee attest approve.
        </NotYet>
      )}
      {nodeKey !== null && auditor !== false && (
        <>
          <p>
            Every check passed for node <Hash value={nodeKey} label="node key" />. The node makes evidence for
            a fresh block, the auditor of the model approves it, and you sign one transaction. It costs gas
            only.
          </p>
          <div>
            <Button kind="primary" onClick={props.onJoin} pending={running} disabled={done}>
              {verb}
            </Button>
          </div>
        </>
      )}
      <JoinSteps steps={steps} />
      {done && <JoinDone already={props.already} tx={props.tx} nodeKey={nodeKey} />}
    </Card>
  );
}

function JoinDone({ already, tx, nodeKey }: { already: boolean; tx: string | null; nodeKey: string | null }) {
  return (
    <div className={styles.done} role="status">
      <CircleCheck aria-hidden />
      <div>
        <p>
          <strong>{already ? "The lease is renewed." : "The slot is lit: your node serves."}</strong>
        </p>
        {tx && (
          <p>
            Transaction <Hash value={tx} label="transaction" />
          </p>
        )}
        <div className={styles.links}>
          <ButtonLink to="/dashboard" kind="primary" size="s">
            Open the dashboard
          </ButtonLink>
          {nodeKey && (
            <ButtonLink to={`/explorer/node/${nodeKey}`} size="s">
              See it in the explorer
            </ButtonLink>
          )}
        </div>
      </div>
    </div>
  );
}
