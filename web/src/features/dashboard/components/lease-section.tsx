// How long the node may still serve, renewal from here, and what a host may use for free.
import type { Hash } from "viem";
import { useConnection } from "wagmi";
import { useHostUntil } from "@/shared/chain/reads.ts";
import type { ListedNode } from "@/shared/gateway/get-nodes.ts";
import { JoinSteps } from "@/shared/hosting/join-steps.tsx";
import { useJoin } from "@/shared/hosting/use-join.ts";
import { useWorld } from "@/shared/hosting/world.ts";
import { cx } from "@/shared/lib/cx.ts";
import { formatTime } from "@/shared/lib/format.ts";
import { useNow } from "@/shared/lib/use-now.ts";
import { Button, ButtonLink } from "@/shared/ui/button.tsx";
import { NotYet } from "@/shared/ui/states.tsx";
import { leaseWarning } from "../lib/alerts.ts";
import { shareLeft, timeLeft } from "../lib/lease.ts";
import styles from "./dashboard.module.css";

export interface LeaseSectionProps {
  node: ListedNode;
  lease: number; // seconds; 0: not known
  model: Hash | null;
  weights: Hash | null;
}

export function LeaseSection({ node, lease, model, weights }: LeaseSectionProps) {
  const now = useNow(1000);
  const left = node.until - now;
  const share = shareLeft(node.until, lease, now);
  return (
    <section className={styles.section} aria-label="Lease">
      <h3>Lease</h3>
      <div className={styles.lease}>
        <div>
          <p className={styles.left}>
            {left > 0
              ? `${timeLeft(left)} left, until ${formatTime(node.until)}`
              : "The lease is over: the node serves nothing."}
          </p>
          {share !== null && (
            <progress
              className={cx(styles.meter, left < leaseWarning(lease) && styles.ending)}
              value={share}
              max={1}
              aria-label="Share of the lease that is left"
            />
          )}
        </div>
        <Renewal node={node} model={model} weights={weights} />
      </div>
      <FreeUse model={model} />
    </section>
  );
}

function Renewal({ node, model, weights }: Pick<LeaseSectionProps, "node" | "model" | "weights">) {
  const world = useWorld();
  const { address } = useConnection();
  const { start, running, steps, done } = useJoin();
  const renew = () => {
    if (world && model && weights && address)
      void start(world, { url: node.url, model, slot: node.slot, key: node.key, host: address, weights });
  };
  return (
    <div className={styles.section}>
      <div className={styles.buttons}>
        <Button onClick={renew} pending={running} disabled={!world || !model || !weights}>
          {done ? "Renew again" : "Renew the lease"}
        </Button>
        {model && (
          <ButtonLink to={`/pool/${model}/${node.slot}`} kind="quiet">
            Slot, checks, leave
          </ButtonLink>
        )}
      </div>
      <JoinSteps steps={steps} />
    </div>
  );
}

function FreeUse({ model }: { model: Hash | null }) {
  const until = useHostUntil(model ?? undefined);
  const now = useNow(10_000);
  const open = until.data !== undefined && until.data > now;
  return (
    <>
      {open && (
        <p className={styles.quiet}>
          As a host you chat with this model free of charge until {formatTime(Number(until.data))}, by the
          chain.
        </p>
      )}
      <NotYet>how much of your free quota is left. Nodes count it themselves and do not tell yet.</NotYet>
    </>
  );
}
