// The connected wallet's nodes in this slot: how long each lease still runs, renewal, and leaving.
import { useState } from "react";
import type { Address } from "viem";
import { leave } from "@/shared/chain/calls.ts";
import { useTransaction } from "@/shared/chain/use-transaction.ts";
import type { ListedNode } from "@/shared/gateway/get-nodes.ts";
import { formatDuration } from "@/shared/lib/format.ts";
import { useNow } from "@/shared/lib/use-now.ts";
import { Badge } from "@/shared/ui/badge.tsx";
import { Button } from "@/shared/ui/button.tsx";
import { Card } from "@/shared/ui/card.tsx";
import { Dialog, DialogActions } from "@/shared/ui/dialog.tsx";
import { Hash } from "@/shared/ui/hash.tsx";
import { ErrorState } from "@/shared/ui/states.tsx";
import styles from "./own-nodes.module.css";

const NOBODY: Address = `0x${"00".repeat(20)}`;

export interface OwnNodesProps {
  nodes: readonly ListedNode[];
  registry: Address;
  renewing: string | null; // key whose renewal runs
  canRenew: boolean; // there is a trust file and a way to the chain
  onRenew: (node: ListedNode) => void;
}

export function OwnNodes({ nodes, registry, renewing, canRenew, onRenew }: OwnNodesProps) {
  const now = useNow(1000);
  const [leaving, setLeaving] = useState<ListedNode | null>(null);
  return (
    <Card title="Your nodes in this slot">
      <ul className={styles.list}>
        {nodes.map((node) => (
          <li key={node.key} className={styles.node}>
            <div className={styles.words}>
              <span className={styles.name}>
                <Hash value={node.key} label="node key" to={`/explorer/node/${node.key}`} />
                <Badge tone={node.live ? "ok" : "warn"}>{node.live ? "live" : "not live"}</Badge>
              </span>
              <span className={styles.url}>{node.url}</span>
              <span className={styles.lease}>
                {node.until > now ? `lease ends in ${formatDuration(node.until - now)}` : "the lease is over"}
              </span>
            </div>
            <div className={styles.buttons}>
              <Button
                size="s"
                onClick={() => onRenew(node)}
                pending={renewing === node.key}
                disabled={!canRenew || (renewing !== null && renewing !== node.key)}
              >
                Renew the lease
              </Button>
              <Button size="s" kind="danger" onClick={() => setLeaving(node)} disabled={node.until <= now}>
                Leave
              </Button>
            </div>
          </li>
        ))}
      </ul>
      {leaving && (
        <LeaveDialog
          node={leaving}
          other={nodes.find((n) => n.key !== leaving.key && n.until > now)?.key ?? NOBODY}
          registry={registry}
          onClose={() => setLeaving(null)}
        />
      )}
    </Card>
  );
}

function LeaveDialog({
  node,
  other,
  registry,
  onClose,
}: {
  node: ListedNode;
  other: Address;
  registry: Address;
  onClose: () => void;
}) {
  const { state, busy, send } = useTransaction();
  const go = async () => {
    const end = await send(leave(registry, node.key, other));
    if (end.step === "mined") onClose();
  };
  return (
    <Dialog
      open
      onClose={onClose}
      title="Leave the slot?"
      lead="The lease ends at once and no new work comes. What the node signed can be settled for seven more days, and what it earned stays yours."
    >
      {state.step === "failed" && <ErrorState problem={state.problem} />}
      <DialogActions>
        <Button onClick={onClose}>Stay</Button>
        <Button kind="danger" onClick={() => void go()} pending={busy}>
          Leave the slot
        </Button>
      </DialogActions>
    </Dialog>
  );
}
