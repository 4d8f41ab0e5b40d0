import { CircleCheck, TriangleAlert } from "lucide-react";
import type { ListedNode } from "@/shared/gateway/get-nodes.ts";
import { cx } from "@/shared/lib/cx.ts";
import { useNow } from "@/shared/lib/use-now.ts";
import { Badge, SeenBy } from "@/shared/ui/badge.tsx";
import { Card } from "@/shared/ui/card.tsx";
import { Hash } from "@/shared/ui/hash.tsx";
import { type Alert, alertsFor } from "../lib/alerts.ts";
import { useWatchedNodes } from "../use-watch.ts";
import styles from "./dashboard.module.css";

// What needs the host now, worst first.
export function Alerts({ nodes }: { nodes: readonly ListedNode[] }) {
  const now = useNow(5_000);
  const watched = useWatchedNodes(nodes);
  const alerts = alertsFor(watched, now);
  return (
    <Card title="Alerts">
      <div role="status">{alerts.length === 0 ? <AllWell /> : <AlertList alerts={alerts} />}</div>
    </Card>
  );
}

function AllWell() {
  return (
    <p className={styles.well}>
      <CircleCheck aria-hidden /> Nothing needs you now.
    </p>
  );
}

function AlertList({ alerts }: { alerts: readonly Alert[] }) {
  return (
    <ul className={styles.alerts}>
      {alerts.map((alert) => (
        <li
          key={alert.id}
          className={cx(styles.alert, alert.severity === "urgent" && styles.urgent)}
          data-alert={alert.id}
        >
          <TriangleAlert aria-hidden />
          <div>
            <p>
              <strong>{alert.title}</strong>{" "}
              <Hash value={alert.node} label="node key" to={`/explorer/node/${alert.node}`} />
            </p>
            <p>{alert.text}</p>
          </div>
          {alert.source === "chain" ? <Badge>from the chain</Badge> : <SeenBy who={alert.source} />}
        </li>
      ))}
    </ul>
  );
}
