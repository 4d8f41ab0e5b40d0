// The lock: whether every node of the route has shown evidence that the trust file accepts, and what exactly was checked.
import { LoaderCircle, ShieldCheck, ShieldX } from "lucide-react";
import { useState } from "react";
import type { CheckResult } from "@/shared/client/check-list.ts";
import type { Route, RouteResult } from "@/shared/client/route.ts";
import { cx } from "@/shared/lib/cx.ts";
import { formatTime } from "@/shared/lib/format.ts";
import { useSetup } from "@/shared/setup/setup.tsx";
import { Badge } from "@/shared/ui/badge.tsx";
import { type CheckItem, CheckList } from "@/shared/ui/check-list.tsx";
import { Dialog } from "@/shared/ui/dialog.tsx";
import { Hash } from "@/shared/ui/hash.tsx";
import { ErrorState } from "@/shared/ui/states.tsx";
import { problemOfClient } from "../model/take-event.ts";
import styles from "./route-lock.module.css";

export interface RouteLockProps {
  result: RouteResult | undefined;
  pending: boolean;
}

export function RouteLock({ result, pending }: RouteLockProps) {
  const { simulated } = useSetup();
  const [open, setOpen] = useState(false);
  const ok = result?.ok === true;
  const words = pending ? "Verifying…" : ok ? (simulated ? "Verified (simulated)" : "Verified") : "Not verified";
  return (
    <>
      <button type="button" className={cx(styles.lock, !pending && (ok ? styles.ok : styles.bad))} onClick={() => setOpen(true)} disabled={!result} data-testid="route-lock">
        {pending ? <LoaderCircle aria-hidden className={styles.turning} /> : ok ? <ShieldCheck aria-hidden /> : <ShieldX aria-hidden />}
        <span>{words}</span>
      </button>
      {result && <RouteDialog result={result} open={open} onClose={() => setOpen(false)} />}
    </>
  );
}

function RouteDialog({ result, open, onClose }: { result: RouteResult; open: boolean; onClose: () => void }) {
  const { simulated, config } = useSetup();
  const checks = result.ok ? result.route.checks.all : result.checks.all;
  return (
    <Dialog wide open={open} onClose={onClose} title="The route of your question" lead="Checked in this browser against your trust file, before anything is sent.">
      {simulated && (
        <p>
          <Badge tone="warn">simulated evidence: protects nothing</Badge>
        </p>
      )}
      {config.servedBy === "gateway" && (
        <p className={styles.note}>
          This page came from the gateway that it checks, so the gateway could have changed the checks too. <code>teetee web</code> or <code>teetee proxy</code> on your own machine prove more.
        </p>
      )}
      {result.ok ? <Nodes route={result.route} /> : <ErrorState kind="refused" problem={problemOfClient(result.error)} />}
      <CheckList label="Checks of the route" checks={routeChecks(checks)} />
      {result.rejected.length > 0 && (
        <p className={styles.note}>
          {result.rejected.length} offered {result.rejected.length === 1 ? "node was" : "nodes were"} not taken: {result.rejected.map(({ error }) => error.message).join("; ")}
        </p>
      )}
    </Dialog>
  );
}

function Nodes({ route }: { route: Route }) {
  return (
    <div className={styles.nodes}>
      {route.nodes.map(({ slot, key, listed, peer }) => (
        <div key={key} className={styles.node}>
          <span className={styles.slot}>{slot === 0 ? "Slot 0, the head" : `Slot ${slot}`}</span>
          <span>
            Node <Hash value={key} label="node key" to={`/explorer/node/${key}`} />
          </span>
          <span>
            Host <Hash value={listed.host} label="host address" to={`/explorer/address/${listed.host}`} />
          </span>
          <span className={styles.note}>
            Release {peer.release}, firmware {peer.quote.status}
          </span>
        </div>
      ))}
      <p className={styles.note}>Verified {formatTime(route.verifiedAt)}; again within a minute, and whenever a node's key or boot changes.</p>
    </div>
  );
}

// Grouped by slot, so that a long list can be read.
export function routeChecks(checks: readonly CheckResult[]): CheckItem[] {
  return checks.map((check, i) => ({
    id: `${i}.${check.id}`,
    title: sentence(check.text.replace(/^slot \d+: /, "")),
    status: check.passed ? "passed" : "failed",
    group: check.slot === undefined ? "Model" : `Slot ${check.slot}`,
    facts: [{ label: "Check", value: check.id, code: true }],
  }));
}

function sentence(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
